import { createHmac, randomUUID } from 'node:crypto'

const mac = (key, text) => createHmac('sha256', key).update(text).digest()

const [, kid, secret] = process.env.VALETKEY_SIGNING_KEY.split('.')
const exp = Math.floor(Date.now() / 1000) + 900
const claims = { kid, jti: randomUUID(), exp, path: 'reports/q3.pdf', methods: ['GET'] }
const block = Buffer.from(JSON.stringify(claims)).toString('base64url')
const signature = mac(mac(Buffer.from(secret, 'base64url'), 'vk1'), block)
console.log(`vk1.${block}.${signature.toString('base64url')}`)
