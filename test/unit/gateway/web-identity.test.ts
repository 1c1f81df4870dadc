import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type IdentityProvider, WebIdentities } from '../../../gateway/web-identity.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { tempFolder } from '../../support/temp-folder.ts'

const NOW = 1_800_000_000 as UnixSeconds
const ISSUER = 'https://login.example.com'
const { privateKey, publicKey } = await generateKeyPair('ES256')
const stranger = await generateKeyPair('ES256')
const set = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] })

let temp: ReturnType<typeof tempFolder>
let server: Server
let identities: WebIdentities
let answer = { status: 200, body: set }

const providerWith = (jwks: IdentityProvider['jwks'], issuer = ISSUER): IdentityProvider => ({
  issuer,
  audiences: ['valetkey', 'other'],
  jwks,
  path: 'users/\u0024{sub}/',
})
const urlOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`

beforeAll(async () => {
  temp = tempFolder()
  writeFileSync(join(temp.path, 'keys.json'), set)
  server = createServer((_, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  identities = new WebIdentities([providerWith({ file: join(temp.path, 'keys.json') })])
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  temp.remove()
})

const CLAIMS: JWTPayload = {
  iss: ISSUER,
  aud: 'valetkey',
  sub: 'ann/1',
  iat: NOW - 10,
  exp: NOW + 300,
}
const tokenOf = (claims: JWTPayload = {}, key = privateKey, header = { alg: 'ES256', kid: 'k1' }) =>
  new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader(header).sign(key)

async function codeFor(token: string, from = identities): Promise<string> {
  try {
    await from.verify(token, NOW)
    return 'taken'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

test('a good token is somebody', async () => {
  expect(await identities.verify(await tokenOf({ aud: ['x', 'other'] }), NOW)).toEqual({
    issuer: ISSUER,
    audience: 'other',
    subject: 'ann/1',
    path: 'users/ann%2F1/',
    expires: NOW + 300,
  })
})

describe('refused', () => {
  test.each<[string, JWTPayload, string]>([
    ['another issuer', { iss: 'https://evil.example.com' }, 'signature_invalid'],
    ['another audience', { aud: 'somebody-else' }, 'signature_invalid'],
    ['an expired one', { exp: NOW - 61 }, 'key_expired'],
    ['one that is not valid yet', { nbf: NOW + 120 }, 'signature_invalid'],
    ['one without an expiry', { exp: undefined } as never, 'signature_invalid'],
    ['one without a subject', { sub: undefined } as never, 'signature_invalid'],
    ['an empty subject', { sub: '' }, 'request_malformed'],
  ])('%s', async (_, claims, code) => {
    expect(await codeFor(await tokenOf(claims))).toBe(code)
  })

  test('one of another key, even an expired one: nothing is told before', async () => {
    expect(await codeFor(await tokenOf({ exp: NOW - 999 }, stranger.privateKey))).toBe(
      'signature_invalid',
    )
  })

  test('no signature, a shared secret, an altered token, none at all', async () => {
    const [head = '', body = '', signature = ''] = (await tokenOf()).split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const secret = new TextEncoder().encode(set.slice(0, 64))
    const shared = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256' }).sign(secret)
    const other = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'bob' })).toString('base64url')
    for (const token of [
      `${none}.${body}.`,
      shared,
      `${head}.${other}.${signature}`,
      '',
      'a.b.c',
      'x'.repeat(30_000),
    ]) {
      expect(await codeFor(token), token.slice(0, 40)).toBe('signature_invalid')
    }
  })
})

describe('keys by URL', () => {
  test('are fetched, and a provider that does not answer is unavailable', async () => {
    answer = { status: 200, body: set }
    expect(
      await codeFor(await tokenOf(), new WebIdentities([providerWith({ url: urlOf() })])),
    ).toBe('taken')
    for (const wrong of [
      { status: 500, body: '' },
      { status: 200, body: 'no keys' },
    ]) {
      answer = wrong
      const fresh = new WebIdentities([providerWith({ url: urlOf() })])
      expect(await codeFor(await tokenOf(), fresh)).toBe('unavailable')
    }
  })

  test('over plain http from elsewhere are refused when settings are read', () => {
    const make = () => new WebIdentities([providerWith({ url: 'http://login.example.com/keys' })])
    expect(make).toThrow(/over https only/)
  })
})
