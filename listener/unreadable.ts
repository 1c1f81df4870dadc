/** What node:http itself could not read is refused in the form of every other refusal. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** How long a client has to read that its request could not be read, in milliseconds. */
const FAREWELL = 1000

/**
 * Code and sentence of its refusal.
 * @param code of the error that comes with `clientError`
 */
export function whyUnreadable(
  code: string | undefined,
): readonly ['headers_too_large' | 'too_slow' | 'incomplete_body' | 'request_malformed', string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['headers_too_large', 'request line and headers take at most 16 KiB']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['too_slow', 'a request arrives in time, its headers within 10 seconds']
    case 'HPE_INVALID_EOF_STATE':
      return ['incomplete_body', 'the connection ended before the request was whole: send it again']
    default:
      return ['request_malformed', 'what was sent is not HTTP/1.1']
  }
}

interface Farewell {
  readonly status: number
  /** names and values in turn */
  readonly headers: readonly string[]
  readonly body: string
}

/** Nothing else is answered on this connection. */
export function refuseRaw(socket: Socket, { status, headers, body }: Farewell): void {
  const length = ['Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close']
  const head = [...headers, ...length]
  const lines = head.flatMap((name, at) => (at % 2 === 0 ? `${name}: ${head[at + 1]}\r\n` : []))
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () =>
    setTimeout(() => socket.destroy(), FAREWELL).unref(),
  )
}
