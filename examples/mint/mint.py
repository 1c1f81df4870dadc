import base64, hashlib, hmac, json, os, secrets, time

def b64(data): return base64.urlsafe_b64encode(data).rstrip(b"=")
def mac(key, text): return hmac.new(key, text, hashlib.sha256).digest()

_, kid, secret = os.environ["VALETKEY_SIGNING_KEY"].split(".")
claims = {"kid": kid, "jti": secrets.token_urlsafe(16), "exp": int(time.time()) + 900,
          "path": "reports/q3.pdf", "methods": ["GET"]}
block = b64(json.dumps(claims).encode())
signature = mac(mac(base64.urlsafe_b64decode(secret + "="), b"vk1"), block)
print("vk1." + block.decode() + "." + b64(signature).decode())
