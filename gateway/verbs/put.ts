/** PUT: an upload, all or nothing. */
import { uploadLimits } from '../../key/clear.ts'
import { countersOf } from '../../key/counters.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import { later } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { changing } from '../audit-record.ts'
import type { ContentDigest, Received } from '../body/receive.ts'
import type { Exchange } from '../exchange.ts'
import type { Services } from '../services.ts'
import { holds, isConditional } from '../store/condition.ts'
import type { Committed, NewObject, Upload, WriteCondition } from '../store/store.ts'
import type { Use } from '../use.ts'
import { inspect } from './inspect.ts'
import { checkRoom, type OpenBody, takeIn } from './intake.ts'

/** What a request asks of its own upload, beside what the key does. */
export interface PutRequest {
  readonly condition: WriteCondition
  readonly body: OpenBody
  /** checks what the request states of its content */
  readonly digest: ContentDigest
  /** what the object is known by, once its content has passed the digest */
  readonly describe: (received: Received) => Pick<NewObject, 'etag' | 'meta'>
}

export const DEFAULT_TYPE = 'application/octet-stream'

/**
 * Takes the body and makes it the object; resolves when it survives a power cut.
 * Whatever refuses it leaves the old object as it was, and nothing of the new one behind.
 * @throws Refusal
 */
export async function put(
  admitted: Admitted,
  services: Services,
  exchange: Exchange,
  request: PutRequest,
): Promise<Committed> {
  const path = admitted.attempt.path as ObjectPath
  const condition = conditionOf(admitted, request.condition)
  await checkRoom(services, admitted)
  const isAsked = isConditional(condition) || countsFiles(admitted.grant)
  const existing = isAsked ? await services.store.head(path) : undefined
  if (!holds(condition, existing)) throw conflictOf(admitted, request)
  const use = await services.gatekeeper.takeUse(admitted, { creates: existing === undefined })
  if (use === undefined) return transferred(admitted, services, exchange, request)
  return settling(use, () =>
    transferred(admitted, services, exchange, {
      ...request,
      condition: replacing(use, request.condition),
    }),
  )
}

/** Takes what making an object needs; whether there is one is asked only where it counts. @throws Refusal */
export async function takeUploadUse(
  admitted: Admitted,
  { gatekeeper, store }: Services,
): Promise<Use | undefined> {
  const isAsked = countsFiles(admitted.grant)
  const existing = isAsked ? await store.head(admitted.attempt.path as ObjectPath) : undefined
  return gatekeeper.takeUse(admitted, { creates: existing === undefined })
}

const countsFiles = (grant: Grant): boolean => (countersOf(grant)?.files.length ?? 0) > 0

/** Where nothing was taken for a new object, the upload may only replace the one that was there. */
export const replacing = (use: Use | undefined, condition: WriteCondition): WriteCondition =>
  use?.onlyReplaces === true && condition.etags === undefined
    ? { ...condition, etags: '*' }
    : condition

/** Settles a use when it is known whether an object was made. */
export async function settling<T extends { readonly done: boolean }>(
  use: Use | undefined,
  make: () => Promise<T>,
): Promise<T> {
  let [done, created] = [0, false]
  try {
    const outcome = await make()
    if (outcome.done) done = 1
    created = 'created' in outcome && outcome.created === true
    return outcome
  } finally {
    await use?.settle(done, done, created)
  }
}

function transferred(
  admitted: Admitted,
  services: Services,
  exchange: Exchange,
  request: PutRequest,
): Promise<Committed> {
  const { grant, attempt } = admitted
  const limits = uploadLimits(grant)
  const type = attempt.upload?.type ?? DEFAULT_TYPE
  const commit = async (upload: Upload, received: Received, now: NewObject['modified']) => {
    const as: NewObject = {
      type,
      ...request.describe(received),
      sha256: received.sha256,
      modified: now,
      ...(limits.ttl !== undefined && { expires: later(now, limits.ttl) }),
    }
    const about = { size: received.size, sha256: received.sha256, type }
    const committed = await changing(admitted, services, { act: 'PUT', about }, () =>
      upload.commit(as, conditionOf(admitted, request.condition)),
    )
    if (!committed.done) throw conflictOf(admitted, request)
    return committed
  }
  const path = attempt.path as ObjectPath
  const open = () => services.store.upload(path)
  const look =
    services.inspection &&
    ((upload: Upload, { size }: Received): Promise<void> =>
      inspect(admitted, services, { type, size, read: () => upload.written() }))
  const intake = { grant, path, limits, type, open, inspect: look, commit, ...request }
  return takeIn(intake, exchange, services)
}

/** A key that may only create says so; what the request asks for comes on top. */
export const conditionOf = ({ grant }: Admitted, stated: WriteCondition): WriteCondition =>
  uploadLimits(grant).create ? { ...stated, absent: true } : stated

/** @param request its own condition, as it was stated */
export function conflictOf(
  { grant }: Admitted,
  { condition: { absent, notEtags } }: Pick<PutRequest, 'condition'>,
): Refusal {
  if (uploadLimits(grant).create && absent !== true && notEtags === undefined) {
    return new Refusal(
      'object_exists',
      'there is an object of this name, and the key may not replace it: choose another name, or ask for a key that may overwrite',
    )
  }
  return new Refusal(
    'precondition_failed',
    'the object is not in the state that the request asks for',
  )
}
