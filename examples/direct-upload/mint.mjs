import { createHmac, randomUUID } from 'node:crypto'

const [, kid, secret] = (process.env.VALETKEY_SIGNING_KEY ?? '').split('.')
if (secret === undefined) {
  console.error('set VALETKEY_SIGNING_KEY to what "npx valetkey keys export KID" prints')
  process.exit(1)
}
const mac = (key, text) => createHmac('sha256', key).update(text).digest()

/** A key that uploads beneath `path`, or exactly there, for five minutes, from pages of `origin`. */
export function mint(path, origin, limits = {}) {
  const exp = Math.floor(Date.now() / 1000) + 300
  const claims = { kid, jti: randomUUID(), exp, path, methods: ['PUT'], origins: [origin], ...limits }
  const block = Buffer.from(JSON.stringify(claims)).toString('base64url')
  const signature = mac(mac(Buffer.from(secret, 'base64url'), 'vk1'), block).toString('base64url')
  return `vk1.${block}.${signature}`
}
