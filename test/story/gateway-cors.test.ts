/** Pages of other origins: only where a key or the configuration says so, and then on refusals too. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'

const APP = 'https://app.example.com'
const OTHER = 'https://other.example.com'
const CONFIGURED = 'https://configured.example.com'

let house: House
let all: string
let forApp: string

beforeAll(async () => {
  house = await openHouse({ cors: { origins: [CONFIGURED] } })
  all = house.mint({ methods: ['GET', 'PUT'] })
  forApp = house.mint({ methods: ['GET', 'PUT'], origins: [APP] })
  await ask(house.url('bucket/a', all), { method: 'PUT', body: 'content' })
})
afterAll(() => house.close())

const preflight = (origin: string, key?: string, headers = {}) =>
  ask(house.url('bucket/a', key), {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'PUT', ...headers },
  })

describe('a preflight', () => {
  test('is answered from the key in the URL', async () => {
    const asked = { 'access-control-request-headers': 'content-type,x-team' }
    const { status, headers, body } = await preflight(APP, forApp, asked)
    expect([status, body.length]).toEqual([204, 0])
    expect(headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET, HEAD, PUT, POST',
      'access-control-allow-headers': 'content-type,x-team',
      'access-control-max-age': '600',
      vary: 'Origin',
    })
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  })

  test('is answered from the configuration', async () => {
    expect((await preflight(CONFIGURED)).headers['access-control-allow-origin']).toBe(CONFIGURED)
    expect((await preflight(CONFIGURED, all)).headers['access-control-allow-origin']).toBe(
      CONFIGURED,
    )
    expect((await preflight(CONFIGURED)).headers['access-control-allow-methods']).toContain(
      'DELETE',
    )
  })

  test.each([
    ["of another origin than the key's", OTHER, () => forApp],
    ['of a configured origin, where the key names others', CONFIGURED, () => forApp],
    ['of an origin that nobody names', OTHER, () => all],
    ['without a key', APP, () => undefined],
    ['of no origin', 'null', () => all],
    ['of a longer origin', `${APP}.evil.example`, () => forApp],
    ['of another port', `${APP}:8443`, () => forApp],
    ['of another scheme', 'http://app.example.com', () => forApp],
  ])('%s is refused', async (_, origin, key) => {
    const { status, code, headers } = await preflight(origin, key())
    expect([status, code, headers['access-control-allow-origin']]).toEqual([
      403,
      'origin_not_granted',
      undefined,
    ])
  })

  test('shows only a key of ours what it grants', async () => {
    const { code, headers } = await preflight(APP, `${forApp.slice(0, -2)}AA`)
    expect(code).toMatch(/^(?:signature_invalid|key_malformed)$/)
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  test('grants the methods that every block grants', async () => {
    const narrowed = house.narrow(forApp, { methods: ['GET'], origins: [APP, OTHER] })
    const { headers } = await preflight(APP, narrowed)
    expect(headers['access-control-allow-methods']).toBe('GET, HEAD')
    expect((await preflight(OTHER, narrowed)).status).toBe(403)
  })

  test('without an origin tells what is served', async () => {
    const { status, headers } = await ask(house.url('bucket/a'), { method: 'OPTIONS' })
    expect([status, headers.allow]).toEqual([204, 'GET, HEAD, PUT, DELETE, OPTIONS'])
  })
})

describe('a response', () => {
  test.each([
    ['with the object', () => house.url('bucket/a', forApp), 200],
    ['with nothing new', () => house.url('bucket/a', forApp), 304],
    ['without an object', () => house.url('bucket/absent', forApp), 404],
    [
      'of a key that does not grant it',
      () => house.url('bucket/a', house.mint({ methods: ['PUT'], origins: [APP] })),
      403,
    ],
    ['of an expired key', () => house.url('bucket/a', house.mint({ exp: 1, origins: [APP] })), 403],
  ])('%s may be read by pages of the origin', async (_, url, status) => {
    const condition = status === 304 ? { 'if-none-match': '*' } : {}
    const { headers, ...answer } = await ask(url(), { headers: { origin: APP, ...condition } })
    expect(answer.status).toBe(status)
    expect(headers['access-control-allow-origin']).toBe(APP)
    expect(headers.vary).toBe('Origin')
    for (const name of [
      'ETag',
      'Location',
      'Content-Range',
      'Content-Length',
      'X-Request-Id',
      'Repr-Digest',
      'Retry-After',
    ]) {
      expect(headers['access-control-expose-headers']?.split(', ')).toContain(name)
    }
  })

  test('to pages of other origins is a refusal, and to no page the object', async () => {
    const url = house.url('bucket/a', forApp)
    const stranger = await ask(url, { headers: { origin: OTHER } })
    expect([stranger.code, stranger.headers['access-control-allow-origin']]).toEqual([
      'origin_not_granted',
      undefined,
    ])
    const direct = await ask(url)
    expect([direct.status, direct.headers['access-control-allow-origin']]).toEqual([200, undefined])
  })

  test('of a key without origins is for pages that the configuration names', async () => {
    const url = house.url('bucket/a', all)
    const told = async (origin: string) =>
      (await ask(url, { headers: { origin } })).headers['access-control-allow-origin']
    expect([await told(CONFIGURED), await told(OTHER)]).toEqual([CONFIGURED, undefined])
    const refused = await ask(house.url('bucket/a'), { headers: { origin: CONFIGURED } })
    expect([refused.code, refused.headers['access-control-allow-origin']]).toEqual([
      'key_missing',
      CONFIGURED,
    ])
  })

  test('that a shared cache may keep says that it depends on the origin, whoever asked', async () => {
    const { headers } = await ask(house.url('bucket/a', forApp))
    expect(headers.vary).toBe('Origin')
  })
})
