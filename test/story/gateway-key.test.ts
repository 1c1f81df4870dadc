/** A holder asks what the key allows: without a use, and without learning more than the key says. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FirstBlock } from '../../key/claims.ts'
import type { Scope } from '../../key/object-path.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask, type Question } from '../support/http.ts'

let house: House
beforeAll(async () => {
  house = await openHouse({ gateway: { maxObjectSize: '7MiB' } })
  const all = house.mint({ methods: ['PUT'] })
  await ask(house.url('bucket/a', all), { method: 'PUT', body: 'content' })
})
afterAll(() => house.close())

const show = (key: string, { headers, ...question }: Question = {}): Promise<Answer> =>
  ask(`${house.gateway.url}/-/key`, {
    ...question,
    headers: { authorization: `Bearer ${key}`, ...headers },
  })

describe('the key is shown', () => {
  test('as its blocks say together', async () => {
    const end = house.now() + 60
    const key = house.narrow(
      house.mint({
        jti: 'shown',
        path: ['bucket/', 'other/'],
        methods: ['GET', 'PUT', 'LIST'],
        size: [0, 1000],
        types: ['image/*', 'text/plain'],
        create: true,
        uses: 3,
      }),
      {
        path: 'bucket/in/',
        methods: ['PUT', 'LIST'],
        exp: end,
        nbf: house.now() - 10,
        size: [5, 5000],
        types: ['IMAGE/png', 'application/pdf', 'text/*'],
        match: '*.png',
        ttl: 90,
        respond: { 'content-disposition': 'attachment; filename="x.png"' },
      },
    )
    const { status, headers, json } = await show(key)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'private, no-store',
    })
    const { now, notBefore, expires, ...rest } = json()
    expect(rest).toEqual({
      id: 'shown',
      methods: ['PUT', 'LIST'],
      paths: ['bucket/in/'],
      match: ['*.png'],
      size: { min: 5, max: 1000 },
      types: ['IMAGE/png', 'text/plain'],
      create: true,
      ttl: 90,
      uses: { most: 3, left: 3 },
      maxObjectSize: 7 << 20,
      attachment: true,
    })
    expect(expires).toBe(end)
    expect(notBefore).toBeLessThan(now)
  })

  test('shortly, where it says little', async () => {
    const { now, expires, ...rest } = (await show(house.mint({ jti: 'short' }))).json()
    expect(rest).toEqual({ id: 'short', methods: ['GET'], paths: ['/'], maxObjectSize: 7 << 20 })
    expect(expires).toBeGreaterThan(now)
  })

  test('in the query and by cookie as well, but not with a second one', async () => {
    const key = house.mint({})
    const url = `${house.gateway.url}/-/key`
    expect((await ask(`${url}?vk=${key}`)).status).toBe(200)
    expect((await ask(url, { headers: { cookie: `a=b; vk=${key}` } })).status).toBe(200)
    expect((await show(key, { headers: { cookie: `vk=${key}` } })).code).toBe('key_ambiguous')
    expect(await show(key, { method: 'HEAD' })).toMatchObject({ status: 200, code: undefined })
  })
})

test('looking costs no use, and what others used is told', async () => {
  const key = house.mint({ uses: 2, path: 'bucket/' })
  const left = async () => (await show(key)).json().uses
  expect(await left()).toEqual({ most: 2, left: 2 })
  await ask(house.url('bucket/a', key))
  expect(await left()).toEqual({ most: 2, left: 1 })
  const once = house.narrow(key, { jti: 'own', uses: 1 })
  await ask(house.url('bucket/a', once))
  expect(await left()).toEqual({ most: 2, left: 0 })
  expect((await show(once)).json().uses).toEqual({ most: 2, left: 0 })
  expect((await ask(house.url('bucket/a', key))).code).toBe('uses_exhausted')
})

describe('is refused as any request', () => {
  test.each<[string, Partial<FirstBlock>]>([
    ['key_expired', { exp: 1 }],
    ['key_not_yet_valid', { nbf: 4_000_000_000, exp: 4_000_000_001 }],
    ['address_not_granted', { ip: ['192.0.2.0/24'] }],
    ['tls_required', { tls: true }],
    ['header_not_granted', { headers: { 'X-Team': 'blue' } }],
  ])('%s', async (code, claims) => {
    const key = house.mint(claims)
    const [shown, got] = [await show(key), await ask(house.url('bucket/a', key))]
    const { requestId: _, ...problem } = shown.json()
    expect(problem).toMatchObject({ code, status: got.status, detail: got.json().detail })
  })

  test('origin_not_granted, to a page of another origin', async () => {
    const key = house.mint({ origins: ['https://app.example.com'] })
    const from = (origin: string) => show(key, { headers: { origin } })
    expect((await from('https://evil.example.com')).code).toBe('origin_not_granted')
    const { status, headers } = await from('https://app.example.com')
    expect(status).toBe(200)
    expect(headers['access-control-allow-origin']).toBe('https://app.example.com')
  })

  test('key_revoked: the id, or every path that it covers', async () => {
    const key = house.mint({ path: ['gone/', 'bucket/here'] })
    const revoke = (value: string) =>
      house.ledger.revoke([
        { kind: 'path', value: value as Scope, mintedUpTo: house.now(), revokedAt: house.now() },
      ])
    await revoke('gone/')
    expect((await show(key)).json().paths).toEqual(['bucket/here'])
    await revoke('bucket/here')
    expect((await show(key)).code).toBe('key_revoked')

    const other = house.mint({ jti: 'revoked-id' })
    await house.ledger.revoke([{ kind: 'id', value: 'revoked-id', revokedAt: house.now() }])
    expect((await show(other)).code).toBe('key_revoked')
  })

  test('path_not_granted, where its blocks have nothing in common', async () => {
    const key = house.narrow(house.mint({ path: 'one/' }), { path: 'two/' })
    expect((await show(key)).code).toBe('path_not_granted')
  })

  test('signature_invalid and key_missing, before anything else is said', async () => {
    const expired = house.mint({ exp: 1 })
    const forged = expired.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))
    expect((await show(forged)).code).toBe('signature_invalid')
    expect((await ask(`${house.gateway.url}/-/key`)).code).toBe('key_missing')
  })
})

test('other methods are not served, and it says which are', async () => {
  const { status, code, headers } = await show(house.mint({}), { method: 'PUT', body: '{}' })
  expect([status, code, headers.allow]).toEqual([405, 'method_not_allowed', 'GET, HEAD, OPTIONS'])
})

test('below a path that a proxy leaves', async () => {
  const below = await openHouse({ gateway: { basePath: '/files' } })
  try {
    const headers = { authorization: `Bearer ${below.mint({})}` }
    const codeAt = async (path: string) => {
      const { status, code } = await ask(below.gateway.url + path, { headers })
      return code ?? status
    }
    expect(await codeAt('/files/-/key')).toBe(200)
    expect(await codeAt('/-/key')).toBe('path_malformed')
    expect(await codeAt('/files/-/keys')).toBe('resource_not_found')
  } finally {
    await below.close()
  }
})
