package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

var b64 = base64.RawURLEncoding

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func main() {
	parts := strings.Split(os.Getenv("VALETKEY_SIGNING_KEY"), ".")
	secret, err := b64.DecodeString(parts[2])
	if err != nil {
		panic(err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	claims, _ := json.Marshal(map[string]any{"kid": parts[1], "jti": b64.EncodeToString(id),
		"exp": time.Now().Unix() + 900, "path": "reports/q3.pdf", "methods": []string{"GET"}})
	block := b64.EncodeToString(claims)
	fmt.Println("vk1." + block + "." + b64.EncodeToString(mac(mac(secret, "vk1"), block)))
}
