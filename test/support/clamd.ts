/**
 * A stand-in for clamd on a real socket, as clamd(8) describes INSTREAM. It finds EICAR's test file,
 * and splits its replies as a network may.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

/** EICAR's test file, put together here so that no scanner finds it in this repository. */
export const EICAR = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
)

const COMMAND = 'zINSTREAM\0'

/** How it behaves: as it should, or not. */
export type Mood = 'well' | 'silent' | 'confused' | 'rude'

export interface FakeClamd {
  /** as `scan.clamd` names it */
  readonly address: string
  mood: Mood
  /** what each session has sent, whole */
  readonly seen: Buffer[]
  /** is called when a session's content has arrived whole, before the reply */
  onSeen: () => Promise<void>
  close(): Promise<void>
}

/** @param path of a Unix socket; absent: a port of its own */
export async function fakeClamd(path?: string, mostBytes = 4 << 20): Promise<FakeClamd> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    session(socket, clamd, mostBytes).catch(() => socket.destroy())
  })
  server.listen(path ?? { host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const bound = server.address()
  const clamd: FakeClamd = {
    address: typeof bound === 'string' ? bound : `127.0.0.1:${bound?.port}`,
    mood: 'well',
    seen: [],
    onSeen: async () => {},
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return clamd
}

async function session(socket: Socket, clamd: FakeClamd, mostBytes: number): Promise<void> {
  const bytes = new Incoming(socket)
  const asked = (await bytes.take(COMMAND.length)).toString()
  if (clamd.mood === 'rude') return void socket.destroy()
  if (asked !== COMMAND) return reply(socket, 'UNKNOWN COMMAND')
  const content: Buffer[] = []
  for (let size = 0; ; ) {
    const length = (await bytes.take(4)).readUInt32BE()
    if (length === 0) return ended(socket, clamd, Buffer.concat(content))
    content.push(await bytes.take(length))
    size += length
    if (size > mostBytes) return reply(socket, 'INSTREAM size limit exceeded. ERROR')
  }
}

/** What arrives, as much of it at a time as is asked for. */
class Incoming {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#chunks = socket.iterator({ destroyOnReturn: false })
  }

  async take(count: number): Promise<Buffer> {
    const pieces = [this.#rest]
    for (let length = this.#rest.length; length < count; ) {
      const next = await this.#chunks.next()
      if (next.done === true) throw new Error('the connection ended')
      pieces.push(next.value)
      length += next.value.length
    }
    const all = Buffer.concat(pieces)
    this.#rest = all.subarray(count)
    return all.subarray(0, count)
  }
}

async function ended(socket: Socket, clamd: FakeClamd, content: Buffer): Promise<void> {
  clamd.seen.push(content)
  await clamd.onSeen()
  if (clamd.mood === 'silent') return
  if (clamd.mood === 'confused') return reply(socket, 'stream: maybe')
  await reply(socket, content.includes(EICAR) ? 'stream: Eicar-Test-Signature FOUND' : 'stream: OK')
}

/** In two pieces. */
async function reply(socket: Socket, text: string): Promise<void> {
  await new Promise((resolve) => socket.write(text.slice(0, 9), resolve))
  await new Promise((resolve) => setImmediate(resolve))
  socket.end(`${text.slice(9)}\0`)
}
