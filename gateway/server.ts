/** The public listener: node:http with our limits, `Expect: 100-continue` in our hands, no magic. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Refusal, type RefusalCode } from '../key/refusal.ts'
import type { ListenAddress } from '../listener/address.ts'
import { createListener, type TlsMaterial } from '../listener/tls.ts'
import { refuseRaw, whyUnreadable } from '../listener/unreadable.ts'
import { peerOf } from './client.ts'
import type { GatewaySettings } from './config.ts'
import { nextId } from './exchange.ts'
import { KEEP_ALIVE_TIMEOUT } from './head.ts'
import { problemOf } from './protocols/problem.ts'
import { isSilent } from './turns.ts'

const HEADER_BYTES = 16 * 1024
const HEADERS_TIMEOUT = 10_000

/** How often connections are looked at whose headers take too long, in milliseconds. */
const CHECKING_INTERVAL = 1000

const OPTIONS: ServerOptions = {
  maxHeaderSize: HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
  connectionsCheckingInterval: CHECKING_INTERVAL,
  // uploads take as long as they take: their progress is watched instead
  requestTimeout: 0,
  // refused by us, with a body that says so
  requireHostHeader: false,
}

export type RequestHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/** What there is to log of a request that never became one. */
export interface Unreadable {
  readonly id: string
  readonly status: number
  readonly code: RefusalCode
  readonly address: string
}

export function makeServer(
  settings: Pick<GatewaySettings, 'maxConnections'>,
  handler: RequestHandler,
  onUnreadable: (refused: Unreadable) => void = () => {},
  tls?: TlsMaterial,
): Server {
  const server = createListener(OPTIONS, tls)
  server.on('request', handler)
  // counted by us: Node would silently drop what is above
  server.maxHeadersCount = 0
  server.maxConnections = settings.maxConnections
  // without this, Node sends `100 Continue` before anybody has looked at the key
  server.on('checkContinue', handler)
  // what else may be expected, the handler refuses
  server.on('checkExpectation', handler)
  const refuse = (refusal: Refusal, socket: Socket): void => {
    if (!socket.writable || !isSilent(socket)) {
      socket.destroy()
      return
    }
    onUnreadable(refused(refusal, socket))
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuse(new Refusal(...whyUnreadable(error.code)), socket),
  )
  server.on('connect', (_: IncomingMessage, socket: Socket) => {
    // Node lets go of the socket: its errors are ours now
    socket.on('error', () => socket.destroy())
    refuse(new Refusal('method_not_allowed', 'this is no proxy: CONNECT is not served'), socket)
  })
  return server
}

function refused(refusal: Refusal, socket: Socket): Unreadable {
  const { status, code } = refusal
  const id = nextId()
  const { headers, body } = problemOf(refusal, id)
  refuseRaw(socket, { status, headers: [...headers, 'X-Request-Id', id], body })
  return { id, status, code, address: peerOf(socket) }
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
