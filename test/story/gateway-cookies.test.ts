/** A film by cookie: no key in any URL, and nobody else's page can do anything with it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask, type Question } from '../support/http.ts'
import { pattern } from '../support/store.ts'

let house: House
const segment = pattern(1 << 20)
const playlist = '#EXTM3U\n#EXTINF:4,\nparts/1.ts\n#EXTINF:4,\nparts/2.ts\n#EXT-X-ENDLIST\n'

beforeAll(async () => {
  house = await openHouse({
    gateway: { trustedProxies: ['127.0.0.1'] },
    publicUrls: ['https://files.example.com'],
  })
  const all = house.mint({ methods: ['PUT'] })
  const put = (path: string, body: string | Uint8Array) =>
    ask(house.url(path, all), { method: 'PUT', body })
  await put('films/holiday/playlist.m3u8', playlist)
  await put('films/holiday/parts/1.ts', segment)
  await put('films/holiday/parts/2.ts', segment)
  await put('films/other', 'other')
})
afterAll(() => house.close())

const exchange = (key: string, question: Question = {}): Promise<Answer> =>
  ask(`${house.gateway.url}/-/cookie`, {
    method: 'POST',
    ...question,
    headers: { authorization: `Bearer ${key}`, ...question.headers },
  })

/** What a browser sends to a path of the cookies that it was given. */
function sentTo(path: string, { headers }: Answer): string {
  const kept = (headers['set-cookie'] ?? []).map((cookie) => {
    const [, pair = '', where = ''] = /^([^;]*); Path=([^;]*);/.exec(cookie) ?? []
    return { pair, where }
  })
  const reach = kept.filter(({ where }) =>
    where.endsWith('/') ? path.startsWith(where) : path === where || path.startsWith(`${where}/`),
  )
  return reach.map(({ pair }) => pair).join('; ')
}

describe('a film', () => {
  test('plays by its cookie: the playlist, its segments, ranges of them', async () => {
    const key = house.mint({ path: 'films/holiday/' })
    const given = await exchange(key)
    expect(given.status).toBe(204)
    expect(given.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^vk=vk1\.\S+; Path=\/films\/holiday\/; Max-Age=3[56]\d\d; HttpOnly; SameSite=Strict; Secure$/,
      ),
    ])
    const load = (path: string, headers = {}) =>
      ask(house.gateway.url + path, { headers: { cookie: sentTo(path, given), ...headers } })
    const list = await load('/films/holiday/playlist.m3u8')
    expect(list.text()).toBe(playlist)
    for (const part of playlist.match(/^parts\/.*$/gm) ?? []) {
      const { status, headers, body } = await load(`/films/holiday/${part}`, {
        range: 'bytes=1000-1999',
      })
      expect([status, headers['content-range']]).toEqual([206, `bytes 1000-1999/${1 << 20}`])
      expect(body.equals(Buffer.from(segment.subarray(1000, 2000)))).toBe(true)
    }
    expect(sentTo('/films/other', given)).toBe('')
    expect((await load('/films/other')).code).toBe('key_missing')
  })

  test('has a cookie for each scope, and all of them are taken away', async () => {
    const key = house.mint({ path: ['films/holiday/', 'films/other', 'films/holiday/parts/'] })
    const given = await exchange(key)
    const paths = (answer: Answer) =>
      answer.headers['set-cookie']?.map((cookie) => /Path=([^;]*)/.exec(cookie)?.[1])
    expect(paths(given)).toEqual(['/films/holiday/', '/films/other'])
    const taken = await exchange(key, { method: 'DELETE' })
    expect([taken.status, paths(taken)]).toEqual([204, paths(given)])
    for (const cookie of taken.headers['set-cookie'] ?? []) {
      expect(cookie).toMatch(/^vk=; Path=\S+; Max-Age=0; /)
    }
  })
})

describe('the key', () => {
  const url = () => `${house.gateway.url}/-/cookie`
  const asForm = (body: string, headers = {}) =>
    ask(url(), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
    })
  const asJson = (body: string) =>
    ask(url(), { method: 'POST', headers: { 'content-type': 'application/json' }, body })

  test('may stand in a form or in JSON', async () => {
    const key = house.mint({ path: 'films/' })
    for (const answer of [await asForm(`vk=${key}`), await asJson(JSON.stringify({ vk: key }))]) {
      expect(answer.headers['set-cookie']?.[0]).toContain(`vk=${key}; Path=/films/;`)
    }
    expect((await asForm(`vk=${key}&vk=${key}`)).code).toBe('request_malformed')
    expect((await asJson('{"vk":7}')).code).toBe('request_malformed')
    expect((await asJson('nonsense')).code).toBe('request_malformed')
    expect((await asForm('a=b')).code).toBe('key_missing')
    expect((await ask(url(), { method: 'POST' })).code).toBe('key_missing')
    const both = await asForm(`vk=${key}`, { authorization: `Bearer ${key}` })
    expect(both.code).toBe('key_ambiguous')
  })

  test('of a cookie that is there already does not stand in the way', async () => {
    const [old, fresh] = [house.mint({}), house.mint({ path: 'films/' })]
    const origin = house.gateway.url
    const answer = await exchange(fresh, { headers: { cookie: `vk=${old}`, origin } })
    expect(answer.headers['set-cookie']?.[0]).toContain(`vk=${fresh};`)
  })

  test('is refused as everywhere, and its cookie goes though it is over', async () => {
    expect((await exchange(house.mint({ exp: 1 }))).code).toBe('key_expired')
    expect((await exchange('vk1.e30.AAAA')).code).toBe('key_malformed')
    expect((await exchange(house.mint({ pin: true }))).code).toBe('pin_required')
    expect((await exchange(house.mint({ exp: 1 }), { method: 'DELETE' })).status).toBe(204)
  })

  test('is refused where browsers would drop its cookie', async () => {
    const keyOf = (length: number) => house.mint({ headers: { 'x-a': 'b'.repeat(length) } })
    let length = 2800
    while (keyOf(length).length <= 4094) length += 1
    const ask = (value: number) => exchange(keyOf(value), { headers: { 'x-a': 'b'.repeat(value) } })
    expect((await ask(length)).code).toBe('request_malformed')
    expect((await ask(length - 2)).status).toBe(204)
  })

  test('goes into no cookie for a page of another origin', async () => {
    const key = house.mint({})
    const codeFrom = async (origin: string, headers = {}) =>
      (await asForm(`vk=${key}`, { origin, ...headers })).code
    expect(await codeFrom('https://evil.example.com')).toBe('origin_not_granted')
    expect(await codeFrom('null')).toBe('origin_not_granted')
    expect(await codeFrom(house.gateway.url)).toBeUndefined()
    expect(await codeFrom('https://files.example.com')).toBeUndefined()
    const behind = { host: 'other.example', 'x-forwarded-proto': 'https' }
    expect(await codeFrom('https://other.example', behind)).toBeUndefined()
    expect(await codeFrom('http://other.example', behind)).toBe('origin_not_granted')
  })
})

test('what changes something by cookie comes from a page of this origin', async () => {
  const key = house.mint({ path: 'films/', methods: ['GET', 'PUT', 'DELETE'] })
  const attempt = async (method: string, headers: Record<string, string>) => {
    const body = method === 'PUT' ? 'new' : undefined
    const question = { method, headers, ...(body && { body }) }
    const { status, code } = await ask(house.url(`films/by-cookie`), question)
    return code ?? status
  }
  const cookie = `vk=${key}`
  for (const method of ['PUT', 'DELETE']) {
    expect(await attempt(method, { cookie })).toBe('origin_not_granted')
    expect(await attempt(method, { cookie, origin: 'null' })).toBe('origin_not_granted')
    expect(await attempt(method, { cookie, origin: 'https://evil.example.com' })).toBe(
      'origin_not_granted',
    )
  }
  expect(await attempt('GET', { cookie })).toBe('object_not_found')
  expect(await attempt('PUT', { cookie, origin: house.gateway.url })).toBe(201)
  expect(await attempt('DELETE', { cookie, origin: house.gateway.url })).toBe(204)
  expect(await attempt('PUT', { authorization: `Bearer ${key}` })).toBe(201)
  expect(await attempt('DELETE', { authorization: `Bearer ${key}`, cookie })).toBe(
    'origin_not_granted',
  )
})

test('so it is of services behind a proxy that asks', async () => {
  const key = house.mint({ path: 'app/', methods: ['GET', 'PUT'] })
  const judged = async (method: string, headers: Record<string, string>) => {
    const asked = { 'x-forwarded-method': method, 'x-forwarded-uri': '/app/x' }
    const answer = await ask(`${house.gateway.url}/-/auth`, {
      headers: { cookie: `vk=${key}`, ...asked, ...headers },
    })
    return answer.code ?? answer.status
  }
  const host = { 'x-forwarded-host': 'app.example.com', 'x-forwarded-proto': 'https' }
  expect(await judged('GET', host)).toBe(204)
  expect(await judged('POST', host)).toBe('origin_not_granted')
  expect(await judged('POST', { ...host, origin: 'https://evil.example.com' })).toBe(
    'origin_not_granted',
  )
  expect(await judged('POST', { ...host, origin: 'https://app.example.com' })).toBe(204)
})

test('below a path, cookies are for what a browser sees', async () => {
  const below = await openHouse({ gateway: { basePath: '/files' } })
  try {
    const given = await ask(`${below.gateway.url}/files/-/cookie`, {
      method: 'POST',
      headers: { authorization: `Bearer ${below.mint({ path: 'films/' })}` },
    })
    expect(given.headers['set-cookie']?.[0]).toContain('; Path=/files/films/;')
  } finally {
    await below.close()
  }
})
