/** Parts of objects, RFC 9110 §14: against another implementation as oracle. */
import fc from 'fast-check'
import parseRange from 'range-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { isSame, pattern } from '../support/store.ts'

const SIZES = { inline: 1000, 'of one block': 100_000, 'of several blocks': 600_000 }
type Name = keyof typeof SIZES

let house: House
let key: string
const contents = new Map<Name, Uint8Array>()

beforeAll(async () => {
  house = await openHouse()
  key = house.mint({ methods: ['GET', 'PUT'] })
  for (const [name, size] of Object.entries(SIZES)) {
    const content = pattern(size)
    contents.set(name as Name, content)
    await ask(house.url(`bucket/${name}`, key), { method: 'PUT', body: content })
  }
})
afterAll(() => house.close())

const get = (name: string, range: string, headers = {}) =>
  ask(house.url(`bucket/${name}`, key), { headers: { range, ...headers } })

describe.each(Object.entries(SIZES) as [Name, number][])('an object %s', (name, size) => {
  const whole = (): Uint8Array => contents.get(name) ?? new Uint8Array()

  test.each([
    ['the first byte', 'bytes=0-0', 0, 1],
    ['the last byte', `bytes=${size - 1}-${size - 1}`, size - 1, size],
    ['an open end', 'bytes=10-', 10, size],
    ['a suffix', 'bytes=-10', size - 10, size],
    ['a suffix longer than the object', `bytes=-${size + 5}`, 0, size],
    ['an end beyond the end', `bytes=5-${size + 100}`, 5, size],
    ['an end beyond counting', 'bytes=5-99999999999999999999999', 5, size],
    ['all of it', `bytes=0-${size - 1}`, 0, size],
    ['blanks, and a unit in capitals', 'BYTES= 1-2 ', 1, 3],
  ])('gives %s', async (_, range, start, end) => {
    const part = await get(name, range)
    expect([part.status, part.headers['content-range'], part.headers['content-length']]).toEqual([
      206,
      `bytes ${start}-${end - 1}/${size}`,
      String(end - start),
    ])
    expect(isSame(part.body, whole().subarray(start, end))).toBe(true)
  })

  test.each([
    `bytes=${size}-`,
    `bytes=${size}-${size + 1}`,
    'bytes=-0',
    'bytes=99999999999999999999999-',
  ])('has nothing in %s', async (range) => {
    const none = await get(name, range)
    expect([none.status, none.code, none.headers['content-range']]).toEqual([
      416,
      'range_unsatisfiable',
      `bytes */${size}`,
    ])
  })

  test.each([
    'bytes=0-0,5-6',
    'bytes=0-0, -1',
    'lines=1-2',
    'bytes=',
    'bytes=-',
    'bytes=5-2',
    'bytes=a-b',
    'bytes=+1-2',
    'bytes=1.0-2',
    '1-2',
  ])('comes whole for %s, which is not served', async (range) => {
    const answer = await get(name, range)
    expect([answer.status, answer.headers['content-range'], answer.body.length]).toEqual([
      200,
      undefined,
      size,
    ])
  })
})

test('any one range is what another implementation makes of it', async () => {
  const position = fc.oneof(fc.nat(1100), fc.nat(10), fc.integer({ min: 990, max: 1010 }))
  const text = fc.oneof(
    fc.tuple(position, position).map(([a, b]) => `bytes=${a}-${b}`),
    position.map((a) => `bytes=${a}-`),
    // of a longer suffix the oracle says nothing is there; RFC 9110 §14.1.2 says all of it
    position.map((a) => `bytes=-${Math.min(a, 1000)}`),
  )
  await fc.assert(
    fc.asyncProperty(text, async (range) => {
      const expected = parseRange(1000, range)
      const { status, body, headers } = await get('inline', range)
      if (Array.isArray(expected)) {
        const [{ start, end } = { start: 0, end: 0 }] = expected
        expect([status, headers['content-range']]).toEqual([206, `bytes ${start}-${end}/1000`])
        expect(isSame(body, contents.get('inline')?.subarray(start, end + 1))).toBe(true)
      } else {
        // RFC 9110 §14.1.1: an end before the start makes it invalid, and it MAY be ignored
        const [, first = '', last = ''] = /=(\d*)-(\d*)$/.exec(range) ?? []
        const isInvalid = first !== '' && last !== '' && Number(last) < Number(first)
        expect(status).toBe(isInvalid ? 200 : 416)
      }
    }),
    { numRuns: 150 },
  )
})

test('HEAD has no parts', async () => {
  const head = await ask(house.url('bucket/inline', key), {
    method: 'HEAD',
    headers: { range: 'bytes=0-0' },
  })
  expect([head.status, head.headers['content-length']]).toEqual([200, '1000'])
})

describe('If-Range', () => {
  test('gives the part of what the client has begun, and else the whole', async () => {
    const { headers } = await get('inline', 'bytes=0-0')
    const etag = headers.etag ?? ''
    const modified = headers['last-modified'] ?? ''
    const earlier = new Date(Date.parse(modified) - 1000).toUTCString()
    const later = new Date(Date.parse(modified) + 1000).toUTCString()
    const statusFor = async (condition: string) =>
      (await get('inline', 'bytes=0-0', { 'if-range': condition })).status
    expect(await statusFor(etag)).toBe(206)
    expect(await statusFor(modified)).toBe(206)
    for (const other of [`W/${etag}`, '"other"', earlier, later, 'nonsense', '*', '']) {
      expect([other, await statusFor(other)]).toEqual([other, 200])
    }
  })

  test('that does not match makes an impossible range the whole', async () => {
    const answer = await get('inline', 'bytes=5000-', { 'if-range': '"other"' })
    expect(answer.status).toBe(200)
  })
})
