/** The public listener: node:http with our limits, `Expect: 100-continue` in our hands, no magic. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { GatewaySettings, ListenAddress } from './config.ts'

const HEADER_BYTES = 16 * 1024
const HEADERS_TIMEOUT = 10_000
const KEEP_ALIVE_TIMEOUT = 5_000

export type RequestHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => void

export function makeServer(settings: GatewaySettings, handler: RequestHandler): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      // uploads take as long as they take: their progress is watched instead
      requestTimeout: 0,
      // refused by us, with a body that says so
      requireHostHeader: false,
    },
    handler,
  )
  // counted by us: Node would silently drop what is above
  server.maxHeadersCount = 0
  server.maxConnections = settings.maxConnections
  // without this, Node sends `100 Continue` before anybody has looked at the key
  server.on('checkContinue', handler)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseUnreadable(error.code, socket)
  })
  return server
}

/** What node:http itself could not read gets an answer of the same form as every other refusal. */
const UNREADABLE = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers_too_large',
    'The header block is larger than 16 KiB',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    'too_slow',
    'The header block took longer than 10 seconds',
  ],
} as const

const MALFORMED = ['400 Bad Request', 'request_malformed', 'The request is not HTTP/1.1'] as const

function refuseUnreadable(code: string | undefined, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const [status, refusal, title] = UNREADABLE[code as keyof typeof UNREADABLE] ?? MALFORMED
  const body = JSON.stringify({
    type: `urn:valetkey:refusal:${refusal}`,
    title,
    status: Number(status.slice(0, 3)),
    code: refusal,
    detail: title,
  })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** Resolves with the port that was taken. @throws as `server.listen` does, such as EADDRINUSE */
export function listen(server: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** `http://127.0.0.1:8080`; a wildcard address is shown as one that can be opened. */
export function urlOf({ host }: ListenAddress, port: number): string {
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
