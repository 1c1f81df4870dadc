/** Keys that may be used so many times: counted honestly, whoever asks at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { isSame, pattern } from '../support/store.ts'

const MEBIBYTE = 1 << 20

let house: House
let other: GatewayProcess
let all: string

beforeAll(async () => {
  house = await openHouse()
  other = await startGatewayProcess(house)
  all = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
  await ask(house.url('bucket/small', all), { method: 'PUT', body: 'small' })
  await ask(house.url('bucket/large', all), { method: 'PUT', body: pattern(24 * MEBIBYTE) })
})
afterAll(async () => {
  await other.kill()
  await house.close()
})

const outcome = async (url: string, question = {}): Promise<string> => {
  const { status, code } = await ask(url, question)
  return code === undefined ? String(status) : `${status} ${code}`
}

const tally = (outcomes: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const each of outcomes) counts[each] = (counts[each] ?? 0) + 1
  return counts
}

describe('200 at once', () => {
  test.each([
    ['small', 1],
    ['small', 3],
    ['large', 1],
  ])('of a %s object get it %i times', async (name, uses) => {
    const path = `bucket/${name}`
    // a lease is on an address too, and all of these have the same one: the next begins when one ends
    const key = house.mint({ uses })
    const urls = [house.url(path, key), house.url(path, key).replace(house.gateway.url, other.url)]
    const asked = Array.from({ length: 200 }, (_, at) => outcome(urls[at % 2] ?? ''))
    const counts = tally(await Promise.all(asked))
    const served = counts['200'] ?? 0
    expect(served).toBeGreaterThanOrEqual(1)
    expect(served).toBeLessThanOrEqual(uses)
    expect(served + (counts['403 uses_exhausted'] ?? 0)).toBe(200)
    for (let left = uses - served; left > 0; left -= 1)
      expect(await outcome(urls[1] ?? '')).toBe('200')
    expect(await outcome(urls[0] ?? '')).toBe('403 uses_exhausted')
  })

  test('delete, list or upload as often as the key says', async () => {
    const key = house.mint({ methods: ['PUT'], uses: 1 })
    const urls = [
      house.url('bucket/one', key),
      house.url('bucket/one', key).replace(house.gateway.url, other.url),
    ]
    const counts = tally(
      await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          outcome(urls[at % 2] ?? '', { method: 'PUT', body: String(at) }),
        ),
      ),
    )
    expect(counts).toEqual({ '201': 1, '403 uses_exhausted': 39 })
  })
})

describe('costs nothing', () => {
  test('what sends no byte of the object', async () => {
    const key = house.mint({ methods: ['GET', 'PUT'], uses: 1, types: ['image/*'] })
    const url = house.url('bucket/small', key)
    const etag = (await ask(house.url('bucket/small', all))).headers.etag ?? ''
    const free: [string, object, string][] = [
      [url, { method: 'HEAD' }, '200'],
      [url, { headers: { 'if-none-match': etag } }, '304'],
      [url, { headers: { 'if-match': '"x"' } }, '412 precondition_failed'],
      [url, { headers: { range: 'bytes=100-' } }, '416 range_unsatisfiable'],
      [house.url('bucket/absent', key), {}, '404 object_not_found'],
      [url, { method: 'DELETE' }, '403 method_not_granted'],
      [url, { method: 'PUT', body: 'x' }, '415 type_not_granted'],
      [
        url,
        { method: 'PUT', body: 'x', headers: { 'content-type': 'image/png' } },
        '415 type_mismatch',
      ],
      [url, { headers: { authorization: 'Bearer x' } }, '400 key_ambiguous'],
      [url, { method: 'OPTIONS' }, '204'],
    ]
    for (const [where, question, expected] of [...free, ...free]) {
      expect(await outcome(where, question)).toBe(expected)
    }
    expect(await outcome(url)).toBe('200')
    expect(await outcome(url)).toBe('403 uses_exhausted')
    // it is used up for what it was used for; what is free stays free
    expect(await outcome(url, { method: 'HEAD' })).toBe('200')
  })
})

describe('a download', () => {
  test('that broke off is resumed without a further use, until it was whole', async () => {
    const key = house.mint({ uses: 1, sub: 'resuming' })
    const url = house.url('bucket/large', key)
    const size = 24 * MEBIBYTE
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(headOf('GET', `/bucket/large?vk=${key}`))
    await connection.until(() => connection.size > MEBIBYTE)
    connection.socket.pause()
    // while it runs, nobody else gets a byte
    expect(await outcome(url, { headers: { range: 'bytes=0-0' } })).toBe('403 uses_exhausted')
    connection.destroy()
    await eventually(() =>
      expect(house.logged.some(({ sub, out }) => sub === 'resuming' && Number(out) > 0)).toBe(true),
    )
    const first = MEBIBYTE
    const part = await ask(url, { headers: { range: `bytes=${first}-` } })
    expect([part.status, part.body.length]).toEqual([206, size - first])
    expect(isSame(part.body, pattern(size).subarray(first))).toBe(true)
    expect(await outcome(url)).toBe('403 uses_exhausted')
    expect(await outcome(url, { headers: { range: 'bytes=0-0' } })).toBe('403 uses_exhausted')
  })

  test('in ranges is one use, and the object is sent no more than twice over', async () => {
    const key = house.mint({ uses: 1 })
    const url = house.url('bucket/small', key)
    const part = (range: string) => outcome(url, { headers: { range: `bytes=${range}` } })
    expect(await part('0-1')).toBe('206')
    expect(await part('3-4')).toBe('206')
    expect(await part('0-1')).toBe('206')
    expect(await part('2-2')).toBe('206')
    // whole by now
    expect(await part('0-0')).toBe('403 uses_exhausted')
    const again = house.mint({ uses: 1 })
    const same = house.url('bucket/small', again)
    let served = 0
    while ((await outcome(same, { headers: { range: 'bytes=0-3' } })) === '206') served += 4
    expect(served).toBe(8)
  })

  test('of a client that is gone before its first byte counts as not sent', async () => {
    const key = house.mint({ uses: 1, sub: 'gone' })
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(headOf('GET', `/bucket/large?vk=${key}`))
    connection.destroy()
    await eventually(() => expect(house.logged.some(({ sub }) => sub === 'gone')).toBe(true))
    expect(await outcome(house.url('bucket/large', key))).toBe('200')
    expect(await outcome(house.url('bucket/large', key))).toBe('403 uses_exhausted')
  })
})

describe('a narrowed key', () => {
  test('counts on its own id, and never beyond what it was made from', async () => {
    const wide = house.mint({ uses: 3 })
    const once = house.narrow(wide, { jti: 'guest', uses: 1 })
    const twice = house.narrow(wide, { jti: 'friend', uses: 2 })
    const url = (key: string) => house.url('bucket/small', key)
    expect(await outcome(url(once))).toBe('200')
    expect(await outcome(url(once))).toBe('403 uses_exhausted')
    expect(await outcome(url(twice))).toBe('200')
    expect(await outcome(url(twice))).toBe('200')
    expect(await outcome(url(wide))).toBe('403 uses_exhausted')
    expect(await outcome(url(house.narrow(wide, { jti: 'more', uses: 100 })))).toBe(
      '403 uses_exhausted',
    )
  })

  test('does not count on the ids of others', async () => {
    const mine = house.mint({ uses: 1, jti: 'mine' })
    const stranger = house.narrow(house.mint({}), { jti: 'mine', uses: 1 })
    expect(await outcome(house.url('bucket/small', stranger))).toBe('200')
    expect(await outcome(house.url('bucket/small', mine))).toBe('200')
  })
})

test('an upload that was refused gives its use back', async () => {
  const key = house.mint({ methods: ['PUT'], uses: 1, size: [0, 5] })
  const url = house.url('bucket/again', key)
  const chunks = [Buffer.from('abc'), Buffer.from('defgh')]
  expect(await outcome(url, { method: 'PUT', body: chunks })).toBe('413 too_large')
  const headers = { 'content-md5': Buffer.alloc(16).toString('base64') }
  expect(await outcome(url, { method: 'PUT', body: 'x', headers })).toBe('400 digest_mismatch')
  expect(await outcome(url, { method: 'PUT', body: 'fine' })).toBe('201')
  expect(await outcome(url, { method: 'PUT', body: 'fine' })).toBe('403 uses_exhausted')
})
