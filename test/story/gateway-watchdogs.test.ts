/** Transfers that are too slow, too long or too many end; the clock is ours, so nobody waits. */
import { afterEach, describe, expect, test } from 'vitest'
import type { GatewaySettingsText } from '../../gateway/config.ts'
import { eventually } from '../support/eventually.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { outcome } from '../support/outcome.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { pattern } from '../support/store.ts'
import { Tus } from '../support/tus.ts'

let house: House
let key: string
/** what the gateway takes for the time since it began, in milliseconds */
let elapsed = 0

async function open(gateway: GatewaySettingsText = {}): Promise<void> {
  elapsed = 0
  house = await openHouse({ gateway, clock: { monotonic: () => elapsed } })
  key = house.mint({ methods: ['GET', 'PUT'], sub: 'watched' })
}
afterEach(() => house.close())

const connect = (): Promise<RawConnection> => RawConnection.open(house.gateway.port)

async function beginUpload(path: string, length: number): Promise<RawConnection> {
  const connection = await connect()
  const headers = [`Content-Length: ${length}`, 'Expect: 100-continue']
  connection.send(headOf('PUT', `/${path}?vk=${key}`, headers))
  return connection
}

async function beginDownload(path: string): Promise<RawConnection> {
  const connection = await connect()
  connection.send(headOf('GET', `/${path}?vk=${key}`))
  await connection.until(() => connection.size > 1000)
  connection.socket.pause()
  return connection
}

const lastCode = () => house.logged.findLast(({ sub }) => sub === 'watched')?.code

describe('an upload', () => {
  test('of one byte in ten seconds is cut, and nothing of it is kept', async () => {
    await open()
    const connection = await beginUpload('bucket/slow', 1000)
    expect((await connection.response())?.status).toBe(100)
    for (let at = 0; at < 3; at += 1) {
      connection.send('x')
      elapsed += 10_000
    }
    expect(outcome(await connection.response())).toBe('408 too_slow')
    connection.destroy()
    expect((await ask(house.url('bucket/slow', key))).code).toBe('object_not_found')
  })

  test('that never sends a byte is cut too', async () => {
    await open()
    const connection = await beginUpload('bucket/silent', 1000)
    expect((await connection.response())?.status).toBe(100)
    elapsed += 30_000
    expect(outcome(await connection.response())).toBe('408 too_slow')
    connection.destroy()
  })

  test('takes at most a day, however fast it is', async () => {
    await open({ maxTransferTime: '1h', minUploadRate: 1 })
    const connection = await beginUpload('bucket/long', 10_000_000)
    expect((await connection.response())?.status).toBe(100)
    connection.send(pattern(5_000_000))
    elapsed += 3_600_000
    expect(outcome(await connection.response())).toBe('408 too_slow')
    connection.destroy()
  })

  test('is one of a limited number, and the next ones are asked to come back', async () => {
    await open({ maxUploads: 2 })
    const connections = await Promise.all(
      Array.from({ length: 10 }, (_, at) => beginUpload(`bucket/many/${at}`, 2)),
    )
    const first = await Promise.all(connections.map((connection) => connection.response()))
    expect(first.filter((response) => response?.status === 100)).toHaveLength(2)
    const refused = first.filter((response) => response?.status === 503)
    expect(refused).toHaveLength(8)
    for (const response of refused) {
      expect(outcome(response)).toBe('503 unavailable')
      expect(response?.headers.get('retry-after')).toBe('5')
    }
    for (const [at, response] of first.entries()) {
      const connection = connections[at]
      if (response?.status === 100) {
        connection?.send('ok')
        expect((await connection?.response())?.status).toBe(201)
      }
      connection?.destroy()
    }
    const later = await ask(house.url('bucket/later', key), { method: 'PUT', body: 'x' })
    expect(later.status).toBe(201)
  })

  test('that is refused for that has moved no byte of its key', async () => {
    await open({ maxUploads: 1 })
    const metered = house.mint({ methods: ['PUT'], jti: 'metered', bytes: 10_000 })
    const put = (at: number) =>
      ask(house.url(`bucket/metered/${at}`, metered), { method: 'PUT', body: pattern(100) })
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => put(at)))
    const stored = answers.filter(({ status }) => status === 201).length
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(8 - stored)
    expect(stored).toBeLessThan(8)
    expect(await house.ledger.takenOf('bytes:metered')).toBe(100 * stored)
  })

  test('of more bytes than there are numbers is refused', async () => {
    await open()
    const metered = house.mint({ methods: ['PUT'], jti: 'huge', bytes: 10_000 })
    const tus = new Tus(house, metered)
    const location = await tus.begun({ path: 'bucket/huge' })
    const connection = await RawConnection.open(house.gateway.port)
    const fields = [
      `Authorization: Bearer ${metered}`,
      'Tus-Resumable: 1.0.0',
      'Upload-Offset: 0',
      'Content-Type: application/offset+octet-stream',
      'Content-Length: 9007199254740993',
    ]
    connection.send(headOf('PATCH', location, fields))
    expect(outcome(await connection.response())).toBe('413 too_large')
    connection.destroy()
  })

  test('that its key makes slower than any may be is refused before it begins', async () => {
    await open({ maxUploads: 2 })
    const slow = house.mint({ methods: ['PUT', 'GET'], rate: 8 << 10, bytes: 1000 })
    key = house.narrow(slow, { jti: 'narrowed', rate: 1 })
    for (let at = 1; at <= 3; at += 1) {
      const connection = await beginUpload(`bucket/paced/${at}`, 900)
      expect(outcome(await connection.response())).toBe('408 too_slow')
      connection.destroy()
    }
    // nothing of what it may move is held
    const told = await ask(`${house.gateway.url}/-/key?vk=${slow}`)
    expect(told.json().bytes).toEqual({ most: 1000, left: 1000 })
  })

  test('that sends no more is cut when what it sent has had its time', async () => {
    await open()
    key = house.mint({ methods: ['PUT'], rate: 1024, sub: 'watched' })
    const [connection, other] = [
      await beginUpload('bucket/paced', 100_000),
      await beginUpload('bucket/paced-too', 100_000),
    ]
    expect((await connection.response())?.status).toBe(100)
    expect(outcome(await other.response())).toBe('503 unavailable')
    connection.send(pattern(8300))
    // eight seconds for what has come, and thirty for what does not
    const answer = connection.response()
    let isAnswered = false
    void answer.then(() => {
      isAnswered = true
    })
    await eventually(() => {
      elapsed += 500
      expect(isAnswered).toBe(true)
    })
    expect(outcome(await answer)).toBe('408 too_slow')
    for (const each of [connection, other]) each.destroy()
  })

  test('that broke off no longer counts among them', async () => {
    await open({ maxUploads: 1 })
    for (let at = 0; at < 3; at += 1) {
      const connection = await beginUpload('bucket/broken', 10)
      expect((await connection.response())?.status).toBe(100)
      const lines = house.logged.length
      connection.destroy()
      await eventually(() => expect(house.logged.length).toBeGreaterThan(lines))
    }
  })
})

describe('a download', () => {
  test('of which nothing is taken for a minute is cut', async () => {
    await open()
    await ask(house.url('bucket/large', key), { method: 'PUT', body: pattern(24 << 20) })
    const connection = await beginDownload('bucket/large')
    // the kernel takes some more before it is full
    await eventually(() => {
      elapsed += 59_000
      expect(lastCode()).toBe('too_slow')
    })
    connection.destroy()
  })

  test('takes at most a day', async () => {
    await open({ maxTransferTime: '1h', downloadStall: '2h' })
    await ask(house.url('bucket/large', key), { method: 'PUT', body: pattern(24 << 20) })
    const connection = await beginDownload('bucket/large')
    elapsed += 3_600_000
    await eventually(() => expect(lastCode()).toBe('too_slow'))
    connection.destroy()
  })
})

test('connections are limited', async () => {
  await open({ maxConnections: 3 })
  const held = await Promise.all([connect(), connect(), connect()])
  for (const connection of held) {
    connection.send(headOf('GET', '/-/health'))
    expect((await connection.response())?.status).toBe(200)
  }
  const refused = await connect()
  refused.send(headOf('GET', '/-/health'))
  expect(await refused.response()).toBeUndefined()
  for (const connection of [...held, refused]) connection.destroy()
})
