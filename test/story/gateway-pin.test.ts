/** A key whose link alone opens nothing: a PIN has to be proven, and can't be guessed at leisure. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FirstBlock } from '../../key/claims.ts'
import { hashPin } from '../../key/node-pin.ts'
import { secondsOf } from '../../key/units.ts'
import {
  MOST_WRONG_PINS,
  MOST_WRONG_PINS_ANYWHERE,
  PIN_WINDOW_SECONDS,
  SECONDS_PER_PIN_ANYWHERE,
} from '../../ledger/ledger.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask, type Question } from '../support/http.ts'

const PIN = 'Grüße 4711-0815-2342'

let house: House
let other: GatewayProcess
let kept: string
beforeAll(async () => {
  house = await openHouse()
  other = await startGatewayProcess(house)
  kept = await hashPin(PIN)
  const all = house.mint({ methods: ['PUT'] })
  await ask(house.url('bucket/a', all), { method: 'PUT', body: 'content' })
})
afterAll(async () => {
  await other.kill()
  await house.close()
})

let count = 0
async function pinned(claims: Partial<FirstBlock> = {}, pin: string | undefined = kept) {
  count += 1
  const jti = `pinned-${count}`
  await house.ledger.keepNotes([{ id: jti, message: 'for you', ...(pin && { pin }) }])
  return house.mint({ jti, pin: true, ...claims })
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const show = (key: string, body: unknown, { headers }: Question = {}): Promise<Answer> =>
  ask(`${house.gateway.url}/-/pin`, {
    method: 'POST',
    headers: { ...bearer(key), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

const cookieOf = ({ headers }: Answer): string =>
  (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ')

const get = (key: string, headers: Question['headers'] = {}) =>
  ask(house.url('bucket/a', key), { headers })

describe('a key with a PIN', () => {
  test('opens with the cookie that the PIN is exchanged for, in every process', async () => {
    const key = await pinned()
    const { status, headers, code } = await get(key)
    expect([status, code]).toEqual([401, 'pin_required'])
    expect(headers['www-authenticate']).toBe('Bearer realm="valetkey"')
    expect((await ask(`${house.gateway.url}/-/key`, { headers: bearer(key) })).code).toBe(
      'pin_required',
    )

    const proven = await show(key, { pin: PIN })
    expect(proven.status).toBe(204)
    expect(proven.headers['set-cookie']?.[0]).toMatch(
      /^vkpin-[\w-]{16}=\d+\.[\w-]{43}; Path=\/; Max-Age=(3[56]\d\d); HttpOnly; SameSite=Strict; Secure$/,
    )
    const cookie = cookieOf(proven)
    expect((await get(key, { cookie })).text()).toBe('content')
    expect((await get(house.narrow(key, { path: 'bucket/a' }), { cookie })).status).toBe(200)
    const elsewhere = house.url('bucket/a', key).replace(house.gateway.url, other.url)
    expect((await ask(elsewhere, { headers: { cookie } })).status).toBe(200)
    const shown = await ask(`${house.gateway.url}/-/key`, { headers: { ...bearer(key), cookie } })
    expect(shown.json()).toMatchObject({ message: 'for you' })
  })

  test('opens with the header, for programs', async () => {
    const key = await pinned({}, await hashPin('4711'))
    const all = await Promise.all(
      Array.from({ length: 30 }, () => get(key, { 'valetkey-pin': '4711' })),
    )
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await get(key, { 'valetkey-pin': '4712' })).code).toBe('pin_wrong')
  })

  test('has no cookie of another key, of another time, or of before its PIN was changed', async () => {
    const [key, another] = [await pinned(), await pinned()]
    const cookie = cookieOf(await show(key, { pin: PIN }))
    const [name, value = ''] = cookie.split('=')
    const theirs = cookieOf(await show(another, { pin: PIN })).split('=')
    for (const forged of [
      `${name}=${theirs[1]}`,
      `${theirs[0]}=${value}`,
      `${name}=${value.replace(/^\d/, '9')}`,
      `${name}=9999999999.`,
      `${name}=`,
    ]) {
      expect((await get(key, { cookie: forged })).code).toBe('pin_required')
    }
    await house.ledger.keepNotes([{ id: `pinned-${count - 1}`, pin: await hashPin('another') }])
    expect((await get(key, { cookie })).code).toBe('pin_required')
  })

  test('may be narrowed by a PIN, which is nobody else’s', async () => {
    await pinned()
    const jti = `pinned-${count}`
    const narrowed = house.narrow(house.mint({ jti: 'wide' }), { jti, pin: true })
    expect((await show(narrowed, { pin: PIN })).code).toBe('pin_wrong')
    await house.ledger.keepNotes([{ id: `wide/${jti}`, pin: kept }])
    const cookie = cookieOf(await show(narrowed, { pin: PIN }))
    expect((await get(narrowed, { cookie })).status).toBe(200)
  })

  test('is asked for last: what else is wrong with it is said before', async () => {
    const codeOf = async (claims: Partial<FirstBlock>) => (await get(await pinned(claims))).code
    expect(await codeOf({ exp: 1 })).toBe('key_expired')
    expect(await codeOf({ path: 'other/' })).toBe('path_not_granted')
    const key = await pinned({ exp: 1 })
    expect((await show(key, { pin: PIN })).code).toBe('key_expired')
    await house.ledger.revoke([{ kind: 'id', value: `pinned-${count}`, revokedAt: house.now() }])
    const revoked = house.mint({ jti: `pinned-${count}`, pin: true })
    expect((await show(revoked, { pin: PIN })).code).toBe('key_revoked')
  })

  test('is asked for by every protocol', async () => {
    const key = await pinned({ methods: ['PUT'] })
    const headers = {
      ...bearer(key),
      'tus-resumable': '1.0.0',
      'upload-length': '1',
      'upload-metadata': `path ${Buffer.from('bucket/new').toString('base64')}`,
    }
    const created = await ask(`${house.gateway.url}/-/tus/`, { method: 'POST', headers })
    expect(created.code).toBe('pin_required')
    expect((await ask(house.url('bucket/new', key), { method: 'PUT', body: 'x' })).code).toBe(
      'pin_required',
    )
    expect((await ask(house.url('bucket/new', await pinned()), { method: 'HEAD' })).status).toBe(
      401,
    )
  })
})

test('a key of which no PIN is kept opens with none', async () => {
  const key = await pinned({}, '')
  expect((await get(key)).code).toBe('pin_required')
  expect((await show(key, { pin: PIN })).code).toBe('pin_wrong')
  expect((await get(key, { 'valetkey-pin': '' })).code).toBe('pin_wrong')
})

test('a key without a PIN needs none, and gets no cookie', async () => {
  const { status, headers } = await show(house.mint({}), { pin: '1234' })
  expect([status, headers['set-cookie']]).toEqual([204, undefined])
})

test.each(['', '{}', '{"pin":1234}', '[]', 'null', '{"pin":"1234"', 'pin=1234'])(
  'the body %j is none',
  async (body) => {
    const { status, code } = await show(await pinned(), body)
    expect([status, code]).toEqual([400, 'request_malformed'])
  },
)

describe('wrong PINs', () => {
  test('are ten, over all processes and at once, and then even the right one waits', async () => {
    const key = await pinned()
    const proven = cookieOf(await show(key, { pin: PIN }))
    const answers = await Promise.all(
      Array.from({ length: 3 * MOST_WRONG_PINS }, (_, n) => {
        const url = n % 2 === 0 ? house.gateway.url : other.url
        const body = JSON.stringify({ pin: `wrong-${n}` })
        return ask(`${url}/-/pin`, { method: 'POST', headers: bearer(key), body })
      }),
    )
    const codes = answers.map(({ code }) => code)
    expect(codes.filter((code) => code === 'pin_wrong')).toHaveLength(MOST_WRONG_PINS)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(2 * MOST_WRONG_PINS)
    const [refused, right] = [
      await show(key, { pin: 'not this one either' }),
      await show(key, { pin: PIN }),
    ]
    expect([refused.status, refused.code]).toEqual([429, 'rate_limited'])
    expect([right.status, right.code]).toEqual([429, 'rate_limited'])
    expect((await get(key, { 'valetkey-pin': PIN })).code).toBe('rate_limited')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(PIN_WINDOW_SECONDS - 60)
    expect((await get(key, { cookie: proven })).status).toBe(200)
    expect((await show(await pinned(), { pin: PIN })).status).toBe(204)
  })
})

describe('wrong PINs from many addresses', () => {
  let behind: House
  const now = secondsOf(Date.now())
  beforeAll(async () => {
    behind = await openHouse({
      gateway: { trustedProxies: ['127.0.0.1'] },
      clock: { now: () => now },
    })
    const all = behind.mint({ methods: ['PUT'] })
    await ask(behind.url('bucket/a', all), { method: 'PUT', body: 'content' })
  })
  afterAll(() => behind.close())

  const shownFrom = (key: string, pin: string, address: string): Promise<Answer> =>
    ask(`${behind.gateway.url}/-/pin`, {
      method: 'POST',
      headers: { ...bearer(key), 'x-forwarded-for': address },
      body: JSON.stringify({ pin }),
    })
  const pinnedAs = async (jti: string) => {
    await behind.ledger.keepNotes([{ id: jti, pin: kept }])
    return behind.mint({ jti, pin: true })
  }

  test('are those of one site where it is an IPv6 /48', async () => {
    const key = await pinnedAs('one-site')
    for (let n = 0; n < MOST_WRONG_PINS; n += 1) {
      const { code } = await shownFrom(key, `wrong-${n}`, `2001:db8:7:${n}::1`)
      expect(code).toBe('pin_wrong')
    }
    expect((await shownFrom(key, 'wrong', '2001:db8:7:ffff::1')).code).toBe('rate_limited')
    for (const another of ['2001:db8:8::1', '::ffff:c000:201', '::ffff:c000:202', '192.0.2.3']) {
      expect((await shownFrom(key, 'wrong', another)).code).toBe('pin_wrong')
    }
  })

  test('are limited together, and wait for minutes at most, but whoever knows the PIN', async () => {
    const key = await pinnedAs('from-anywhere')
    expect((await shownFrom(key, PIN, '203.0.113.1')).status).toBe(204)
    for (let n = 0; n < MOST_WRONG_PINS_ANYWHERE; n += 1) {
      await behind.ledger.tryPin({ id: 'from-anywhere', address: `198.51.100.${n}`, now })
    }
    const refused = await shownFrom(key, PIN, '203.0.113.2')
    expect([refused.status, refused.code]).toEqual([429, 'rate_limited'])
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(SECONDS_PER_PIN_ANYWHERE)
    expect((await shownFrom(key, PIN, '203.0.113.1')).status).toBe(204)
  })
})

test('no refusal, log or cookie holds a PIN', async () => {
  const key = await pinned()
  const wrong = await show(key, { pin: 'very-secret' })
  const right = await show(key, { pin: PIN })
  const told = wrong.text() + JSON.stringify(right.headers) + JSON.stringify(house.logged)
  expect(told).not.toMatch(/very-secret|4711-0815-2342/)
})
