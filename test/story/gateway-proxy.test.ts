/** Behind a reverse proxy: a key verifies whatever the proxy changes, and only trusted ones are believed. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { gateway, publicUrl } from '../../cli/doctor/network.ts'
import type { GatewaySettingsText } from '../../gateway/config.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import {
  type Front,
  hasNginx,
  type ProxyOptions,
  startNginx,
  startProxy,
} from '../support/proxy.ts'
import { isSame, pattern } from '../support/store.ts'

const houses = new Map<string, Promise<House>>()
const fronted: Front[] = []

afterEach(async () => {
  for (const front of fronted.splice(0)) await front.close()
})
afterAll(async () => {
  for (const house of houses.values()) await (await house).close()
})

/** One house for each of its settings. */
function houseWith(gateway: GatewaySettingsText): Promise<House> {
  const name = JSON.stringify(gateway)
  const house = houses.get(name) ?? furnished(gateway)
  houses.set(name, house)
  return house
}

async function furnished(gateway: GatewaySettingsText): Promise<House> {
  const house = await openHouse({ gateway })
  const key = house.mint({ methods: ['PUT'] })
  const base = gateway.basePath ?? ''
  const url = `${house.gateway.url}${base}/bucket/a%20b?vk=${key}`
  await ask(url, { method: 'PUT', body: 'content' })
  return house
}

async function proxied(front: Promise<Front>): Promise<Front> {
  const started = await front
  fronted.push(started)
  return started
}

describe('a key', () => {
  /** Where the object is seen from outside, and what stands in front of the gateway. */
  const fronts: [string, string, string, (port: number) => Promise<Front>][] = [
    [
      'another host and port',
      '',
      '',
      (to) => startProxy({ to, headers: { host: 'inner.example' } }),
    ],
    ['a prefix that is taken off', '', '/files', (to) => startProxy({ to, strip: '/files' })],
    ['a prefix that stays', '/files', '/files', (to) => startProxy({ to })],
  ]
  if (hasNginx()) {
    fronts.push(
      ['nginx', '', '', (to) => startNginx(to, 'location / { proxy_pass http://127.0.0.1:PORT; }')],
      [
        'nginx with HTTP/1.1',
        '',
        '',
        (to) =>
          startNginx(
            to,
            'location / { proxy_http_version 1.1; proxy_request_buffering off; proxy_set_header Host $host; proxy_pass http://127.0.0.1:PORT; }',
          ),
      ],
      [
        'nginx with a prefix that stays',
        '/files',
        '/files',
        (to) => startNginx(to, 'location /files/ { proxy_pass http://127.0.0.1:PORT; }'),
      ],
    )
  }

  test.each(fronts)('verifies behind %s', async (_, basePath, prefix, front) => {
    const house = await houseWith({ basePath })
    const { url } = await proxied(front(house.gateway.port))
    const key = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
    const at = (path: string) => `${url}${prefix}${path}?vk=${key}`
    expect((await ask(at('/bucket/a%20b'))).text()).toBe('content')
    const large = pattern(3 << 20)
    const stored = await ask(at('/bucket/large'), { method: 'PUT', body: large })
    expect([stored.status, stored.headers.location]).toEqual([201, `${basePath}/bucket/large`])
    expect(isSame((await ask(at('/bucket/large'))).body, large)).toBe(true)
    const part = await ask(at('/bucket/large'), { headers: { range: 'bytes=1-2' } })
    expect([part.status, part.headers['content-range']]).toEqual([206, `bytes 1-2/${large.length}`])
    expect((await ask(at('/bucket/'))).json().objects).toHaveLength(2)
    expect((await ask(at('/bucket/large'), { method: 'DELETE' })).status).toBe(204)
    expect((await ask(`${url}${prefix}/bucket/a%20b`)).code).toBe('key_missing')
    expect((await ask(`${url}${prefix}/-/ready`)).status).toBe(200)
  })

  test('is looked for below the base path only', async () => {
    const house = await houseWith({ basePath: '/files' })
    const key = house.mint({})
    const codeAt = async (path: string) => (await ask(`${house.gateway.url}${path}?vk=${key}`)).code
    expect(await codeAt('/bucket/a%20b')).toBe('path_malformed')
    expect(await codeAt('/filesbucket/a')).toBe('path_malformed')
    expect(await codeAt('/files/files/a%20b')).toBe('object_not_found')
    expect(await codeAt('/files/bucket/a%20b')).toBeUndefined()
    expect((await ask(`${house.gateway.url}/-/health`)).status).toBe(200)
  })
})

describe('what a proxy says of the client', () => {
  const ip = ['203.0.113.0/24', '2001:db8::/32']
  const codeWith = async (
    house: House,
    claims: Parameters<House['mint']>[0],
    headers: Record<string, string>,
  ) => (await ask(house.url('bucket/a b', house.mint(claims)), { headers })).code ?? 'served'

  test.each<[string, Record<string, string>, string]>([
    ['one hop', { 'x-forwarded-for': '203.0.113.7' }, 'served'],
    ['version 6', { 'x-forwarded-for': '2001:db8::1' }, 'served'],
    ['with a port', { 'x-forwarded-for': '203.0.113.7:4711' }, 'served'],
    ['version 6 with a port', { 'x-forwarded-for': '[2001:db8::1]:4711' }, 'served'],
    ['mapped', { 'x-forwarded-for': '::ffff:203.0.113.7' }, 'served'],
    ['through two trusted proxies', { 'x-forwarded-for': '203.0.113.7, 10.0.0.1' }, 'served'],
    [
      'through a mapped trusted proxy',
      { 'x-forwarded-for': '203.0.113.7, ::ffff:10.0.0.1' },
      'served',
    ],
    [
      'forged by the client',
      { 'x-forwarded-for': '203.0.113.7, 198.51.100.1' },
      'address_not_granted',
    ],
    [
      'forged through two',
      { 'x-forwarded-for': '203.0.113.7, 198.51.100.1, 10.0.0.1' },
      'address_not_granted',
    ],
    ['junk last', { 'x-forwarded-for': '203.0.113.7, unknown' }, 'address_not_granted'],
    ['nothing', {}, 'address_not_granted'],
    ['empty', { 'x-forwarded-for': '' }, 'address_not_granted'],
    ['a header that is none of ours', { forwarded: 'for=203.0.113.7' }, 'address_not_granted'],
    ['another header', { 'x-real-ip': '203.0.113.7' }, 'address_not_granted'],
  ])('%s: %o', async (_, headers, expected) => {
    const trusting = await houseWith({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] })
    expect(await codeWith(trusting, { ip }, headers)).toBe(expected)
    // the same from a stranger is hearsay
    const wary = await houseWith({ trustedProxies: ['10.0.0.0/8'] })
    expect(await codeWith(wary, { ip }, headers)).toBe('address_not_granted')
    expect(await codeWith(wary, { ip: ['127.0.0.0/8'] }, headers)).toBe('served')
  })

  test.each<[string, string]>([
    ['https', 'served'],
    ['HTTPS', 'served'],
    ['http', 'tls_required'],
    ['https,http', 'tls_required'],
    ['', 'tls_required'],
  ])('that it came over %s', async (scheme, expected) => {
    const headers = { 'x-forwarded-proto': scheme }
    const trusting = await houseWith({ trustedProxies: ['127.0.0.0/8'] })
    expect(await codeWith(trusting, { tls: true }, headers)).toBe(expected)
    const wary = await houseWith({})
    expect(await codeWith(wary, { tls: true }, headers)).toBe('tls_required')
  })

  test('is in the log', async () => {
    const house = await houseWith({ trustedProxies: ['127.0.0.1'] })
    await codeWith(house, {}, { 'x-forwarded-for': '203.0.113.7' })
    expect(house.logged.at(-1)?.address).toBe('203.0.113.7')
  })
})

describe('doctor', () => {
  const found = async (house: House, options: Partial<ProxyOptions>, isServing = true) => {
    const front = await proxied(startProxy({ to: house.gateway.port, ...options }))
    const mint = (claims: object): string =>
      house.mint({ methods: ['GET'], path: 'doctor-probe/', ...claims })
    const findings = await publicUrl(front.url, mint, isServing)
    return findings.map(({ check, status, detail }) => `${status} ${check}: ${detail}`)
  }

  test('finds that a proxy passes everything on', async () => {
    expect(await found(await houseWith({}), {})).toEqual([
      expect.stringMatching(/^ok public URL: .*honours our keys/),
      'ok proxy: every header that was tried arrives',
    ])
  })

  test('names the headers that a proxy keeps for itself', async () => {
    const headers = { authorization: undefined, range: undefined, 'if-none-match': undefined }
    const [, second] = await found(await houseWith({}), { headers })
    const lost = 'Authorization, Range, If-None-Match'
    expect(second).toBe(`fail proxy: these headers do not arrive: ${lost}`)
  })

  test('finds that another gateway answers, or nobody', async () => {
    const other = await openHouse()
    try {
      const house = await houseWith({})
      const [first, ...more] = await found(house, { to: other.gateway.port })
      expect(first).toMatch(/^fail public URL: .* does not honour a key minted here$/)
      expect(more).toEqual([])
      const mint = (claims: object): string => house.mint({ path: 'probe/', ...claims })
      expect((await gateway(house.gateway.url, mint)).status).toBe('ok')
      expect((await gateway(other.gateway.url, mint)).status).toBe('fail')
    } finally {
      await other.close()
    }
    const [unreached] = await found(await houseWith({}), { to: 9 })
    expect(unreached).toMatch(/^warn public URL: .* fails: /)
  })

  test('finds that the proxy answers itself, while the gateway is ready', async () => {
    const proxy = createServer((_, answer) => answer.writeHead(502).end()).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const [wrong] = await publicUrl(url, undefined, true)
    expect(wrong).toMatchObject({
      status: 'fail',
      detail: `${url}/-/ready answers with status 502`,
    })
    // nobody has started it yet
    expect(await publicUrl(url, undefined, false)).toMatchObject([{ status: 'warn' }])
    proxy.close()
  })
})
