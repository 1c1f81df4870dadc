import type { IncomingMessage, Server } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Incoming } from '../../../listener/incoming.ts'
import { createListener } from '../../../listener/tls.ts'
import { headOf, RawConnection } from '../../support/raw.ts'

const CHUNKED = ['Transfer-Encoding: chunked']
const COUNT = 50_000
const SINGLE_BYTES = '1\r\nx\r\n'.repeat(COUNT)

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function listen(onRequest: (incoming: IncomingMessage) => void): Promise<RawConnection> {
  server = createListener({}, undefined)
  server.on('request', (incoming, outgoing) => {
    incoming.once('end', () => outgoing.end(String(incoming.headers.host)))
    onRequest(incoming)
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return RawConnection.open((server.address() as AddressInfo).port)
}

test('single bytes that come at once are handed on together', async () => {
  const sizes: number[] = []
  const connection = await listen((incoming) => {
    incoming.on('data', (chunk: Buffer) => sizes.push(chunk.length))
  })
  connection.send(headOf('PUT', '/a', CHUNKED))
  connection.send(`${SINGLE_BYTES}0\r\n\r\n`)
  expect((await connection.response())?.status).toBe(200)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(COUNT)
  expect(sizes.length).toBeLessThan(COUNT / 20)
  connection.destroy()
})

/** A request whose chunks are told of as they are handed on. */
function told(): { incoming: Incoming; chunks: string[] } {
  const chunks: string[] = []
  const incoming = new Incoming(new Socket())
  incoming.on('data', (chunk: Buffer) => chunks.push(String(chunk)))
  return { incoming, chunks }
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('the first chunk is handed on as it is, and so is a large one, each in its place', async () => {
  const { incoming, chunks } = told()
  const large = 'l'.repeat(5000)
  await endOfTurn()
  for (const text of ['a', 'b', 'c', large, 'd', 'e']) incoming.push(Buffer.from(text))
  expect(chunks).toEqual(['a', 'b', 'c', large])
  await endOfTurn()
  expect(chunks).toEqual(['a', 'b', 'c', large, 'd', 'e'])
  for (const text of 'fgh') incoming.push(Buffer.from(text))
  incoming.push(null)
  await endOfTurn()
  expect(chunks.join('')).toBe(`abc${large}defgh`)
})

test('what has arrived is handed on when the connection ends', async () => {
  const { incoming, chunks } = told()
  await endOfTurn()
  for (const text of 'abc') incoming.push(Buffer.from(text))
  incoming.on('error', () => {})
  incoming.destroy()
  expect(chunks.join('')).toBe('abc')
})

test('no more is read in a turn that has brought a thousand small chunks', () => {
  const { incoming } = told()
  const answers = Array.from({ length: 1100 }, () => incoming.push(Buffer.from('x')))
  expect(answers.indexOf(false)).toBe(1024)
})

test('a body that nobody reads is few chunks, and is asked to wait', async () => {
  const incoming = new Incoming(new Socket())
  let answer = true
  let count = 0
  for (; answer && count < COUNT; count += 1) {
    answer = incoming.push(Buffer.from('x'))
    if (count % 1000 === 0) await endOfTurn()
  }
  expect(answer).toBe(false)
  await endOfTurn()
  let chunks = 0
  let read = 0
  incoming.on('data', ({ length }: Buffer) => {
    chunks += 1
    read += length
  })
  incoming.push(null)
  await new Promise((resolve) => incoming.once('end', resolve))
  expect(read).toBe(count)
  expect(chunks).toBeLessThan(count / 100)
})
