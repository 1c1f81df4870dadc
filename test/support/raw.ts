/** HTTP as bytes on a socket: for what no client library would send, and to see what really arrives. */
import { connect, type Socket } from 'node:net'

export interface RawResponse {
  readonly status: number
  /** by lower-case name */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  json(): Record<string, unknown>
}

export class RawConnection {
  readonly socket: Socket
  #chunks: Buffer[] = []
  /** bytes received and not taken yet */
  size = 0
  #wake: () => void = () => {}
  #ended = false
  failure: NodeJS.ErrnoException | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.size += chunk.length
      this.#wake()
    })
    socket.on('error', (error) => {
      this.failure = error
    })
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true
        this.#wake()
      })
    }
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawConnection(socket))
      })
    })
  }

  get received(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  #take(count: number): Buffer {
    const { received } = this
    this.#chunks = [received.subarray(count)]
    this.size -= count
    return received.subarray(0, count)
  }

  send(data: string | Uint8Array): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /** Resolves when something holds of what was received, or the server has ended the connection. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The next response, taken off what was received; undefined where the connection ended instead. */
  async response({ head = false } = {}): Promise<RawResponse | undefined> {
    await this.until(() => this.received.includes('\r\n\r\n'))
    const end = this.received.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [statusLine = '', ...lines] = this.#take(end + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1])
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    const hasBody = !head && status !== 204 && status !== 304 && status >= 200
    const length = hasBody ? Number(headers.get('content-length') ?? 0) : 0
    await this.until(() => this.size >= length)
    const body = this.#take(Math.min(length, this.size))
    return { status, headers, body, json: () => JSON.parse(body.toString('utf8')) }
  }

  /** Resolves when the server has ended the connection. */
  async ended(): Promise<void> {
    await this.until(() => false)
  }

  /** Goes on reading as over a slow line, a little at a time, until the server ends the connection. */
  async readSlowly(): Promise<void> {
    const pause = (): void => {
      this.socket.pause()
      setTimeout(() => this.socket.resume(), 10)
    }
    this.socket.on('data', pause)
    this.socket.resume()
    await this.ended()
    this.socket.off('data', pause)
  }

  /** As somebody leaves who has pulled the plug: with a reset where anything is unread. */
  destroy(): void {
    this.socket.destroy()
  }
}

/** One request on a connection of its own; undefined where the server said nothing. */
export async function exchangeRaw(
  port: number,
  data: string | Uint8Array,
): Promise<RawResponse | undefined> {
  const connection = await RawConnection.open(port)
  try {
    connection.send(data)
    return await connection.response()
  } finally {
    connection.destroy()
  }
}

/** The head of a request, with the Host header that HTTP/1.1 demands. */
export const headOf = (method: string, target: string, headers: readonly string[] = []): string =>
  [`${method} ${target} HTTP/1.1`, 'Host: files.example', ...headers, '', ''].join('\r\n')
