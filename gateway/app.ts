/**
 * The pipeline: the way of a request, as a table of contents.
 *
 *     raw request -> action, claim -> verify -> Grant -> clear -> remember -> Admitted -> verb -> response
 *
 * Any stage may refuse; a refusal is rendered in one place and the exchange is told of in one line.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../key/refusal.ts'
import { attemptOf } from './attempt.ts'
import { clientOf } from './client.ts'
import { Exchange } from './exchange.ts'
import { actionOf, claimOf, perform } from './protocols/native.ts'
import { ALLOWED, asRefusal, problemOf } from './protocols/problem.ts'
import { hasBody, readRequest } from './request.ts'
import { respond, writeHead } from './respond.ts'
import type { Services } from './services.ts'

export const SHUTTING_DOWN = new Refusal(
  'unavailable',
  'this gateway is shutting down; send the request again in a moment',
)

/**
 * Answers one request; never rejects.
 * @param onEnd told when the response has ended and everything about it is known
 */
export async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  services: Services,
  onEnd: (exchange: Exchange) => void,
): Promise<void> {
  const exchange = new Exchange(incoming, outgoing, services.clock.monotonic())
  try {
    await serve(exchange, services)
  } catch (error) {
    refuse(exchange, error, services)
  }
  if (outgoing.closed) onEnd(exchange)
  else outgoing.once('close', () => onEnd(exchange))
}

async function serve(exchange: Exchange, services: Services): Promise<void> {
  const request = readRequest(exchange.incoming, services.settings.basePath)
  exchange.request = request
  exchange.client = clientOf(
    exchange.incoming.socket,
    request.headers,
    services.settings.trustedProxies,
  )
  if (services.isDraining()) throw SHUTTING_DOWN
  // a body that nobody asked for is not read: the connection ends with the response
  if (request.method !== 'PUT' && hasBody(exchange.incoming)) {
    exchange.outgoing.shouldKeepAlive = false
  }
  if (request.method === 'OPTIONS') return preflight(exchange, services)
  const action = actionOf(request)
  const claimed = claimOf(request)
  const grant = await services.gatekeeper.verify(claimed)
  exchange.grant = grant
  const attempt = attemptOf(action, request, exchange.client, services.clock.now())
  const admitted = await services.gatekeeper.admit(grant, attempt)
  await perform(action, admitted, exchange, services)
}

/** A browser asks before it sends; without `Origin` it is somebody asking what is served. */
async function preflight(exchange: Exchange, services: Services): Promise<void> {
  const { request } = exchange
  if (request === undefined || !request.headers.has('origin')) {
    return respond(exchange, services, 204, ['Allow', ALLOWED])
  }
  if (request.query.some(([name]) => name === 'vk')) {
    exchange.grant = await services.gatekeeper.verify(claimOf(request))
  }
  const headers = services.cors.preflight(request.headers, exchange.grant)
  respond(exchange, services, 204, headers)
}

/** How much of a refused upload is read, so that the client sees the refusal before the connection ends. */
const LINGER_BYTES = 1 << 20
const LINGER_MILLISECONDS = 2000

function refuse(exchange: Exchange, error: unknown, services: Services): void {
  const refusal = asRefusal(error)
  exchange.refusal ??= refusal
  if (refusal.status >= 500) exchange.fault = refusal.cause
  const { incoming, outgoing } = exchange
  if (outgoing.headersSent || outgoing.destroyed) {
    // what was sent so far must not be taken for the whole
    outgoing.destroy()
    return
  }
  const { headers, body } = problemOf(refusal, exchange.id)
  if (incoming.complete || !hasBody(incoming)) {
    respond(exchange, services, refusal.status, headers, body)
    return
  }
  outgoing.shouldKeepAlive = false
  const length = String(Buffer.byteLength(body))
  writeHead(exchange, services, refusal.status, [...headers, 'Content-Length', length])
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
