/** One line in the log for each request, from an allowlist: never a query, a token, a cookie. */
import type { Logger } from 'pino'
import type { Exchange } from './exchange.ts'

export function logExchange(log: Logger, exchange: Exchange, now: number): void {
  const { request, grant, refusal, fault, outgoing, client } = exchange
  const line = {
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
  }
  if (fault === undefined) log.info(line, 'request')
  else log.error({ ...line, err: fault }, 'request failed')
}

/** A link that somebody encoded once too often carries its key in the path. */
const withoutKeys = (path: string): string => path.replace(/vk1(?:sk)?\.[\w.-]+/g, 'vk1…')
