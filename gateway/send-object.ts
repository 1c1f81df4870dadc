/** The response that an object is sent in, whatever the protocol. */
import type { Awaitable } from '../ledger/ledger.ts'
import type { Admitted } from './admit.ts'
import type { Exchange, FlatHeaders } from './exchange.ts'
import { offloadHeader } from './offload.ts'
import { respond, writeHead } from './respond.ts'
import { servedHeaders } from './served.ts'
import type { Services } from './services.ts'
import { type Download, deliver } from './verbs/get.ts'

/** @param extra headers of the protocol's own */
export function sendObject(
  download: Download,
  admitted: Admitted,
  exchange: Exchange,
  services: Services,
  extra: FlatHeaders = [],
): Awaitable<void> {
  const { status, info, body, isPart } = download
  const isInHeader = exchange.request?.headers.has('authorization') === true
  const served = (): readonly string[] =>
    servedHeaders(info, admitted.grant, admitted.attempt.now, isInHeader)
  const head = (): void =>
    writeHead(exchange, services, status, served(), extra.concat(framing(download)))
  // the server in front knows ranges, but no parts
  const handedOver =
    body && !isPart ? offloadHeader(body.object, exchange, services, body.use?.rate) : undefined
  if (handedOver !== undefined) {
    const headers = [...served(), ...extra, ...handedOver, 'Content-Length', '0']
    return handOver(download, exchange, services, headers)
  }
  if (body !== undefined) return deliver(download, admitted, exchange, services, head)
  head()
  exchange.outgoing.end()
}

/** How much of the object is sent, and which part. */
function framing({ status, info, range: { start, end } }: Download): FlatHeaders {
  if (status === 304) return []
  const length = ['Content-Length', String(end - start)]
  if (status === 200) return length
  return [...length, 'Content-Range', `bytes ${start}-${end - 1}/${info.size}`]
}

/** The server in front looks at `Range` itself, so it is told of the whole object. */
async function handOver(
  { range, body }: Download,
  exchange: Exchange,
  services: Services,
  headers: FlatHeaders,
): Promise<void> {
  body?.object.close()
  exchange.bytesOut = range.end - range.start
  await body?.use?.settle(exchange.bytesOut)
  respond(exchange, services, 200, headers)
}
