/**
 * Uploads that go on where they broke off. What a request brings is kept as a part, also when the
 * request breaks off, and each part knows how far the upload is with it: so the offset is what is
 * durable, for every process. The parts become the object when the last byte is there.
 */
import { uploadLimits } from '../../key/clear.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { type Bytes, bytes, later, type UnixSeconds } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { changing, checkAudit } from '../audit-record.ts'
import { etagOf } from '../body/digest.ts'
import { checkContent, checkPinned, tooLarge, tooSmall } from '../body/receive.ts'
import { ResumableDigest } from '../body/resumable-digest.ts'
import type { Services } from '../services.ts'
import type { CompletedObject, MultipartInfo, MultipartRef, PartList } from '../store/multipart.ts'
import type { WriteCondition } from '../store/store.ts'
import { begin } from './begin.ts'
import { inspectStaged } from './inspect.ts'
import { noSuchUpload } from './multipart.ts'
import { conditionOf, conflictOf, replacing, settling, takeUploadUse } from './put.ts'

/** What is known of an upload from its beginning to its end. */
export interface Begun {
  /** which key began it: no other goes on with it */
  readonly key: string
  /** what the protocol wants to find again */
  readonly told: string
}

/** How far an upload is. */
export interface Progress extends Begun {
  readonly upload: MultipartInfo
  readonly offset: Bytes
  /** of the whole; absent while nobody has said */
  readonly length?: Bytes
  /** number of the part that comes next */
  readonly next: number
  /** of the SHA-256 up to the offset; absent at the beginning */
  readonly state?: string
  /** base64url of the first bytes, while there are too few to be held against the declared type */
  readonly head?: string
}

/** An upload that has become an object. */
export interface Finished extends Begun {
  readonly path: ObjectPath
  /** when the upload was begun */
  readonly created: UnixSeconds
  readonly size: Bytes
  readonly type: string
  readonly etag: string
  readonly sha256: string
}

/** What the store keeps for us, as JSON: of the upload, of each of its parts, of its end. */
interface UploadNote extends Begun {
  readonly resumable: 1
  readonly length?: Bytes
}
export type PartNote = Pick<Progress, 'offset' | 'length' | 'head'> & { readonly state: string }
type EndNote = Omit<Finished, 'path'>

/** @throws Refusal */
export async function beginResumable(
  admitted: Admitted,
  services: Services,
  as: Begun,
): Promise<Progress> {
  const size = admitted.attempt.upload?.size
  const length = size === undefined ? {} : { length: size }
  const note: UploadNote = { resumable: 1, ...as, ...length }
  const upload = await begin(admitted, services, { note: JSON.stringify(note) })
  return { ...as, ...length, upload, offset: bytes(0), next: 1 }
}

/** What there is of this id, on its way or whole; undefined where there is nothing, or not any more. */
export async function findResumable(
  ref: MultipartRef,
  { store: { multipart } }: Services,
): Promise<Progress | Finished | undefined> {
  const upload = await multipart.find(ref)
  if (upload === undefined) {
    const ended = await multipart.recall(ref)
    return ended === undefined ? undefined : { path: ref.path, ...(JSON.parse(ended) as EndNote) }
  }
  if (!upload.note.startsWith('{"resumable":1,')) return undefined
  const { key, told, length } = JSON.parse(upload.note) as UploadNote
  const begun = { key, told, upload, ...(length !== undefined && { length }) }
  const last = await multipart.lastPart(ref)
  if (last === undefined) return { ...begun, offset: bytes(0), next: 1 }
  if (last.note === undefined) return undefined
  const at = JSON.parse(last.note) as PartNote
  // of another version of the library: nobody could say what the whole is
  if (!(await ResumableDigest.reads(at.state))) return undefined
  return { ...begun, ...at, next: last.number + 1 }
}

export const isFinished = (found: Progress | Finished): found is Finished => 'sha256' in found

export const isWhole = ({ offset, length }: Progress): boolean => offset === length

/**
 * Makes an upload that is whole the object. What can never become one ends with the refusal; where
 * another process was faster, its object is it.
 * @throws Refusal
 */
export async function finishResumable(
  admitted: Admitted,
  services: Services,
  progress: Progress,
): Promise<Finished> {
  try {
    return await finishNow(admitted, services, progress)
  } catch (error) {
    const found = await findResumable(progress.upload, services)
    if (found !== undefined && isFinished(found)) return found
    throw error
  }
}

async function finishNow(
  admitted: Admitted,
  services: Services,
  progress: Progress,
): Promise<Finished> {
  checkAudit(services.audit)
  const sha256 = await checkedWhole(admitted, services, progress)
  await inspectWhole(admitted, services, progress)
  const use = await takeUploadUse(admitted, services)
  const condition = conditionOf(admitted, replacing(use, {}))
  const { finished } = await settling(use, () =>
    completed(admitted, services, progress, sha256, condition),
  )
  return finished
}

async function inspectWhole(
  admitted: Admitted,
  services: Services,
  { upload, offset: size }: Progress,
): Promise<void> {
  if (services.inspection === undefined) return
  const parts = await partsOf(upload, services.store)
  await inspectStaged(admitted, services, { upload, size, parts })
}

/** The SHA-256 of the whole. */
async function checkedWhole(
  { grant }: Admitted,
  { store, settings }: Services,
  { upload, offset, state, head }: Progress,
): Promise<string> {
  const limits = uploadLimits(grant)
  try {
    const most = Math.min(limits.most, settings.maxObjectSize)
    if (offset > most) throw tooLarge(most)
    if (offset < limits.least) throw tooSmall(offset, limits.least)
    if (head !== undefined) {
      await checkContent({ type: upload.type, limits }, [Buffer.from(head, 'base64url')])
    }
    const sha256 = (await ResumableDigest.start(state)).finish()
    checkPinned(sha256, limits.sha256)
    return sha256
  } catch (error) {
    if (error instanceof Refusal) await store.multipart.abort(upload)
    throw error
  }
}

async function completed(
  admitted: Admitted,
  services: Services,
  progress: Progress,
  sha256: string,
  condition: WriteCondition,
): Promise<{ readonly done: true; readonly created: boolean; readonly finished: Finished }> {
  const { upload } = progress
  const { store, clock } = services
  const now = clock.now()
  const { ttl } = uploadLimits(admitted.grant)
  const { key, told, offset: size } = progress
  const etag = etagOf(sha256)
  const { created, type } = upload
  const remembered: EndNote = { key, told, created, size, type, etag, sha256 }
  const as: CompletedObject = {
    type,
    etag,
    sha256,
    modified: now,
    ...(ttl !== undefined && { expires: later(now, ttl) }),
    remembered: JSON.stringify(remembered),
  }
  const parts = await partsOf(upload, store)
  const change = { act: 'PUT', about: { size, sha256, type } } as const
  const outcome = await changing(admitted, services, change, async () =>
    store.multipart.complete(upload, { parts }, as, condition),
  )
  if (outcome.done) {
    const finished = { ...remembered, path: upload.path }
    return { done: true, created: outcome.created, finished }
  }
  throw 'failed' in outcome ? noSuchUpload() : conflictOf(admitted, { condition: {} })
}

const PAGE = 1000

async function partsOf(
  ref: MultipartRef,
  { multipart }: Services['store'],
): Promise<PartList['parts']> {
  const parts: { number: number; etag: string }[] = []
  let after: number | undefined = 0
  while (after !== undefined) {
    const page = await multipart.parts(ref, { after, limit: PAGE })
    if (page === undefined) throw noSuchUpload()
    for (const { number, etag } of page.parts) parts.push({ number, etag })
    after = page.next
  }
  return parts
}

/** Ends an upload, whatever there is of it. The object that it may have become stays. */
export async function endResumable({ upload }: Progress, { store }: Services): Promise<void> {
  await store.multipart.abort(upload)
}
