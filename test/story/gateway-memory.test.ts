/** Bytes flow through: memory does not grow with what is sent. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'

const MEBIBYTE = 1 << 20
const SIZE = 64 * MEBIBYTE
/** Above idle; buffers, the heap's own slack and the threads' included. */
const MOST = 60 * MEBIBYTE

let house: House
let gateway: GatewayProcess
let key: string

beforeAll(async () => {
  house = await openHouse()
  gateway = await startGatewayProcess(house)
  key = house.mint({ methods: ['GET', 'PUT'] })
  // everything that is made once is made now
  await ask(at('bucket/warm'), { method: 'PUT', body: Buffer.alloc(MEBIBYTE) })
  await ask(at('bucket/warm'))
})
afterAll(async () => {
  await gateway.kill()
  await house.close()
})

const at = (path: string): string => house.url(path, key).replace(house.gateway.url, gateway.url)

/** How many bytes came, without keeping them. */
const counted = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request(url, (incoming) => {
      let bytes = 0
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      incoming.on('end', () => resolve(bytes))
    })
    asked.on('error', reject)
    asked.end()
  })

function* chunks(): Iterable<Uint8Array> {
  const chunk = Buffer.alloc(256 * 1024, 'x')
  for (let sent = 0; sent < SIZE; sent += chunk.length) yield chunk
}

/** All but the end of a body in chunks of one byte, on so many connections; then their ends. */
async function inSingleBytes(head: string, bytes: number, count: number): Promise<number[]> {
  const opening = Array.from({ length: count }, () => RawConnection.open(gateway.port))
  const connections = await Promise.all(opening)
  const body = Buffer.from('1\r\nx\r\n'.repeat(bytes))
  for (const connection of connections) {
    connection.send(head)
    connection.send(body)
  }
  const statuses: number[] = []
  for (const connection of connections) {
    connection.send('0\r\n\r\n')
    statuses.push((await connection.response())?.status ?? 0)
    connection.destroy()
  }
  return statuses
}

const CHUNKED = 'Transfer-Encoding: chunked'

describe.sequential('in chunks of one byte', () => {
  test('sixteen strangers at once send as much as one may', async () => {
    const { now } = await gateway.memory()
    const form = 'Content-Type: application/x-www-form-urlencoded'
    const statuses = await inSingleBytes(headOf('POST', '/', [form, CHUNKED]), 65_000, 16)
    expect(new Set(statuses)).toEqual(new Set([400]))
    expect((await gateway.memory()).most - now).toBeLessThan(MOST)
  })

  test('four uploads come in at once', async () => {
    const { now } = await gateway.memory()
    const head = headOf('PUT', new URL(at('bucket/single')).pathname, [
      `Authorization: Bearer ${key}`,
      CHUNKED,
    ])
    const statuses = await inSingleBytes(head, 300_000, 4)
    expect(statuses.filter((status) => ![200, 201].includes(status))).toEqual([])
    expect((await gateway.memory()).most - now).toBeLessThan(MOST)
  })
})

describe.sequential('64 MiB', () => {
  test.each([
    ['declared', { 'content-length': String(SIZE) }],
    ['in chunks', {}],
  ])('come in, %s', async (_, headers) => {
    const { now } = await gateway.memory()
    const stored = await ask(at('bucket/large'), { method: 'PUT', body: chunks(), headers })
    expect([200, 201]).toContain(stored.status)
    expect(stored.json().size).toBe(SIZE)
    expect((await gateway.memory()).most - now).toBeLessThan(MOST)
  })

  test('go out, once and eight times at once', async () => {
    const { now } = await gateway.memory()
    expect(await counted(at('bucket/large'))).toBe(SIZE)
    const all = await Promise.all(Array.from({ length: 8 }, () => counted(at('bucket/large'))))
    expect(new Set(all)).toEqual(new Set([SIZE]))
    expect((await gateway.memory()).most - now).toBeLessThan(MOST)
  })
})
