/** One line in the log for a request, from an allowlist: never a query, a token, a cookie. */
import type { Logger } from 'pino'
import { withoutKeys } from '../audit/text.ts'
import { traceIdOf } from '../audit/trace.ts'
import type { Exchange } from './exchange.ts'

/**
 * What went wrong on our side is always logged; the rest where somebody wants it, since the audit has
 * it, for less.
 * @param now monotonic milliseconds
 */
export function logExchange(
  log: Logger,
  exchange: Exchange,
  now: number,
  accessLog: boolean,
): void {
  const { refusal, fault } = exchange
  if (fault !== undefined) log.error({ ...lineOf(exchange, now), err: fault }, 'request failed')
  else if (refusal !== undefined && refusal.status >= 500) {
    log.warn({ ...lineOf(exchange, now), detail: refusal.detail }, 'request not served')
  } else if (accessLog) log.info(lineOf(exchange, now), 'request')
}

function lineOf(exchange: Exchange, now: number): object {
  const { request, grant, refusal, outgoing, client } = exchange
  return {
    id: exchange.id,
    method: request?.method,
    path: request && withoutKeys(request.path),
    status: outgoing.headersSent ? outgoing.statusCode : undefined,
    code: refusal?.code,
    kid: grant?.kid,
    jti: grant?.id,
    sub: grant?.subjects[0],
    address: client.address,
    in: exchange.bytesIn,
    out: exchange.bytesOut,
    ms: Math.round((now - exchange.began) * 10) / 10,
    trace: traceIdOf(request?.headers.get('traceparent')),
  }
}
