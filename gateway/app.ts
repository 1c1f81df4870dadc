/**
 * The pipeline: the way of a request, as a table of contents.
 *
 *     raw request -> protocol recognises -> what is asked, claim -> verify -> Grant
 *                 -> clear -> remember -> Admitted -> verb -> protocol responds
 *
 * Any stage may refuse; a protocol renders its refusals in one place, and the exchange is told of
 * in one line.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../key/refusal.ts'
import type { Awaitable } from '../ledger/ledger.ts'
import { clientOf } from './client.ts'
import { Exchange } from './exchange.ts'
import { checkCookieOrigin } from './origin.ts'
import { endpoints } from './protocols/endpoints.ts'
import { form } from './protocols/form.ts'
import { native } from './protocols/native.ts'
import { partial } from './protocols/partial.ts'
import { ALLOWED, asRefusal } from './protocols/problem.ts'
import type { Protocol } from './protocols/protocol.ts'
import { s3 } from './protocols/s3/s3.ts'
import { sts } from './protocols/s3/sts.ts'
import { tus } from './protocols/tus/tus.ts'
import { hasBody, type RawRequest, readRequest } from './request.ts'
import { respond, writeHead } from './respond.ts'
import type { Services } from './services.ts'

export const SHUTTING_DOWN = new Refusal(
  'unavailable',
  'this gateway is shutting down; send the request again in a moment',
)

/**
 * Answers one request, at once where everything is at hand; neither throws nor rejects.
 * @param onEnd told when the response has ended and everything about it is known
 */
export function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  services: Services,
  onEnd: (exchange: Exchange) => void,
): Awaitable<void> {
  const exchange = new Exchange(incoming, outgoing, services.clock.monotonic())
  let protocol = native
  try {
    const request = read(exchange, services)
    protocol = protocolOf(request, services)
    const serving = serve(protocol, request, exchange, services)
    if (serving instanceof Promise) return later(serving, protocol, exchange, services, onEnd)
  } catch (error) {
    refuse(protocol, exchange, error, services)
  }
  whenEnded(exchange, onEnd)
}

async function later(
  serving: Promise<void>,
  protocol: Protocol,
  exchange: Exchange,
  services: Services,
  onEnd: (exchange: Exchange) => void,
): Promise<void> {
  try {
    await serving
  } catch (error) {
    refuse(protocol, exchange, error, services)
  }
  whenEnded(exchange, onEnd)
}

/** A response has ended when all of it is with the operating system, or nobody is there to read it. */
function whenEnded(exchange: Exchange, onEnd: (exchange: Exchange) => void): void {
  const { outgoing } = exchange
  if (outgoing.closed || outgoing.writableFinished) onEnd(exchange)
  else outgoing.once('close', () => onEnd(exchange))
}

const PROTOCOLS: readonly Protocol[] = [native, s3, sts, form, tus, partial, endpoints]

/**
 * The one protocol that a request is of; one that shows no credential of any is the native one's.
 * @throws Refusal key_ambiguous
 */
function protocolOf(request: RawRequest, services: Services): Protocol {
  let claiming: Protocol | undefined
  for (const protocol of PROTOCOLS) {
    if (!protocol.recognises(request, services)) continue
    if (claiming !== undefined) throw ambiguous(request, services)
    claiming = protocol
  }
  return claiming ?? native
}

function ambiguous(request: RawRequest, services: Services): Refusal {
  const claiming = PROTOCOLS.filter((protocol) => protocol.recognises(request, services))
  const names = claiming.map(({ name }) => name).join(' and ')
  return new Refusal(
    'key_ambiguous',
    `send one credential only: this request has those of ${names}`,
  )
}

function read(exchange: Exchange, services: Services): RawRequest {
  const { basePath, trustedProxies } = services.settings
  const request = readRequest(exchange.incoming, basePath)
  exchange.request = request
  exchange.client = clientOf(exchange.incoming.socket, request.headers, trustedProxies)
  return request
}

const TAKES_BODY: ReadonlySet<string> = new Set(['PUT', 'POST', 'PATCH'])

function serve(
  protocol: Protocol,
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Awaitable<void> {
  if (services.isDraining()) throw SHUTTING_DOWN
  // a body that nobody asked for is not read: the connection ends with the response
  if (!TAKES_BODY.has(request.method) && hasBody(exchange.incoming)) {
    exchange.outgoing.shouldKeepAlive = false
  }
  if (request.method === 'OPTIONS') return preflight(protocol, request, exchange, services)
  checkCookieOrigin(request, exchange.client, services.publicUrls)
  return protocol.serve(request, exchange, services)
}

/** A browser asks before it sends; without `Origin` it is somebody asking what is served. */
async function preflight(
  protocol: Protocol,
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  const offer = protocol.offers?.(services)
  if (!request.headers.has('origin')) {
    const allowed = offer === undefined ? ALLOWED : `${offer.methods}, OPTIONS`
    return respond(exchange, services, 204, ['Allow', allowed, ...(offer?.headers ?? [])])
  }
  exchange.grant = await protocol.preflight(request, exchange, services)
  const headers = services.cors.preflight(request.headers, exchange.grant, offer?.methods)
  respond(exchange, services, 204, [...headers, ...(offer?.headers ?? [])])
}

/** How much of a refused upload is read, so that the client sees the refusal before the connection ends. */
const LINGER_BYTES = 1 << 20
const LINGER_MILLISECONDS = 2000

function refuse(protocol: Protocol, exchange: Exchange, error: unknown, services: Services): void {
  const refusal = asRefusal(error)
  exchange.refusal ??= refusal
  if (refusal.status >= 500) exchange.fault = refusal.cause
  const { incoming, outgoing } = exchange
  if (outgoing.headersSent || outgoing.destroyed) {
    // what was sent so far must not be taken for the whole
    outgoing.destroy()
    return
  }
  const { status, headers, body } = protocol.problemOf(refusal, exchange)
  if (incoming.complete || !hasBody(incoming)) {
    respond(exchange, services, status, headers, body)
    return
  }
  outgoing.shouldKeepAlive = false
  const length = String(Buffer.byteLength(body))
  writeHead(exchange, services, status, [...headers, 'Content-Length', length])
  outgoing.write(body)
  linger(exchange)
}

/**
 * Ending the connection while a client still sends would make its kernel throw the refusal away
 * unread. So a little more is read, to nowhere, and then it is ended.
 */
function linger({ incoming, outgoing }: Exchange): void {
  let left = LINGER_BYTES
  const done = (): void => {
    clearTimeout(timer)
    outgoing.end()
  }
  const timer = setTimeout(done, LINGER_MILLISECONDS)
  incoming.removeAllListeners('data')
  incoming.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left <= 0) done()
  })
  incoming.once('end', done)
  incoming.once('close', () => clearTimeout(timer))
  incoming.on('error', () => {})
  incoming.resume()
}
