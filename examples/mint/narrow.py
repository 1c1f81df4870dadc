import base64, hashlib, hmac, json, sys, time

def b64(data): return base64.urlsafe_b64encode(data).rstrip(b"=")

key, _, signature = sys.argv[1].rpartition(".")
block = b64(json.dumps({"methods": ["GET"], "exp": int(time.time()) + 60}).encode())
link = hmac.new(base64.urlsafe_b64decode(signature + "="), block, hashlib.sha256).digest()
print(key + "." + block.decode() + "." + b64(link).decode())
