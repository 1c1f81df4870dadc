/** Resident memory: of a gateway that just started, with many slow readers, with one huge object. */
import { randomBytes } from 'node:crypto'
import { get, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { mebibytes } from '../figures.ts'
import type { Finding, GoalName } from '../goals.ts'
import { SIZES } from '../objects.ts'
import type { Ours } from '../ours.ts'
import type { Row } from '../row.ts'

const MIB = 1024 * 1024
const READERS = 1000
/** once all are being served */
const WATCHED_SECONDS = 10
const SERVED_WITHIN = 60
const HUGE = 5 * 1024 * MIB

export const MEMORY_ROW: Row = {
  name: 'memory',
  title: `resident memory: idle, ${READERS} slow downloads of 100 MiB, 5 GiB in and out`,
  slow: true,
  run: async (bench) => {
    const measured: (readonly [GoalName, string, number])[] = [
      ['idle', 'idle', await onFresh(bench, async ({ program }) => program.resident())],
      ['slow', `${READERS} slow downloads`, await onFresh(bench, withSlowReaders)],
      ['large', '5 GiB in and out, the most', await onFresh(bench, withHugeObject)],
    ]
    return {
      table: {
        columns: ['', 'MiB'],
        lines: measured.map(([, words, bytes]) => [words, mebibytes(bytes)]),
      },
      findings: measured.map(([goal, , bytes]): Finding => ({ goal, value: bytes / MIB })),
    }
  },
}

/** Each on a process of its own: what one leaves behind is not the next one's. */
async function onFresh(bench: Bench, measure: (ours: Ours) => Promise<number>): Promise<number> {
  bench.remove('memory')
  const settings = { VALETKEY_GATEWAY_MAX_CONNECTIONS: String(READERS + 10) }
  const filling = await bench.startOurs('memory', settings)
  await filling.fill(bench.objects)
  await filling.stop()
  const ours = await bench.startOurs('memory', settings)
  try {
    await pause(1000)
    return await measure(ours)
  } finally {
    await ours.stop()
    bench.remove('memory')
  }
}

/** Readers take a little twice a second; all of them are served, and none comes to an end. */
async function withSlowReaders(ours: Ours): Promise<number> {
  const url = new URL(await ours.url('GET', 'bench/100m'))
  const readers = Array.from({ length: READERS }, () => slowReader(url))
  const served = (): number => readers.filter(({ received }) => received() > SIZES['64k']).length
  let most = 0
  try {
    const deadline = performance.now() + SERVED_WITHIN * 1000
    let watched = 0
    while (watched < WATCHED_SECONDS) {
      await pause(500)
      for (const { socket } of readers) socket.resume()
      most = Math.max(most, ours.program.resident())
      if (served() === READERS) watched += 0.5
      else if (performance.now() > deadline) {
        throw new Error(`of ${READERS} downloads only ${served()} were served`)
      }
    }
  } finally {
    for (const { socket } of readers) socket.destroy()
  }
  return most
}

function slowReader({ hostname, port, pathname, search }: URL): {
  readonly socket: Socket
  readonly received: () => number
} {
  let received = 0
  const socket = connect(Number(port), hostname)
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
  socket.on('data', (bytes) => {
    received += bytes.length
    socket.pause()
  })
  socket.on('error', () => {})
  return { socket, received: () => received }
}

async function withHugeObject(ours: Ours): Promise<number> {
  const put = await ours.url('PUT', 'bench/huge')
  const url = await ours.url('GET', 'bench/huge')
  if (!ours.program.resetPeak()) throw new Error('this kernel does not let us watch the peak')
  await uploadHuge(put)
  const received = await download(url)
  if (received !== HUGE) throw new Error(`${received} bytes came back of ${HUGE}`)
  return ours.program.resident('most')
}

async function uploadHuge(url: string): Promise<void> {
  const piece = randomBytes(MIB)
  const outgoing = request(url, { method: 'PUT', headers: { 'Content-Length': HUGE } })
  const answered = new Promise<number>((resolve, reject) => {
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
  })
  for (let sent = 0; sent < HUGE; sent += MIB) {
    await new Promise((resolve) => outgoing.write(piece, resolve))
  }
  outgoing.end()
  if ((await answered) !== 201) throw new Error(`the upload was answered with ${await answered}`)
}

function download(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let received = 0
      response.on('data', (bytes: Buffer) => {
        received += bytes.length
      })
      response.once('error', reject).once('end', () => resolve(received))
    }).once('error', reject)
  })
}
