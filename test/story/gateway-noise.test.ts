/** Whatever arrives, it is never a fault of ours. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'

let house: House
let key: string

beforeAll(async () => {
  house = await openHouse()
  key = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
  await ask(house.url('bucket/a', key), { method: 'PUT', body: 'content' })
})
afterAll(() => house.close())

const signed = (path: string) => `${path}?vk=${key}`

describe('no noise', () => {
  const check = async (text: string): Promise<void> => {
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(text)
    connection.socket.end()
    const response = await connection.response({ head: true })
    connection.destroy()
    if (response !== undefined) expect([text, response.status < 500]).toEqual([text, true])
  }
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
  const noise = fc.array(byte, { maxLength: 60 }).map((bytes) => bytes.join(''))
  const piece = fc.oneof(
    noise,
    fc.constantFrom(
      '/',
      '..',
      '%2e',
      '%',
      '%00',
      '\\',
      '?',
      '&',
      '=',
      'vk',
      '#',
      '/-/',
      'bucket',
      '//',
      ';',
      ':',
      '@',
      '[',
      'http://',
    ),
  )
  const word = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''))
  const method = fc.constantFrom(
    'GET',
    'HEAD',
    'PUT',
    'DELETE',
    'OPTIONS',
    'POST',
    'CONNECT',
    'M-SEARCH',
  )
  const name = fc.constantFrom(
    'Range',
    'If-Match',
    'If-None-Match',
    'If-Range',
    'If-Modified-Since',
    'Content-Type',
    'Content-MD5',
    'Content-Digest',
    'Repr-Digest',
    'Authorization',
    'Cookie',
    'Origin',
    'Accept',
    'Expect',
    'Content-Length',
    'Transfer-Encoding',
    'Content-Encoding',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'Access-Control-Request-Headers',
    'Connection',
    'Upgrade',
  )

  test('as a target is a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(method, word, (verb, target) => check(headOf(verb, `/${target}`))),
      { numRuns: 150 },
    )
  })

  test('in the path or the query of a good key is a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(method, word, word, (verb, path, query) =>
        check(headOf(verb, `/bucket/${encodeURI(path)}?${encodeURI(query)}&vk=${key}`)),
      ),
      { numRuns: 150 },
    )
  })

  test('as a header is a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(
        method,
        fc.array(fc.tuple(name, word), { maxLength: 4 }),
        (verb, headers) => {
          const lines = headers.map(
            ([header, value]) => `${header}: ${value.replace(/[\r\n]/g, '')}`,
          )
          return check(headOf(verb, signed('/bucket/fuzz'), lines))
        },
      ),
      { numRuns: 200 },
    )
  })

  test('on the wire is a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(noise, { maxLength: 10 }), (parts) => check(parts.join('\r\n'))),
      { numRuns: 100 },
    )
    expect(house.logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })
})
