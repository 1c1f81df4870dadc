/** What arrives need not be HTTP, nor a path that an object can have. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { outcome } from '../support/outcome.ts'
import { exchangeRaw, headOf, RawConnection } from '../support/raw.ts'

let house: House
let key: string

beforeAll(async () => {
  house = await openHouse()
  key = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
  await ask(house.url('bucket/a', key), { method: 'PUT', body: 'content' })
})
afterAll(() => house.close())

const send = (data: string) => exchangeRaw(house.gateway.port, data)
const get = (target: string, headers: string[] = []) => send(headOf('GET', target, headers))
const signed = (path: string) => `${path}?vk=${key}`
const many = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at))

describe('a request line', () => {
  test.each([
    ['GET', '400 request_malformed'],
    ['GET /bucket/a', '400 request_malformed'],
    ['GET /bucket/a HTTP/2.0', '400 request_malformed'],
    ['GET /bucket/a HTTP/9.9', '400 request_malformed'],
    ['GET /bucket/a HTP/1.1', '400 request_malformed'],
    ['GET  /bucket/a HTTP/1.1', '401 key_missing'],
    ['GET /bucket/a b HTTP/1.1', '400 request_malformed'],
    ['GET bucket/a HTTP/1.1', '400 request_malformed'],
    ['GET /bucket/\0a HTTP/1.1', '400 request_malformed'],
    ['G\0T /bucket/a HTTP/1.1', '400 request_malformed'],
    ['get /bucket/a HTTP/1.1', '400 request_malformed'],
    ['FETCH /bucket/a HTTP/1.1', '400 request_malformed'],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400 request_malformed'],
    ['CONNECT files.example:443 HTTP/1.1', '405 method_not_allowed'],
    ['POST /bucket/a HTTP/1.1', '405 method_not_allowed'],
    ['PATCH /bucket/a HTTP/1.1', '405 method_not_allowed'],
    ['TRACE /bucket/a HTTP/1.1', '405 method_not_allowed'],
    ['PROPFIND /bucket/a HTTP/1.1', '405 method_not_allowed'],
    ['PURGE /bucket/a HTTP/1.1', '405 method_not_allowed'],
    ['GET * HTTP/1.1', '400 path_malformed'],
    ['OPTIONS * HTTP/1.1', '204'],
  ])('%j is %s', async (line, expected) => {
    expect(outcome(await send(`${line}\r\nHost: files.example\r\n\r\n`))).toBe(expected)
  })

  test('whose body ends with the connection says so', async () => {
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(`${headOf('PUT', signed('/bucket/half'), ['Content-Length: 10'])}half`)
    connection.socket.end()
    expect(outcome(await connection.response())).toBe('400 incomplete_body')
    connection.destroy()
  })

  test('says which methods are served', async () => {
    const response = await send(headOf('POST', '/bucket/a'))
    expect(response?.headers.get('allow')).toBe('GET, HEAD, PUT, DELETE, OPTIONS')
  })

  test('in absolute form is read as RFC 9112 demands', async () => {
    for (const origin of ['http://files.example', 'HTTPS://other.example:8443']) {
      expect(outcome(await get(`${origin}${signed('/bucket/a')}`))).toBe('200')
    }
    expect(outcome(await get(`http://files.example?vk=${key}`))).toBe('200')
    expect(outcome(await get(`ftp://files.example${signed('/bucket/a')}`))).not.toBe('200')
  })

  test.each([
    [8192, '404 object_not_found'],
    [8193, '414 uri_too_long'],
    [12_000, '414 uri_too_long'],
    [17_000, '431 headers_too_large'],
    [200_000, '431 headers_too_large'],
  ])('with a target of %i characters is %s', async (length, expected) => {
    const start = `${signed('/bucket/absent')}&pad=`
    expect(outcome(await get(start.padEnd(length, 'x')))).toBe(expected)
  })

  test.each([
    [64, '200'],
    [65, '400 request_malformed'],
    [2000, '400 request_malformed'],
  ])('with %i query parameters is %s', async (count, expected) => {
    const target = `${signed('/bucket/a')}&${many(count - 1, (at) => `a${at % 10}`).join('&')}`
    expect(outcome(await get(target))).toBe(expected)
  })

  test("may have parameters that are nobody's business", async () => {
    for (const extra of [
      'utm_source=x&fbclid=y',
      'a=%',
      'a=%zz',
      '%ff=%fe',
      '=',
      '&&&',
      'VK=x',
      'vk%00=1',
    ]) {
      expect([extra, outcome(await get(`${signed('/bucket/a')}&${extra}`))]).toEqual([extra, '200'])
    }
  })
})

describe('a path', () => {
  const hostile = [
    '/bucket/../a',
    '/bucket/%2e%2e/a',
    '/bucket/%2E./a',
    '/bucket/.%2e/a',
    '/bucket/./a',
    '/bucket/%2e/a',
    '/bucket/..%2fa',
    '/bucket/a/..',
    '/bucket/a/.',
    '/..',
    '/../../etc/passwd',
    '/%2e%2e%2fetc/passwd',
    '/bucket//a',
    '//bucket/a',
    '/bucket/a//',
    '/bucket%2f%2fa',
    '/bucket/\\a',
    '/bucket/%5ca',
    '/bucket\\a',
    '/bucket/..\\a',
    '/bucket/%00',
    '/bucket/a%00.png',
    '/bucket/%0d%0aSet-Cookie:x',
    '/bucket/%7f',
    '/bucket/%c2%85',
    '/bucket/%ff',
    '/bucket/%c0%ae%c0%ae/a',
    '/bucket/%c0%af',
    '/bucket/%ed%a0%80',
    '/bucket/%ed%b0%80',
    '/bucket/%f5%80%80%80',
    '/bucket/%e0%80%af',
    '/bucket/%',
    '/bucket/%2',
    '/bucket/%zz',
    '/bucket/%u002e',
    '/bucket/a#b',
    '/b/a',
    '/BUCKET/a',
    '/buc_ket/a',
    '/-bucket/a',
    '/bucket',
    '/%2D/health',
    '/-',
    '/-/../bucket/a/..',
    `/bucket/${'x'.repeat(1018)}`,
    `/bucket/${'%C3%BC'.repeat(509)}a`,
    '/bucket/\xfc',
    '/bücket/a',
  ]

  test.each(hostile)('%s is no path', async (path) => {
    const expected = path.startsWith('/-/') ? '404 resource_not_found' : '400 path_malformed'
    expect(outcome(await get(signed(path)))).toMatch(
      path.includes('\xfc') || path.includes('#')
        ? /^400 (?:path|request)_malformed$/
        : new RegExp(`^${expected}$`),
    )
  })

  test('is decoded once', async () => {
    expect(outcome(await get(signed('/bucket/%61')))).toBe('200')
    expect(outcome(await get(signed('/bucket/%2561')))).toBe('404 object_not_found')
    expect(outcome(await get(signed('/bucket/%252e%252e/a')))).toBe('404 object_not_found')
    expect(outcome(await get(signed('/bucket/...')))).toBe('404 object_not_found')
    expect(outcome(await get(signed(`/bucket/${'x'.repeat(1017)}`)))).toBe('404 object_not_found')
  })

  test('of a folder is no object', async () => {
    for (const method of ['PUT', 'DELETE']) {
      const response = await send(headOf(method, signed('/bucket/a/'), ['Content-Length: 0']))
      expect(outcome(response)).toBe('400 path_malformed')
    }
  })
})

describe('below /-/', () => {
  test.each([
    ['GET', '/-/health', [], '200'],
    ['HEAD', '/-/health', [], '200'],
    ['GET', '/-/ready?x=y', [], '200'],
    ['GET', '/-/nothing', [], '404 resource_not_found'],
    ['POST', '/-/health', ['Content-Length: 100000000'], '404 resource_not_found'],
    ['GET', '/-/../bucket/a', [], '404 resource_not_found'],
    ['GET', '/-/%2e%2e/bucket/a', [], '404 resource_not_found'],
    ['GET', '/-//bucket/a', [], '404 resource_not_found'],
    ['GET', '/-/health', many(101, (at) => `h${at}: 1`), '431 headers_too_large'],
    ['GET', `/-/${'x'.repeat(9000)}`, [], '414 uri_too_long'],
  ] as [string, string, string[], string][])('%s %s', async (method, target, headers, expected) => {
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(headOf(method, target, headers))
    expect(outcome(await connection.response({ head: method === 'HEAD' }))).toBe(expected)
    connection.destroy()
  })

  test('a probe needs no Host, and a wrong one does no harm', async () => {
    expect(outcome(await send('GET /-/ready HTTP/1.0\r\n\r\n'))).toBe('200')
    expect(outcome(await send('GET /-/ready HTTP/1.1\r\nHost: [/@\r\n\r\n'))).toBe('200')
    expect(outcome(await send('GET /-/ready HTTP/1.1\r\n\r\n'))).toBe('400 request_malformed')
  })
})
