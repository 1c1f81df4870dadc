/** The response that an object is sent in, whatever the protocol. */
import type { Refusal } from '../key/refusal.ts'
import type { Awaitable } from '../ledger/ledger.ts'
import type { Admitted } from './admit.ts'
import { andThen } from './awaitable.ts'
import { contentAtHand, cutOff, type Progress, sendAtOnce, sendBytes } from './body/send.ts'
import type { Shown } from './caching.ts'
import { depart } from './departures.ts'
import type { Exchange, FlatHeaders } from './exchange.ts'
import { type HandedOver, handedOver } from './offload.ts'
import { writeHead } from './respond.ts'
import { servedHeaders } from './served.ts'
import type { Services } from './services.ts'
import type { Transfer } from './transfers.ts'
import type { Download } from './verbs/get.ts'

interface Sending {
  readonly download: Download
  readonly admitted: Admitted
  readonly exchange: Exchange
  readonly services: Services
  readonly shown: Shown
  /** headers of the protocol's own */
  readonly extra: FlatHeaders
}

/**
 * Writes the head, sends the body, closes the object and settles the use.
 * @param shown how the request showed its credential
 * @param extra headers of the protocol's own
 * @throws Damaged, with the response not ended
 */
export function sendObject(
  download: Download,
  admitted: Admitted,
  exchange: Exchange,
  services: Services,
  shown: Shown,
  extra: FlatHeaders = [],
): Awaitable<void> {
  const { body, isPart } = download
  const sending = { download, admitted, exchange, services, shown, extra }
  if (body === undefined) {
    writeObjectHead(sending)
    depart(() => exchange.outgoing.end())
    return
  }
  // the server in front knows ranges, but no parts
  const handed = isPart ? undefined : handing(sending, body)
  return handed === undefined ? deliver(sending) : handOver(sending, handed)
}

type Body = NonNullable<Download['body']>

const handing = (sending: Sending, { object, use }: Body): HandedOver | undefined => {
  const { exchange, services, extra } = sending
  // what it takes is gathered only where files are handed over at all
  if (services.settings.offload === 'none') return undefined
  const served = servedOf(sending)
  return handedOver({ object, served, extra, rate: use?.rate }, exchange, services)
}

function writeObjectHead(sending: Sending): void {
  const { download, exchange, services, extra } = sending
  const more = [...extra, ...framing(download)]
  writeHead(exchange, services, download.status, servedOf(sending), more)
}

const servedOf = ({ download, admitted, shown }: Sending): readonly string[] =>
  servedHeaders(download.info, admitted.grant, shown, admitted.attempt.now)

/** How much of the object is sent, and which part. */
function framing({ status, info, range: { start, end } }: Download): FlatHeaders {
  if (status === 304) return []
  const length = ['Content-Length', String(end - start)]
  if (status === 200) return length
  return [...length, 'Content-Range', `bytes ${start}-${end - 1}/${info.size}`]
}

/** The server in front looks at `Range` itself, so it is told of the whole object. */
function handOver(
  { download, exchange, services }: Sending,
  { fields, more }: HandedOver,
): Awaitable<void> {
  const { range, body } = download
  body?.object.close()
  exchange.bytesOut = range.end - range.start
  return andThen(body?.use?.settle(exchange.bytesOut), () => {
    writeHead(exchange, services, 200, fields, [...more, 'Content-Length', '0'])
    depart(() => exchange.outgoing.end())
  })
}

function deliver(sending: Sending): Awaitable<void> {
  const { download, exchange } = sending
  const { range, body } = download
  const progress: Progress = { sent: 0, handed: 0 }
  const content =
    body === undefined || body.use !== undefined ? undefined : contentAtHand(body.object, range)
  if (content === undefined) return watched(sending, progress)
  body?.object.close()
  writeObjectHead(sending)
  depart(() => {
    const leaving = sendAtOnce(exchange.outgoing, content, progress)
    exchange.bytesOut = progress.sent
    // most clients have taken it all by now; the others are watched
    if (leaving instanceof Promise) void watched(sending, progress, leaving)
  })
}

/**
 * Cuts the response when it is too slow, or its key is revoked meanwhile.
 * @param leaving what is on its way already
 */
async function watched(
  sending: Sending,
  progress: Progress,
  leaving?: Promise<void>,
): Promise<void> {
  const { download, admitted, exchange, services } = sending
  const { transfers, pacing } = services
  const { grant } = admitted
  const pace = pacing.of(grant)
  const cut = (why: Refusal): void => {
    exchange.refusal = why
    pace?.stop()
    cutOff(exchange.outgoing)
  }
  const { path } = download.info
  const transfer = transfers.begin({ grant, path, direction: 'out', cut, pace })
  try {
    await (leaving ?? sent(sending, transfer, progress))
  } finally {
    exchange.bytesOut = progress.sent
    transfers.end(transfer)
  }
}

async function sent(sending: Sending, transfer: Transfer, progress: Progress): Promise<void> {
  const { range, body } = sending.download
  try {
    writeObjectHead(sending)
    if (body !== undefined) {
      await sendBytes(sending.exchange.outgoing, body.object, range, transfer, progress)
    }
  } finally {
    body?.object.close()
    await body?.use?.settle(progress.sent, progress.handed)
  }
}
