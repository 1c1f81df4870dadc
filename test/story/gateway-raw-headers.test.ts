/** Headers, framing and keys that have two readings are refused, not repaired. */
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

describe('headers', () => {
  test.each([
    ['no Host', 'GET TARGET HTTP/1.1\r\n\r\n', '400 request_malformed'],
    ['no Host in HTTP/1.0', 'GET TARGET HTTP/1.0\r\n\r\n', '200'],
    ['two Hosts', 'GET TARGET HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', '400 request_malformed'],
    [
      'two equal Hosts',
      'GET TARGET HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'two ranges',
      'GET TARGET HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\nRange: bytes=1-1\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'a folded line',
      'GET TARGET HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'a space before the colon',
      'GET TARGET HTTP/1.1\r\nHost : a\r\n\r\n',
      '400 request_malformed',
    ],
    ['no colon', 'GET TARGET HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n', '400 request_malformed'],
    ['NUL in a value', 'GET TARGET HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n', '400 request_malformed'],
    ['a bare CR', 'GET TARGET HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n', '400 request_malformed'],
    [
      'a name that is none',
      'GET TARGET HTTP/1.1\r\nHost: a\r\nX(: 1\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'two types',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'two lengths',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
      '400 request_malformed',
    ],
    [
      'two equal lengths',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
      '400 request_malformed',
    ],
    [
      'a negative length',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'a signed length',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx',
      '400 request_malformed',
    ],
    [
      'a length in hex',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx',
      '400 request_malformed',
    ],
    [
      'a list of lengths',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx',
      '400 request_malformed',
    ],
    [
      'a length beyond counting',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'length and chunks',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'chunks and length',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'chunks in disguise',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'chunks not last',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'a vertical tab before chunked',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'an unknown expectation',
      'PUT TARGET HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 0\r\n\r\n',
      '400 request_malformed',
    ],
    [
      'an upgrade nobody offers',
      'GET TARGET HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      '200',
    ],
    [
      'an upgrade to HTTP/2',
      'GET TARGET HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
      '200',
    ],
    ['an odd Host', 'GET TARGET HTTP/1.1\r\nHost: ][/@ x\r\n\r\n', '200'],
    ['bytes above ASCII', 'GET TARGET HTTP/1.1\r\nHost: a\r\nX-Note: \xe4\xff\r\n\r\n', '200'],
  ])('with %s', async (_, text, expected) => {
    expect(outcome(await send(text.replace('TARGET', signed('/bucket/a'))))).toBe(expected)
    expect((await ask(house.url('bucket/a', key))).text()).not.toBe('')
    await ask(house.url('bucket/a', key), { method: 'PUT', body: 'content' })
  })

  test.each([
    [99, '200'],
    [100, '431 headers_too_large'],
    [1500, '431 headers_too_large'],
  ])('that are %i beside Host', async (count, expected) => {
    const headers = many(count, (at) => `h${at}: 1`)
    expect(outcome(await get(signed('/bucket/a'), headers))).toBe(expected)
  })

  test('of more than 16 KiB', async () => {
    expect(outcome(await get(signed('/bucket/a'), [`x: ${'y'.repeat(17_000)}`]))).toBe(
      '431 headers_too_large',
    )
    expect(
      outcome(
        await get(
          signed('/bucket/a'),
          many(5, (at) => `x${at}: ${'y'.repeat(4000)}`),
        ),
      ),
    ).toBe('431 headers_too_large')
  })

  test.each([
    ['5\r\nhello\r\nZ\r\n', '400 request_malformed'],
    ['-1\r\nx\r\n0\r\n\r\n', '400 request_malformed'],
    ['5\r\nhelloEXTRA\r\n0\r\n\r\n', '400 request_malformed'],
    ['FFFFFFFFFFFFFFFFFF\r\n', '400 request_malformed'],
    ['5 \r\nhello\r\n0\r\n\r\n', '400 request_malformed'],
    ['5\nhello\n0\n\n', '400 request_malformed'],
    ['5;name=value\r\nhello\r\n0\r\n\r\n', '201'],
    ['5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n', '201'],
    [`5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`, '400 request_malformed'],
  ])('before the chunks %j', async (chunks, expected) => {
    const path = '/bucket/chunked'
    for (const expect100 of [false, true]) {
      await ask(house.url('bucket/chunked', key), { method: 'DELETE' })
      const connection = await RawConnection.open(house.gateway.port)
      const headers = ['Transfer-Encoding: chunked', ...(expect100 ? ['Expect: 100-continue'] : [])]
      connection.send(headOf('PUT', signed(path), headers) + (expect100 ? '' : chunks))
      if (expect100) {
        expect((await connection.response())?.status).toBe(100)
        connection.send(chunks)
      }
      expect(outcome(await connection.response())).toBe(expected)
      connection.destroy()
      const stored = await ask(house.url('bucket/chunked', key))
      expect(stored.status).toBe(expected === '201' ? 200 : 404)
    }
  })
})

describe('the key', () => {
  test.each([
    ['missing', '/bucket/a', [], '401 key_missing'],
    ['empty', '/bucket/a?vk=', [], '400 key_malformed'],
    ['of another scheme', '/bucket/a', ['Authorization: Basic QTpC'], '401 key_missing'],
    ['of no scheme', '/bucket/a', ['Authorization: KEY'], '401 key_missing'],
    [
      'of an S3 scheme, which S3 answers in its own words',
      '/bucket/a',
      ['Authorization: AWS4-HMAC-SHA256 Credential=x'],
      '400',
    ],
    ['a bearer token', '/bucket/a', ['Authorization: Bearer KEY'], '200'],
    ['a bearer token in capitals', '/bucket/a', ['AUTHORIZATION: BEARER   KEY'], '200'],
    ['a cookie', '/bucket/a', ['Cookie: a=b; vk=KEY; c=d'], '200'],
    ['another cookie', '/bucket/a', ['Cookie: xvk=KEY'], '401 key_missing'],
    ['in the query twice', '/bucket/a?vk=KEY&vk=KEY', [], '400 key_ambiguous'],
    ['in the query twice, once encoded', '/bucket/a?vk=KEY&%76k=KEY', [], '400 key_ambiguous'],
    ['in query and header', '/bucket/a?vk=KEY', ['Authorization: Bearer KEY'], '400 key_ambiguous'],
    ['in query and cookie', '/bucket/a?vk=KEY', ['Cookie: vk=KEY'], '400 key_ambiguous'],
    [
      'in header and cookie',
      '/bucket/a',
      ['Authorization: Bearer KEY', 'Cookie: vk=KEY'],
      '400 key_ambiguous',
    ],
    ['in two cookies', '/bucket/a', ['Cookie: vk=KEY', 'Cookie: vk=KEY'], '400 key_ambiguous'],
    [
      'in two headers',
      '/bucket/a',
      ['Authorization: Bearer KEY', 'Authorization: Bearer KEY'],
      '400 key_ambiguous',
    ],
  ])('%s', async (_, target, headers, expected) => {
    const filled = headers.map((line) => line.replace('KEY', key))
    const response = await get(target.replaceAll('KEY', key), filled)
    expect(outcome(response)).toBe(expected)
    if (response?.status === 401) {
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="valetkey"')
    }
  })
})
