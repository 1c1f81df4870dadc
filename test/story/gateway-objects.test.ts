/** An object's life: uploaded, read whole and in part, asked about, listed, deleted, expired. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unixSeconds } from '../../key/units.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { digest, isSame, pattern } from '../support/store.ts'

let house: House
let all: string
/** a clock that stands still but for what is added, in seconds */
const start = Math.floor(Date.now() / 1000)
let ahead = 0

beforeAll(async () => {
  const now = () => unixSeconds(start + ahead)
  house = await openHouse({ clock: { now } })
  all = house.mint({ exp: house.now() + 86_400, methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
})
afterAll(() => house.close())

const put = (path: string, body: string | Uint8Array, headers = {}, key = all) =>
  ask(house.url(path, key), { method: 'PUT', body, headers })

const base64 = (content: string | Uint8Array, algorithm = 'sha256'): string =>
  createHash(algorithm).update(content).digest('base64')

describe('an upload', () => {
  test('is created, then replaced, and says what was stored', async () => {
    const created = await put('bucket/made/a.txt', 'one', { 'content-type': 'text/plain' })
    expect(created.status).toBe(201)
    const sha256 = digest(Buffer.from('one'))
    expect(created.json()).toEqual({
      path: 'bucket/made/a.txt',
      size: 3,
      type: 'text/plain',
      etag: `"${sha256}"`,
      sha256,
    })
    expect(created.headers).toMatchObject({
      etag: `"${sha256}"`,
      location: '/bucket/made/a.txt',
      'content-type': 'application/json',
      'cache-control': 'private, no-store',
    })
    const replaced = await put('bucket/made/a.txt', 'two')
    expect(replaced.status).toBe(200)
    expect(replaced.json().type).toBe('application/octet-stream')
    const read = await ask(house.url('bucket/made/a.txt', all))
    expect([read.text(), read.headers.etag]).toEqual(['two', replaced.headers.etag])
  })

  test('of nothing is an object of no bytes', async () => {
    expect((await put('bucket/made/empty', '')).status).toBe(201)
    const read = await ask(house.url('bucket/made/empty', all))
    expect([read.status, read.headers['content-length'], read.body.length]).toEqual([200, '0', 0])
    const part = await ask(house.url('bucket/made/empty', all), { headers: { range: 'bytes=0-' } })
    expect([part.status, part.headers['content-range']]).toEqual([416, 'bytes */0'])
  })

  test('is deleted, also when there is nothing', async () => {
    await put('bucket/made/gone', 'x')
    for (let i = 0; i < 2; i += 1) {
      const deleted = await ask(house.url('bucket/made/gone', all), { method: 'DELETE' })
      expect([deleted.status, deleted.body.length]).toEqual([204, 0])
    }
    expect((await ask(house.url('bucket/made/gone', all))).code).toBe('object_not_found')
  })

  test('ends when its key said it should', async () => {
    const brief = house.mint({ methods: ['PUT'], ttl: 100 })
    await put('bucket/made/brief', 'x', {}, brief)
    expect((await ask(house.url('bucket/made/brief', all))).status).toBe(200)
    ahead += 100
    expect((await ask(house.url('bucket/made/brief', all))).code).toBe('object_not_found')
    const { objects } = (await ask(house.url('bucket/made/', all))).json()
    expect(objects.map(({ path }: { path: string }) => path)).not.toContain('bucket/made/brief')
  })
})

describe('a served object', () => {
  test('carries the headers that keep it from acting as a page', async () => {
    await put('bucket/served/a.bin', 'hello')
    const { headers } = await ask(house.url('bucket/served/a.bin', all))
    expect(headers['last-modified']).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    for (const volatile of ['date', 'last-modified', 'x-request-id', 'connection']) {
      expect(headers[volatile]).toBeDefined()
      delete headers[volatile]
    }
    expect(headers).toEqual({
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-store',
      'content-disposition': 'attachment; filename=a.bin',
      'content-length': '5',
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      'content-type': 'application/octet-stream',
      'cross-origin-resource-policy': 'same-site',
      etag: `"${digest(Buffer.from('hello'))}"`,
      'referrer-policy': 'no-referrer',
      'repr-digest': `sha-256=:${base64('hello')}:`,
      'x-content-type-options': 'nosniff',
    })
  })

  test('answers HEAD with the headers of GET and no body', async () => {
    await put('bucket/served/head', 'hello')
    const url = house.url('bucket/served/head', all)
    const [get, head] = [await ask(url), await ask(url, { method: 'HEAD' })]
    expect([head.status, head.body.length]).toEqual([200, 0])
    for (const own of ['x-request-id', 'date']) {
      delete get.headers[own]
      delete head.headers[own]
    }
    expect(head.headers).toEqual(get.headers)
  })

  test.each([
    ['image/png', 'inline'],
    ['image/jpeg', 'inline'],
    ['video/mp4', 'inline'],
    ['text/plain; charset=utf-8', 'inline'],
    ['text/plain; charset="utf-8";', 'inline'],
    ['video/mp4; codecs="avc1.42E01E, mp4a.40.2"', 'inline'],
    ['text/plain; a="\\", text/html"', 'attachment'],
    [`text/plain; a=';b="'x, text/html"`, 'attachment'],
    ['application/pdf', 'inline'],
    ['text/html', 'attachment'],
    ['TEXT/HTML', 'attachment'],
    ['image/svg+xml', 'attachment'],
    ['application/xhtml+xml', 'attachment'],
    ['text/xml', 'attachment'],
    ['text/javascript', 'attachment'],
    ['application/octet-stream', 'attachment'],
  ])('of type %s is %s', async (type, disposition) => {
    await put('bucket/served/shown', '<script>alert(1)</script>', { 'content-type': type })
    const plain = await ask(house.url('bucket/served/shown', all))
    expect(plain.headers['content-disposition']).toMatch(new RegExp(`^${disposition};`))
    const orders = [
      'inline',
      'INLINE; filename="x"',
      ' inline',
      '',
      'filename=x',
      'inline ;x=y',
      '"inline"',
    ]
    for (const stated of orders) {
      const key = house.mint({ respond: { 'content-disposition': stated } })
      const { headers } = await ask(house.url('bucket/served/shown', key))
      if (disposition === 'attachment') {
        expect(headers['content-disposition']).toMatch(/^attachment;/)
      } else expect(headers['content-disposition']).toBe(stated.trim())
    }
  })

  test('is given the headers that the key states, but never scripts inline', async () => {
    await put('bucket/served/page', '<h1>hello</h1>', { 'content-type': 'text/html' })
    const key = house.mint({
      respond: {
        'content-type': 'text/html; charset=utf-8',
        'content-disposition': 'inline',
        'content-language': 'de',
        'content-encoding': 'identity',
        expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
      },
    })
    const { headers } = await ask(house.url('bucket/served/page', key))
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-disposition': 'attachment; filename=page',
      'content-language': 'de',
      'content-encoding': 'identity',
      expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    })
    const renamed = house.mint({
      respond: { 'content-disposition': 'attachment; filename="b.txt"' },
    })
    expect(
      (await ask(house.url('bucket/served/page', renamed))).headers['content-disposition'],
    ).toBe('attachment; filename="b.txt"')
    const first = house.narrow(renamed, {
      respond: { 'content-disposition': 'attachment; filename="c"' },
    })
    expect((await ask(house.url('bucket/served/page', first))).headers['content-disposition']).toBe(
      'attachment; filename="b.txt"',
    )
  })

  test.each([
    ['max-age=60', 'max-age=60'],
    ['public, max-age=99999999999999999999999', 'public, max-age=900'],
    ['PUBLIC, Max-Age = "5000" , s-maxage=4000', 'PUBLIC, Max-Age=900, s-maxage=900'],
    ['public', 'public, max-age=900'],
    ['no-cache', 'no-cache, max-age=900'],
    ['no-store', 'no-store'],
    ['max-age=10, stale-while-revalidate=86400, stale-if-error=86400', 'max-age=10'],
    ['max-age=abc', 'max-age=900'],
    ['max-age=-1, immutable', 'immutable, max-age=900'],
    ['private="x, max-age=99999"', 'private="x, max-age=900'],
    ['no-store-not', 'no-store-not, max-age=900'],
  ])('is cached no longer than the key lives: %s', async (stated, sent) => {
    await put('bucket/served/cached', 'x')
    const key = house.mint({ exp: house.now() + 900, respond: { 'cache-control': stated } })
    const { headers } = await ask(house.url('bucket/served/cached', key))
    expect(headers['cache-control']).toBe(sent)
  })

  test('is cached no longer than it lives itself', async () => {
    await put('bucket/served/mortal', 'x', {}, house.mint({ methods: ['PUT'], ttl: 50 }))
    const key = house.mint({ respond: { 'cache-control': 'public' } })
    const { headers } = await ask(house.url('bucket/served/mortal', key))
    expect(headers['cache-control']).toBe('public, max-age=50')
  })
})

describe('a name', () => {
  const names = [
    'bücher/größe 1+1=2.txt',
    'emoji-😀.png',
    'a b  c',
    'q"uo\'te<>&;.html',
    'per%20cent%2F.txt',
    'plus+plus',
    'semi;colon=,@:!$()*~',
    '-rf',
    '...',
    'e\u0301',
    '\u202egnp.exe',
    '<script>alert(1)</script>',
  ]

  test.each(names)('is kept as it is: %s', async (name) => {
    const path = `bucket/names/${name}`
    const stored = await put(path, name)
    expect([stored.status, stored.json().path]).toEqual([201, path])
    const read = await ask(`${house.gateway.url}${stored.headers.location}?vk=${all}`)
    expect(read.text()).toBe(name)
    const { objects } = (await ask(house.url('bucket/names/', all))).json()
    expect(objects.map((object: { path: string }) => object.path)).toContain(path)
  })

  test('with an encoded slash is the same as with a plain one', async () => {
    await put('bucket/slash/a', 'x')
    const encoded = `${house.gateway.url}/bucket/slash%2Fa?vk=${all}`
    expect((await ask(encoded)).status).toBe(200)
    const key = house.mint({ path: 'bucket/other/' })
    expect((await ask(`${house.gateway.url}/bucket/slash%2Fa?vk=${key}`)).code).toBe(
      'path_not_granted',
    )
  })

  test('with + is not a space, and differs from the composed form of itself', async () => {
    await put('bucket/form/a+b', 'plus')
    await put('bucket/form/a b', 'space')
    await put('bucket/form/\u00e9', 'composed')
    await put('bucket/form/e\u0301', 'decomposed')
    const read = async (target: string) =>
      (await ask(`${house.gateway.url}/bucket/form/${target}?vk=${all}`)).text()
    expect(await read('a+b')).toBe('plus')
    expect(await read('a%20b')).toBe('space')
    expect(await read('%C3%A9')).toBe('composed')
    expect(await read('e%CC%81')).toBe('decomposed')
  })

  test('covers itself alone, and a prefix only what is beneath it', async () => {
    await put('bucket/scope/a', '1')
    await put('bucket/scope/ab', '2')
    await put('bucket/scope/a/b', '3')
    const exact = house.mint({ path: 'bucket/scope/a' })
    const beneath = house.mint({ path: 'bucket/scope/a/' })
    const statuses = async (key: string) => {
      const paths = ['bucket/scope/a', 'bucket/scope/ab', 'bucket/scope/a/b']
      return Promise.all(paths.map(async (path) => (await ask(house.url(path, key))).status))
    }
    expect(await statuses(exact)).toEqual([200, 403, 403])
    expect(await statuses(beneath)).toEqual([403, 403, 200])
  })
})

describe('a large object', () => {
  test.each([
    ['in the index', 60_000],
    ['in one block', 200_000],
    ['in several blocks', 700_001],
  ])('%s comes back byte by byte, whole and in parts', async (_, size) => {
    const content = pattern(size)
    const path = `bucket/large/${size}`
    const stored = await put(path, content)
    expect(stored.json().sha256).toBe(digest(content))
    expect(isSame((await ask(house.url(path, all))).body, content)).toBe(true)
    for (const [start, end] of [
      [0, 1],
      [1, size - 1],
      [size - 1, size],
      [262_143, 262_145],
    ] as const) {
      if (end > size) continue
      const part = await ask(house.url(path, all), {
        headers: { range: `bytes=${start}-${end - 1}` },
      })
      expect(part.status).toBe(206)
      expect(part.headers['content-range']).toBe(`bytes ${start}-${end - 1}/${size}`)
      expect(isSame(part.body, content.subarray(start, end))).toBe(true)
    }
  })
})
