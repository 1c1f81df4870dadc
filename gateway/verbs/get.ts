/** GET and HEAD of an object. */
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Admitted, Use } from '../admit.ts'
import { evaluateRead, rangeCounts } from '../body/conditional.ts'
import { type ByteRange, parseRange, UnsatisfiableRange } from '../body/range.ts'
import { cutOff, sendBytes } from '../body/send.ts'
import type { Exchange } from '../exchange.ts'
import type { Headers } from '../request.ts'
import type { Services } from '../services.ts'
import type { ObjectInfo, OpenObject } from '../store/store.ts'

/** What is to be answered; where there is a body, {@link deliver} sends and closes it. */
export interface Download {
  readonly status: 200 | 206 | 304
  readonly info: ObjectInfo
  readonly range: ByteRange
  /** whether the range is that of a part, and not one that the client stated */
  readonly isPart: boolean
  readonly body?: { readonly object: OpenObject; readonly use: Use | undefined }
}

/** What a request asks of the object, beside its path. */
export interface ReadRequest {
  /** preconditions and `Range` */
  readonly headers: Headers
  /** only this part, from 1, of an object that was put together; `Range` does not count then */
  readonly part?: number
}

export const absent = (): Refusal =>
  new Refusal('object_not_found', 'there is no object of this name')

/** @throws Refusal object_not_found, precondition_failed, range_unsatisfiable */
export async function head(
  admitted: Admitted,
  services: Services,
  request: ReadRequest,
): Promise<Download> {
  const info = await services.store.head(admitted.attempt.path as ObjectPath)
  if (info === undefined) throw absent()
  // RFC 9110 §14.2: Range is for GET alone
  return planned(info, request, partAsked)
}

/** @throws Refusal object_not_found, precondition_failed, range_unsatisfiable, uses_exhausted */
export async function get(
  admitted: Admitted,
  services: Services,
  request: ReadRequest,
): Promise<Download> {
  const object = await services.store.open(admitted.attempt.path as ObjectPath)
  if (object === undefined) throw absent()
  try {
    const download = planned(object.info, request, rangeAsked)
    if (download.status === 304) {
      object.close()
      return download
    }
    // the first byte is about to be sent: only now a use is taken
    const { etag, size } = object.info
    const use = await services.gatekeeper.takeUse(admitted, { etag, size, ...download.range })
    return { ...download, body: { object, use } }
  } catch (error) {
    object.close()
    throw error
  }
}

function planned(info: ObjectInfo, request: ReadRequest, rangeOf: typeof rangeAsked): Download {
  const facts = { info, range: { start: 0, end: info.size }, isPart: request.part !== undefined }
  if (evaluateRead(request.headers, info) === 'not-modified') return { ...facts, status: 304 }
  const range = rangeOf(info, request)
  return range === undefined ? { ...facts, status: 200 } : { ...facts, status: 206, range }
}

function rangeAsked(info: ObjectInfo, request: ReadRequest): ByteRange | undefined {
  if (request.part !== undefined) return partAsked(info, request)
  const { headers } = request
  const range = headers.get('range')
  return range !== undefined && rangeCounts(headers, info)
    ? parseRange(range, info.size)
    : undefined
}

/** An object that was not put together is its own only part. @throws UnsatisfiableRange */
function partAsked({ size, meta }: ObjectInfo, { part }: ReadRequest): ByteRange | undefined {
  if (part === undefined) return undefined
  const sizes = meta?.partSizes ?? [size]
  const length = sizes[part - 1]
  if (length === undefined) throw new UnsatisfiableRange(size)
  const start = sizes.slice(0, part - 1).reduce((sum, one) => sum + one, 0)
  return { start, end: start + length }
}

/**
 * Writes the head, sends the body, closes the object and settles the use.
 * @throws Damaged, with the response not ended
 */
export async function deliver(
  { info, range, body }: Download,
  admitted: Admitted,
  exchange: Exchange,
  { transfers }: Services,
  head: () => void,
): Promise<void> {
  const { outgoing } = exchange
  const transfer = transfers.begin({
    grant: admitted.grant,
    path: info.path,
    direction: 'out',
    cut: (why) => {
      exchange.refusal = why
      cutOff(outgoing)
    },
  })
  const progress = { sent: 0, handed: 0 }
  try {
    head()
    if (body !== undefined) await sendBytes(outgoing, body.object, range, transfer, progress)
  } finally {
    exchange.bytesOut = progress.sent
    transfers.end(transfer)
    body?.object.close()
    await body?.use?.settle(progress.sent, progress.handed)
  }
}
