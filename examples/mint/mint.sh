#!/bin/sh -eu
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
mac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary; }

rest=${VALETKEY_SIGNING_KEY#vk1sk.} kid=${rest%.*}
secret=$(printf '%s=' "${rest##*.}" | tr '_-' '/+' | openssl base64 -d -A | hex)
block=$(printf '{"kid":"%s","jti":"%s","exp":%d,"path":"reports/q3.pdf","methods":["GET"]}' \
  "$kid" "$(openssl rand -hex 16)" "$(($(date +%s) + 900))" | b64)
derived=$(printf vk1 | mac "$secret" | hex)
echo "vk1.$block.$(printf %s "$block" | mac "$derived" | b64)"
