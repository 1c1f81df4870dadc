/** Uploads in parts: begin, parts in any order, and one moment in which they become the object. */
import { uploadLimits } from '../../key/clear.ts'
import { Refusal } from '../../key/refusal.ts'
import { type Bytes, bytes, later } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { changing, checkAudit } from '../audit-record.ts'
import type { ContentDigest } from '../body/receive.ts'
import type { Exchange } from '../exchange.ts'
import type { Services } from '../services.ts'
import type {
  MultipartFailure,
  MultipartInfo,
  MultipartRef,
  NewMultipart,
  NewPart,
  PartCommitted,
  PartInfo,
  PartSource,
  PartUpload,
} from '../store/multipart.ts'
import type { Committed, NewObject, WriteCondition } from '../store/store.ts'
import { begin, probeUse } from './begin.ts'
import { inspectStaged } from './inspect.ts'
import { checkRoom, type OpenBody, takeIn } from './intake.ts'
import { conditionOf, conflictOf, replacing, settling, takeUploadUse } from './put.ts'
import { sourceGone } from './source.ts'

/** Of a part other than the last: S3's own. */
const LEAST_PART = bytes(5 << 20)

/** @throws Refusal */
export async function beginMultipart(
  admitted: Admitted,
  services: Services,
  as: Pick<NewMultipart, 'meta' | 'note'>,
): Promise<MultipartInfo> {
  checkPinned(admitted)
  return begin(admitted, services, as)
}

export interface PartRequest {
  readonly upload: MultipartInfo
  readonly number: number
  /** bytes of the part, where they are stated */
  readonly size: Bytes | undefined
  readonly body: OpenBody
  readonly digest: ContentDigest
  /** what the part is known by, once its content has passed the digest */
  readonly describe: () => Pick<NewPart, 'etag' | 'checksums'>
}

/** @throws Refusal; undefined where there is no such upload any more */
export async function putPart(
  admitted: Admitted,
  services: Services,
  exchange: Exchange,
  { upload, number, size, body, digest, describe }: PartRequest,
): Promise<PartCommitted | MultipartFailure> {
  const limits = uploadLimits(admitted.grant)
  checkPinned(admitted)
  await checkRoom(services, admitted)
  await probeUse(admitted, services)
  const { multipart } = services.store
  const most = mostOf(admitted, services)
  const beside = await multipart.bytesBeside(upload, number)
  if (beside === undefined) throw noSuchUpload()
  if (beside + (size ?? 0) > most) throw tooLargeTogether(beside + (size ?? 0), most)
  const open = async (): Promise<PartUpload> => {
    const part = await multipart.part(upload, number)
    if (part === undefined) throw noSuchUpload()
    return part
  }
  return takeIn(
    {
      grant: admitted.grant,
      path: upload.path,
      // the content is looked at where it begins; that it is not too small is known when it is whole
      limits: {
        ...limits,
        least: bytes(0),
        most: bytes(most - beside),
        types: number === 1 ? limits.types : [],
      },
      type: upload.type,
      body,
      digest,
      open,
      commit: (part, { sha256 }, now) =>
        part.commit({ ...describe(), sha256, modified: now }, { most }),
    },
    exchange,
    services,
  )
}

export const noSuchUpload = (): Refusal =>
  new Refusal('resource_not_found', 'there is no upload of this id, or none any more')

/** @throws Refusal */
export async function copyPart(
  admitted: Admitted,
  services: Services,
  { upload, number }: Pick<PartRequest, 'upload' | 'number'>,
  source: PartSource,
  as: Pick<NewPart, 'etag'>,
): Promise<PartCommitted | MultipartFailure> {
  if (number === 1 && uploadLimits(admitted.grant).types.length > 0) {
    throw new Refusal(
      'type_not_granted',
      'under a key that restricts types, the first part is uploaded and not copied',
    )
  }
  checkPinned(admitted)
  await checkRoom(services, admitted)
  await probeUse(admitted, services)
  const now = services.clock.now()
  const made = { ...as, modified: now }
  const bound = { most: mostOf(admitted, services) }
  const outcome = await services.store.multipart.copyPart(upload, number, source, made, bound)
  if (!outcome.done && 'of' in outcome) throw sourceGone(outcome)
  return outcome
}

export interface CompleteRequest {
  readonly upload: MultipartInfo
  readonly parts: readonly { readonly number: number; readonly etag: string }[]
  readonly condition: WriteCondition
  /** what the object is to be known by, of the parts that are named */
  readonly describe: (parts: readonly PartInfo[]) => Promise<Pick<NewObject, 'etag' | 'meta'>>
}

/** @throws Refusal */
export async function completeMultipart(
  admitted: Admitted,
  services: Services,
  request: CompleteRequest,
): Promise<Committed | MultipartFailure> {
  const { upload } = request
  checkAudit(services.audit)
  const named = await partsNamed(upload, request.parts, services)
  if (!Array.isArray(named)) return named as MultipartFailure
  checkPinned(admitted)
  checkWhole(admitted, named as readonly PartInfo[], services)
  await inspectStaged(admitted, services, { upload, ...wholeOf(named as readonly PartInfo[]) })
  const use = await takeUploadUse(admitted, services)
  const as = { ...request, condition: replacing(use, request.condition) }
  return settling(use, () => completed(admitted, services, as, named as readonly PartInfo[]))
}

async function completed(
  admitted: Admitted,
  services: Services,
  { upload, parts, condition, describe }: CompleteRequest,
  named: readonly PartInfo[],
): Promise<Committed | MultipartFailure> {
  const { ttl } = uploadLimits(admitted.grant)
  const now = services.clock.now()
  const as = {
    type: upload.type,
    ...(await describe(named)),
    modified: now,
    ...(ttl !== undefined && { expires: later(now, ttl) }),
  }
  const change = { act: 'complete', about: { etag: as.etag, parts: parts.length } } as const
  const outcome = await changing(admitted, services, change, async () =>
    services.store.multipart.complete(
      upload,
      { parts: named, least: LEAST_PART },
      as,
      conditionOf(admitted, condition),
    ),
  )
  if (!outcome.done && !('failed' in outcome)) throw conflictOf(admitted, { condition })
  return outcome
}

const PAGE = 1000

/** What is known of the parts that the client names, in its order. */
async function partsNamed(
  upload: MultipartRef,
  wanted: CompleteRequest['parts'],
  { store }: Services,
): Promise<readonly PartInfo[] | MultipartFailure> {
  const known = new Map<number, PartInfo>()
  let after: number | undefined = 0
  while (after !== undefined) {
    const page = await store.multipart.parts(upload, { after, limit: PAGE })
    if (page === undefined) return { done: false, failed: 'no_such_upload' }
    for (const part of page.parts) known.set(part.number, part)
    after = page.next
  }
  const named: PartInfo[] = []
  for (const { number, etag } of wanted) {
    const part = known.get(number)
    if (part?.etag !== etag) return { done: false, failed: 'invalid_part', number }
    named.push(part)
  }
  return named
}

const wholeOf = (parts: readonly PartInfo[]) => ({
  size: bytes(parts.reduce((sum, part) => sum + part.size, 0)),
  parts,
})

/** What all parts together may have, so that no more than that lies there unfinished. */
const mostOf = ({ grant }: Admitted, { settings }: Services): Bytes =>
  Math.min(uploadLimits(grant).most, settings.maxObjectSize) as Bytes

const tooLargeTogether = (size: number, most: Bytes): Refusal =>
  new Refusal('too_large', `the parts have ${size} bytes together, of ${most} allowed`)

/** What only the whole can be held to. */
function checkWhole(admitted: Admitted, parts: readonly PartInfo[], services: Services): void {
  const { least, types } = uploadLimits(admitted.grant)
  const { size } = wholeOf(parts)
  const most = mostOf(admitted, services)
  if (size > most) throw tooLargeTogether(size, most)
  if (size < least) {
    throw new Refusal('too_small', `the parts have ${size} bytes together, ${least} are expected`)
  }
  if (types.length > 0 && parts[0]?.number !== 1) {
    throw new Refusal(
      'type_mismatch',
      'under a key that restricts types, an upload begins with its part 1, whose content was looked at',
    )
  }
}

/** Nobody reads the whole again to hash it. */
function checkPinned({ grant }: Admitted): void {
  if (uploadLimits(grant).sha256.length === 0) return
  throw new Refusal(
    'method_not_granted',
    'the key is for content of one SHA-256: send it whole, not in parts',
  )
}
