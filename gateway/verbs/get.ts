/** GET and HEAD of an object. */
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Admitted, Use } from '../admit.ts'
import { evaluateRead, rangeCounts } from '../body/conditional.ts'
import { type ByteRange, parseRange } from '../body/range.ts'
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
  readonly body?: { readonly object: OpenObject; readonly use: Use | undefined }
}

const absent = (): Refusal => new Refusal('object_not_found', 'there is no object of this name')

/** @throws Refusal object_not_found, precondition_failed */
export async function head(
  admitted: Admitted,
  services: Services,
  headers: Headers,
): Promise<Download> {
  const info = await services.store.head(admitted.attempt.path as ObjectPath)
  if (info === undefined) throw absent()
  const status = evaluateRead(headers, info) === 'send' ? 200 : 304
  return { status, info, range: { start: 0, end: info.size } }
}

/** @throws Refusal object_not_found, precondition_failed, range_unsatisfiable, uses_exhausted */
export async function get(
  admitted: Admitted,
  services: Services,
  headers: Headers,
): Promise<Download> {
  const object = await services.store.open(admitted.attempt.path as ObjectPath)
  if (object === undefined) throw absent()
  try {
    const download = plan(object.info, headers)
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

function plan(info: ObjectInfo, headers: Headers): Download {
  const whole = { start: 0, end: info.size }
  if (evaluateRead(headers, info) === 'not-modified') return { status: 304, info, range: whole }
  const asked = headers.get('range')
  const range =
    asked !== undefined && rangeCounts(headers, info) ? parseRange(asked, info.size) : undefined
  return range === undefined ? { status: 200, info, range: whole } : { status: 206, info, range }
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
