/** Keys that may move so much, create so many and go so fast: counted to the byte, whoever asks at once. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask, type Question } from '../support/http.ts'
import { pattern } from '../support/store.ts'
import { Tus } from '../support/tus.ts'

const KIBIBYTE = 1024
const MEBIBYTE = 1 << 20

let house: House
let other: GatewayProcess
let all: string

beforeAll(async () => {
  house = await openHouse()
  other = await startGatewayProcess(house)
  all = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
  await ask(house.url('bucket/kib', all), { method: 'PUT', body: pattern(KIBIBYTE) })
  await ask(house.url('bucket/large', all), { method: 'PUT', body: pattern(24 * MEBIBYTE) })
})
afterAll(async () => {
  await other.kill()
  await house.close()
})

const outcome = async (url: string, question: Question = {}): Promise<string> => {
  const { status, code } = await ask(url, question)
  return code === undefined ? String(status) : `${status} ${code}`
}

const tally = (outcomes: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const each of outcomes) counts[each] = (counts[each] ?? 0) + 1
  return counts
}

const inBoth = (url: string, at: number): string =>
  at % 2 === 0 ? url : url.replace(house.gateway.url, other.url)

const left = async (key: string) => (await ask(`${house.gateway.url}/-/key?vk=${key}`)).json()

const id = (): string => randomBytes(9).toString('hex')

const chunked = async function* (...parts: Uint8Array[]) {
  yield* parts
}

describe('bytes', () => {
  test('200 downloads at once from two processes get as many as fit, and all of those', async () => {
    const key = house.mint({ bytes: 50 * KIBIBYTE })
    const url = house.url('bucket/kib', key)
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, at) => outcome(inBoth(url, at))),
    )
    expect(tally(outcomes)).toEqual({ 200: 50, '403 bytes_exhausted': 150 })
    expect((await left(key)).bytes).toEqual({ most: 50 * KIBIBYTE, left: 0 })
  })

  test('uploads and downloads add up; ranges cost what they send, HEAD and 304 nothing', async () => {
    const key = house.mint({ methods: ['GET', 'PUT'], bytes: 1000 })
    const url = house.url(`bucket/${id()}`, key)
    const put = await ask(url, { method: 'PUT', body: pattern(400) })
    expect(put.status).toBe(201)
    expect((await left(key)).bytes.left).toBe(600)
    expect(await outcome(url, { headers: { range: 'bytes=0-99' } })).toBe('206')
    expect(await outcome(url, { method: 'HEAD' })).toBe('200')
    expect(await outcome(url, { headers: { 'if-none-match': put.json().etag } })).toBe('304')
    expect((await left(key)).bytes.left).toBe(500)
    expect(await outcome(url)).toBe('200')
    expect(await outcome(url)).toBe('403 bytes_exhausted')
    expect(await outcome(url, { headers: { range: 'bytes=0-99' } })).toBe('206')
    expect((await left(key)).bytes).toEqual({ most: 1000, left: 0 })
  })

  test('an upload that is declared too large is refused before its body', async () => {
    const key = house.mint({ methods: ['PUT'], bytes: 100 })
    const path = `bucket/${id()}`
    const refused = await ask(house.url(path, key), { method: 'PUT', body: pattern(101) })
    expect([refused.status, refused.code]).toEqual([403, 'bytes_exhausted'])
    expect((await left(key)).bytes.left).toBe(100)
    expect(await outcome(house.url(path, key), { method: 'PUT', body: pattern(100) })).toBe('201')
  })

  test('small uploads of unknown length hold no room that others need', async () => {
    const key = house.mint({ methods: ['PUT'], bytes: 1000 })
    const names = Array.from({ length: 14 }, () => house.url(`bucket/${id()}`, key))
    const outcomes = await Promise.all(
      names.map((url, at) =>
        outcome(inBoth(url, at), { method: 'PUT', body: chunked(pattern(100)) }),
      ),
    )
    expect(tally(outcomes)).toEqual({ 201: 10, '403 bytes_exhausted': 4 })
  })

  test('one of unknown length that is too long keeps nothing, and has moved what it could', async () => {
    const key = house.mint({ methods: ['PUT'], bytes: 2 * MEBIBYTE })
    const path = `bucket/${id()}`
    const body = chunked(pattern(MEBIBYTE), pattern(MEBIBYTE), pattern(MEBIBYTE))
    expect(await outcome(house.url(path, key), { method: 'PUT', body })).toBe('403 bytes_exhausted')
    expect((await left(key)).bytes.left).toBe(0)
    expect(await outcome(house.url(path, all))).toBe('404 object_not_found')
  })

  test('an upload that breaks off is charged what arrived, and the rest comes back', async () => {
    const key = house.mint({ methods: ['PUT'], bytes: 10_000 })
    const socket = connect(house.gateway.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(
      `PUT /bucket/${id()}?vk=${key} HTTP/1.1\r\nHost: a\r\nContent-Length: 8000\r\n\r\n${'x'.repeat(3000)}`,
    )
    await until(async () => (await left(key)).bytes.left === 2000)
    socket.end()
    await until(async () => (await left(key)).bytes.left === 7000)
    socket.destroy()
  })

  test('a download that breaks off gives back what was never sent', async () => {
    const key = house.mint({ bytes: 25 * MEBIBYTE })
    const socket = connect(house.gateway.port, '127.0.0.1')
    socket.write(`GET /bucket/large?vk=${key} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await once(socket, 'data')
    // so that it does not come to its end meanwhile
    socket.pause()
    expect((await left(key)).bytes.left).toBe(MEBIBYTE)
    socket.destroy()
    await until(async () => (await left(key)).bytes.left > MEBIBYTE)
    const after = (await left(key)).bytes.left
    expect(after).toBeLessThan(25 * MEBIBYTE)
    expect(await outcome(house.url('bucket/large', key))).toMatch(/^(200|403 bytes_exhausted)$/)
  })

  test('a narrower key has less of its own, and takes from the wider one too', async () => {
    const wide = house.mint({ bytes: 3 * KIBIBYTE })
    const narrow = house.narrow(wide, { jti: 'child', bytes: 2 * KIBIBYTE })
    const ask3 = async (key: string) =>
      tally([
        await outcome(house.url('bucket/kib', key)),
        await outcome(house.url('bucket/kib', key)),
        await outcome(house.url('bucket/kib', key)),
      ])
    expect(await ask3(narrow)).toEqual({ 200: 2, '403 bytes_exhausted': 1 })
    expect(await ask3(wide)).toEqual({ 200: 1, '403 bytes_exhausted': 2 })
  })

  test('a resumable upload counts each of its requests', async () => {
    const key = house.mint({ methods: ['PUT'], bytes: 500, path: 'bucket/' })
    const tus = new Tus(house, key)
    const location = await tus.begun({ path: `bucket/${id()}`, length: 600 })
    expect((await tus.patch(location, 0, pattern(400))).status).toBe(204)
    expect((await left(key)).bytes.left).toBe(100)
    expect((await tus.patch(location, 400, pattern(200))).code).toBe('bytes_exhausted')
    expect(await tus.offset(location)).toBe(400)
  })
})

describe('files', () => {
  test('60 uploads at once from two processes create as many as they may', async () => {
    const key = house.mint({ methods: ['PUT'], files: 7 })
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        outcome(inBoth(house.url(`bucket/${id()}`, key), at), { method: 'PUT', body: 'new' }),
      ),
    )
    expect(tally(outcomes)).toEqual({ 201: 7, '403 files_exhausted': 53 })
    expect((await left(key)).files).toEqual({ most: 7, left: 0 })
  })

  test('replacing is free, also when none is left; what was refused is not counted', async () => {
    const key = house.mint({ methods: ['PUT'], files: 1, size: [0, 5] })
    const url = house.url(`bucket/${id()}`, key)
    const put = (body: string) => outcome(url, { method: 'PUT', body: chunked(Buffer.from(body)) })
    expect(await put('too long')).toBe('413 too_large')
    expect((await left(key)).files.left).toBe(1)
    expect(await put('one')).toBe('201')
    expect(await put('two')).toBe('200')
    expect(await outcome(house.url(`bucket/${id()}`, key), { method: 'PUT', body: 'x' })).toBe(
      '403 files_exhausted',
    )
    expect(await put('three')).toBe('200')
  })

  test('50 uploads of one name create one file', async () => {
    const key = house.mint({ methods: ['PUT'], files: 50 })
    const url = house.url(`bucket/${id()}`, key)
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => ask(inBoth(url, at), { method: 'PUT', body: `${at}` })),
    )
    expect((await left(key)).files.left).toBe(49)
  })
})

describe('rate', () => {
  test('what is small goes the paced way as well, and arrives whole', async () => {
    const key = house.mint({ methods: ['GET', 'PUT'], rate: 1 << 30 })
    const url = house.url(`bucket/${id()}`, key)
    const body = pattern(3 * MEBIBYTE)
    expect(await outcome(url, { method: 'PUT', body: chunked(body) })).toBe('201')
    expect((await ask(url)).body.equals(body)).toBe(true)
    expect((await ask(house.url('bucket/kib', key))).body.length).toBe(KIBIBYTE)
    expect((await left(key)).rate).toBe(1 << 30)
  })

  test('a slow download waits, and a revocation ends its wait', async () => {
    const key = house.mint({ jti: 'slow-1', rate: 10 })
    const socket = connect(house.gateway.port, '127.0.0.1').on('error', () => {})
    socket.write(`GET /bucket/kib?vk=${key} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await once(socket, 'data')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await house.ledger.revoke([{ kind: 'id', value: 'slow-1', revokedAt: house.now() }])
    await closed
  })
})
