/** Uploads are all or nothing, whatever becomes of the client. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fetch as undiciFetch } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { isSame, pattern } from '../support/store.ts'

const MEBIBYTE = 1 << 20

let house: House
let all: string

beforeAll(async () => {
  house = await openHouse()
  all = house.mint({ methods: ['GET', 'PUT', 'LIST', 'DELETE'] })
})
afterAll(() => house.close())

/** Every file in the store but its index: blobs, and what is not one yet. */
const files = (): string[] =>
  readdirSync(join(house.folder, 'store'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.db'))
    .map(({ name }) => name)

const target = (path: string, key: string): string => `/${path}?vk=${key}`
const open = (): Promise<RawConnection> => RawConnection.open(house.gateway.port)

/** The line in the log of a request. */
const logged = (id: string | undefined) => house.logged.find((line) => line.id === id)

describe('a client that asks first', () => {
  const refusals: [string, Parameters<House['mint']>[0], string[], number, string][] = [
    ['too large', { size: [0, 10] }, ['Content-Length: 11'], 413, 'too_large'],
    ['too small', { size: [5, 10] }, ['Content-Length: 4'], 400, 'too_small'],
    ['of a wrong type', { types: ['image/*'] }, ['Content-Length: 4'], 415, 'type_not_granted'],
    ['not granted', { methods: ['GET'] }, ['Content-Length: 4'], 403, 'method_not_granted'],
    ['expired', { exp: 1 }, ['Transfer-Encoding: chunked'], 403, 'key_expired'],
    [
      'in the way',
      { create: true, path: 'bucket/there' },
      ['Content-Length: 4'],
      412,
      'object_exists',
    ],
    [
      'with an impossible digest',
      {},
      ['Content-Length: 4', 'Content-MD5: x'],
      400,
      'request_malformed',
    ],
  ]

  test.each(refusals)(
    'hears that it is %s before it sends a byte',
    async (_, claims, headers, status, code) => {
      await ask(house.url('bucket/there', all), { method: 'PUT', body: 'x' })
      const key = house.mint({ methods: ['PUT'], ...claims })
      const connection = await open()
      connection.send(
        headOf('PUT', target('bucket/there', key), ['Expect: 100-continue', ...headers]),
      )
      const first = await connection.response()
      expect([first?.status, first?.json().code]).toEqual([status, code])
      expect(first?.headers.get('connection')).toBe('close')
      connection.destroy()
    },
  )

  test('is asked for the body once it is admitted, and only then', async () => {
    const connection = await open()
    const headers = ['Expect: 100-continue', 'Content-Length: 5']
    connection.send(headOf('PUT', target('bucket/continued', all), headers))
    expect((await connection.response())?.status).toBe(100)
    connection.send('hello')
    expect((await connection.response())?.status).toBe(201)
    connection.destroy()
  })

  test('and does not wait is served all the same', async () => {
    const connection = await open()
    const head = headOf('PUT', target('bucket/impatient', all), [
      'expect: 100-Continue',
      'Content-Length: 5',
    ])
    connection.send(`${head}hello`)
    expect((await connection.response())?.status).toBe(100)
    expect((await connection.response())?.status).toBe(201)
    connection.destroy()
  })
})

describe('a refused upload', () => {
  /** Sends chunks for as long as the server takes them; returns how many bytes were written. */
  async function flood(connection: RawConnection): Promise<number> {
    const { socket } = connection
    const chunk = Buffer.concat([
      Buffer.from('10000\r\n'),
      Buffer.alloc(65_536),
      Buffer.from('\r\n'),
    ])
    for (let sent = 0; sent < 4096; sent += 1) {
      const isWritten = await new Promise<boolean>((resolve) => {
        socket.write(chunk, (error) => resolve(!error))
        socket.once('close', () => resolve(false))
      })
      socket.removeAllListeners('close')
      if (!isWritten) break
    }
    return socket.bytesWritten
  }

  test.each([
    ['before it begins', { methods: ['GET'] as const }, 'method_not_granted'],
    ['while it streams', { size: [0, 100_000] as const }, 'too_large'],
  ])('%s is answered, and read no further than a bounded amount', async (_, claims, code) => {
    const key = house.mint({ methods: ['PUT'], ...(claims as object) })
    const connection = await open()
    connection.send(headOf('PUT', target('bucket/flood', key), ['Transfer-Encoding: chunked']))
    const written = await flood(connection)
    const response = await connection.response()
    expect(response?.json().code).toBe(code)
    // what the kernel holds on both sides is no part of what the server reads
    expect(written).toBeLessThan(32 * MEBIBYTE)
    connection.destroy()
    expect((await ask(house.url('bucket/flood', all))).status).toBe(404)
  })

  test('is heard by a client that goes on sending: nothing is reset', async () => {
    const key = house.mint({ methods: ['PUT'], size: [0, 10] })
    const body = pattern(700_000)
    const connection = await open()
    connection.send(headOf('PUT', target('bucket/deaf', key), [`Content-Length: ${body.length}`]))
    await connection.until(() => connection.size > 0)
    for (let sent = 0; sent < body.length; sent += 100_000) {
      const part = body.subarray(sent, sent + 100_000)
      await new Promise<void>((resolve) => connection.socket.write(part, () => resolve()))
    }
    expect((await connection.response())?.json().code).toBe('too_large')
    await connection.ended()
    expect(connection.failure).toBeUndefined()
    connection.destroy()
  })

  test('is heard by undici', async () => {
    const key = house.mint({ methods: ['PUT'], size: [0, 10] })
    for (const size of [1000, 700_000]) {
      const response = await undiciFetch(house.url('bucket/undici', key), {
        method: 'PUT',
        body: pattern(size),
      })
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
        413,
        'too_large',
      ])
    }
  })

  test('leaves no file', async () => {
    const before = files()
    const key = house.mint({ methods: ['PUT'], sha256: '0'.repeat(64) })
    const body = pattern(3 * MEBIBYTE)
    expect((await ask(house.url('bucket/wrong', key), { method: 'PUT', body })).code).toBe(
      'digest_mismatch',
    )
    const big = house.mint({ methods: ['PUT'], size: [0, 2 * MEBIBYTE] })
    const answer = await ask(house.url('bucket/wrong', big), { method: 'PUT', body: [body] })
    expect(answer.code).toBe('too_large')
    await eventually(() => expect(files()).toEqual(before))
  })
})

describe('an upload that breaks off', () => {
  test.each([
    ['with a length', 'Content-Length: 4000000', pattern(2 * MEBIBYTE)],
    ['in chunks', 'Transfer-Encoding: chunked', Buffer.from('3\r\nabc\r\n')],
    ['in chunks, in the middle of one', 'Transfer-Encoding: chunked', Buffer.from('ff\r\nabc')],
    ['before its first byte', 'Content-Length: 5', Buffer.alloc(0)],
  ])('%s leaves the old object, and nothing else', async (_, framing, sent) => {
    const path = 'bucket/broken'
    await ask(house.url(path, all), { method: 'PUT', body: 'old' })
    const before = files()
    const connection = await open()
    const key = house.mint({ methods: ['PUT'], sub: 'breaking' })
    const lines = house.logged.length
    connection.send(headOf('PUT', target(path, key), [framing, 'Expect: 100-continue']))
    expect((await connection.response())?.status).toBe(100)
    connection.send(sent)
    await new Promise<void>((resolve) => connection.socket.end(() => resolve()))
    connection.destroy()
    await eventually(() => {
      const line = house.logged.slice(lines).find(({ sub }) => sub === 'breaking')
      expect(line?.code).toBe('incomplete_body')
    })
    await eventually(() => expect(files()).toEqual(before))
    expect((await ask(house.url(path, all))).text()).toBe('old')
  })

  test('counts as no use, and can be sent again', async () => {
    const key = house.mint({ methods: ['PUT'], uses: 1, sub: 'again' })
    const connection = await open()
    connection.send(
      headOf('PUT', target('bucket/again', key), ['Content-Length: 100', 'Expect: 100-continue']),
    )
    expect((await connection.response())?.status).toBe(100)
    connection.destroy()
    await eventually(() => expect(house.logged.some(({ sub }) => sub === 'again')).toBe(true))
    expect((await ask(house.url('bucket/again', key), { method: 'PUT', body: 'x' })).status).toBe(
      201,
    )
    expect((await ask(house.url('bucket/again', key), { method: 'PUT', body: 'x' })).code).toBe(
      'uses_exhausted',
    )
  })
})

describe('two at once', () => {
  test('create one object, and the other hears so', async () => {
    const key = house.mint({ methods: ['PUT'], create: true })
    const bodies = Array.from({ length: 8 }, (_, at) => pattern(300_000, at + 1))
    const answers = await Promise.all(
      bodies.map((body) => ask(house.url('bucket/race', key), { method: 'PUT', body })),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ code }) => code === 'object_exists')).toHaveLength(7)
    const winner = bodies[answers.findIndex(({ status }) => status === 201)]
    expect(isSame((await ask(house.url('bucket/race', all))).body, winner)).toBe(true)
  })

  test('replace whole: what is there is one of them', async () => {
    const bodies = Array.from({ length: 8 }, (_, at) => pattern(300_000 + at, at + 1))
    const answers = await Promise.all(
      bodies.map((body) => ask(house.url('bucket/last', all), { method: 'PUT', body })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200, 200, 200, 200, 200, 200, 200, 201,
    ])
    const { body } = await ask(house.url('bucket/last', all))
    expect(bodies.filter((sent) => isSame(sent, body))).toHaveLength(1)
  })
})

describe('a reader', () => {
  test('sees the old object until the new one is whole', async () => {
    const path = 'bucket/old-and-new'
    await ask(house.url(path, all), { method: 'PUT', body: 'old' })
    const connection = await open()
    connection.send(headOf('PUT', target(path, all), ['Content-Length: 6', 'Expect: 100-continue']))
    expect((await connection.response())?.status).toBe(100)
    connection.send('new ')
    expect((await ask(house.url(path, all))).text()).toBe('old')
    connection.send('it')
    expect((await connection.response())?.status).toBe(200)
    connection.destroy()
    expect((await ask(house.url(path, all))).text()).toBe('new it')
  })

  test.each(['replaced', 'deleted'])(
    'who has begun gets the old bytes to the end though it is %s',
    async (how) => {
      const path = `bucket/slow-${how}`
      const old = pattern(24 * MEBIBYTE, 5)
      await ask(house.url(path, all), { method: 'PUT', body: old })
      const connection = await open()
      connection.send(headOf('GET', target(path, all)))
      await connection.until(() => connection.size > 1000)
      connection.socket.pause()
      if (how === 'replaced') await ask(house.url(path, all), { method: 'PUT', body: 'new' })
      else await ask(house.url(path, all), { method: 'DELETE' })
      connection.socket.resume()
      const response = await connection.response()
      expect(isSame(response?.body, old)).toBe(true)
      connection.destroy()
      const now = await ask(house.url(path, all))
      expect(now.status).toBe(how === 'replaced' ? 200 : 404)
      await eventually(() =>
        expect(logged(response?.headers.get('x-request-id'))?.out).toBe(old.length),
      )
    },
  )
})
