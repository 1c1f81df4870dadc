/** GET and HEAD of an object. */
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { Admitted } from '../admit.ts'
import { andThen } from '../awaitable.ts'
import { evaluateRead, rangeCounts } from '../body/conditional.ts'
import { type ByteRange, parseRange, UnsatisfiableRange } from '../body/range.ts'
import type { Headers } from '../request.ts'
import type { Services } from '../services.ts'
import type { ObjectInfo, OpenObject } from '../store/store.ts'
import type { Use } from '../use.ts'

/** What is to be answered; whoever sends the body closes it. */
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
export function head(
  admitted: Admitted,
  services: Services,
  request: ReadRequest,
): Awaitable<Download> {
  return andThen(services.store.head(admitted.attempt.path as ObjectPath), (info) => {
    if (info === undefined) throw absent()
    // RFC 9110 §14.2: Range is for GET alone
    return planned(info, request, partAsked)
  })
}

/** @throws Refusal object_not_found, precondition_failed, range_unsatisfiable, uses_exhausted */
export function get(
  admitted: Admitted,
  services: Services,
  request: ReadRequest,
): Awaitable<Download> {
  return andThen(services.store.open(admitted.attempt.path as ObjectPath), (object) => {
    if (object === undefined) throw absent()
    const failed = (error: unknown): never => {
      object.close()
      throw error
    }
    try {
      const download = opened(object, admitted, services, request)
      return download instanceof Promise ? download.catch(failed) : download
    } catch (error) {
      return failed(error)
    }
  })
}

function opened(
  object: OpenObject,
  admitted: Admitted,
  { gatekeeper }: Services,
  request: ReadRequest,
): Awaitable<Download> {
  const download = planned(object.info, request, rangeAsked)
  if (download.status === 304) {
    object.close()
    return download
  }
  const { status, info, range, isPart } = download
  const { etag, size } = info
  const { start, end } = range
  // the first byte is about to be sent: only now a use is taken
  return andThen(gatekeeper.takeUse(admitted, { transfer: { etag, size, start, end } }), (use) => {
    return { status, info, range, isPart, body: { object, use } }
  })
}

function planned(info: ObjectInfo, request: ReadRequest, rangeOf: typeof rangeAsked): Download {
  const whole = { start: 0, end: info.size }
  const isPart = request.part !== undefined
  if (evaluateRead(request.headers, info) === 'not-modified') {
    return { status: 304, info, range: whole, isPart }
  }
  const range = rangeOf(info, request)
  return { status: range === undefined ? 200 : 206, info, range: range ?? whole, isPart }
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
