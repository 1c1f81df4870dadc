/** Copying: an object made of another one's content, without its bytes passing through here. */
import { type UploadLimits, uploadLimits } from '../../key/clear.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { later } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { changing } from '../audit-record.ts'
import { contradiction, SNIFFED_BYTES } from '../body/media-type.ts'
import type { Services } from '../services.ts'
import type { Committed, ObjectInfo, ObjectMeta, WriteCondition } from '../store/store.ts'
import { absent } from './get.ts'
import { inspectSource } from './inspect.ts'
import { checkRoom } from './intake.ts'
import { conditionOf, conflictOf, replacing, settling, takeUploadUse } from './put.ts'
import { opened, sourceGone } from './source.ts'

export interface CopyRequest {
  /** the source, as it was when its conditions were looked at */
  readonly source: ObjectInfo
  readonly condition: WriteCondition
  readonly meta: ObjectMeta
}

/**
 * What may be copied: the source must have been admitted as something to read.
 * @throws Refusal object_not_found
 */
export async function sourceOf(admitted: Admitted, { store }: Services): Promise<ObjectInfo> {
  const info = await store.head(admitted.attempt.path as ObjectPath)
  if (info === undefined) throw absent()
  return info
}

/**
 * @param admitted to upload to the target; of the source, see {@link sourceOf}
 * @throws Refusal
 */
export async function copy(
  admitted: Admitted,
  services: Services,
  request: CopyRequest,
): Promise<Committed> {
  const limits = uploadLimits(admitted.grant)
  await checkRoom(services, admitted)
  await checkSource(request.source, admitted, limits, services)
  await inspectSource(admitted, services, request.source)
  const use = await takeUploadUse(admitted, services)
  const condition = replacing(use, request.condition)
  return settling(use, () => copied(admitted, limits, services, { ...request, condition }))
}

async function copied(
  admitted: Admitted,
  limits: UploadLimits,
  services: Services,
  { source, condition, meta }: CopyRequest,
): Promise<Committed> {
  const now = services.clock.now()
  const change = { act: 'copy', about: { from: source.path, etag: source.etag } } as const
  const outcome = await changing(admitted, services, change, async () =>
    services.store.copy(
      source.path,
      admitted.attempt.path as ObjectPath,
      {
        type: admitted.attempt.upload?.type ?? source.type,
        meta,
        modified: now,
        ...(limits.ttl !== undefined && { expires: later(now, limits.ttl) }),
      },
      { source: { same: source }, target: conditionOf(admitted, condition) },
    ),
  )
  if (outcome.done) return outcome
  throw outcome.of === 'target' ? conflictOf(admitted, { condition }) : sourceGone(outcome)
}

/** What an upload of these bytes would have been held to. */
async function checkSource(
  source: ObjectInfo,
  admitted: Admitted,
  limits: UploadLimits,
  services: Services,
): Promise<void> {
  if (source.size < limits.least) {
    throw new Refusal('too_small', `the source has fewer than ${limits.least} bytes`)
  }
  if (limits.sha256.some((hash) => hash !== source.sha256)) {
    throw new Refusal('digest_mismatch', 'the source is not the content that the key is for')
  }
  if (limits.types.length === 0) return
  const head = await headBytes(source, services)
  const why = await contradiction(admitted.attempt.upload?.type ?? source.type, head)
  if (why !== undefined) throw new Refusal('type_mismatch', `${why}; declare the type that it has`)
}

async function headBytes(source: ObjectInfo, services: Services): Promise<Uint8Array> {
  const object = await opened(source, services)
  try {
    const head = Buffer.alloc(Math.min(SNIFFED_BYTES, object.info.size))
    let filled = 0
    while (filled < head.length) {
      const count = await object.read(head.subarray(filled), filled)
      if (count === 0) break
      filled += count
    }
    return head.subarray(0, filled)
  } finally {
    object.close()
  }
}
