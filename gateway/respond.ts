/** The head of every response, and the bodies of small ones. */
import { depart } from './departures.ts'
import type { Exchange, FlatHeaders } from './exchange.ts'
import { writeHeadOf } from './head.ts'
import type { Services } from './services.ts'

/** Writes the head, with what every response carries: request id, CORS where granted. */
export function writeHead(
  exchange: Exchange,
  { cors }: Services,
  status: number,
  headers: readonly string[],
  more: FlatHeaders = [],
): void {
  const origin = exchange.request?.headers.get('origin')
  const granted = cors.headers(origin, exchange.grant, () => [...headers, ...more])
  const own = [...more, ...granted, 'X-Request-Id', exchange.id]
  writeHeadOf(exchange.outgoing, status, headers, own)
}

/** A response without a body, or with a short one: it leaves at the end of this turn. */
export function respond(
  exchange: Exchange,
  services: Services,
  status: number,
  headers: FlatHeaders,
  body?: string,
): void {
  const length = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]
  writeHead(exchange, services, status, [...headers, ...length])
  const isHead = exchange.incoming.method === 'HEAD'
  depart(() => exchange.outgoing.end(isHead ? undefined : body))
}

export const respondJson = (
  exchange: Exchange,
  services: Services,
  status: number,
  headers: FlatHeaders,
  value: unknown,
): void =>
  respond(
    exchange,
    services,
    status,
    ['Content-Type', 'application/json', 'Cache-Control', 'private, no-store', ...headers],
    `${JSON.stringify(value)}\n`,
  )
