/** Content is looked at before it becomes an object, where the configuration asks for it. */
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal, type RefusalCode } from '../../key/refusal.ts'
import type { Bytes } from '../../key/units.ts'
import type { Admitted } from '../admit.ts'
import { noteUnchecked } from '../audit-record.ts'
import type { Staged } from '../scan/inspection.ts'
import type { Services } from '../services.ts'
import type { MultipartInfo, NamedPart } from '../store/multipart.ts'
import type { ObjectInfo } from '../store/store.ts'
import { opened } from './source.ts'

/** @throws Refusal content_refused, too_large, unavailable */
export async function inspect(
  admitted: Admitted,
  { inspection, audit }: Services,
  staged: Pick<Staged, 'type' | 'size' | 'read'>,
): Promise<void> {
  const path = admitted.attempt.path as ObjectPath
  if (inspection?.appliesTo(path) !== true) return
  const key = admitted.grant.grantedId
  const unchecked = await inspection.check({ ...staged, path, key })
  if (unchecked !== undefined) noteUnchecked(admitted, audit, unchecked)
}

export interface StagedParts {
  readonly upload: MultipartInfo
  readonly size: Bytes
  readonly parts: readonly NamedPart[]
}

/**
 * The same of an upload in parts. What can never become an object ends, and its upload with it;
 * whether the key was revoked meanwhile is asked again.
 * @throws Refusal
 */
export async function inspectStaged(
  admitted: Admitted,
  services: Services,
  { upload, size, parts }: StagedParts,
): Promise<void> {
  const { inspection, store, gatekeeper, clock } = services
  if (inspection === undefined) return
  const { multipart } = store
  try {
    const read = (): AsyncIterable<Uint8Array> => multipart.read(upload, parts)
    await inspect(admitted, services, { type: upload.type, size, read })
  } catch (error) {
    if (error instanceof Refusal && ENDS.has(error.code)) await multipart.abort(upload)
    throw error
  }
  const { grant, attempt } = admitted
  const revoked = await gatekeeper.revoked(grant, attempt.path, clock.now())
  if (revoked !== undefined) throw revoked
}

/** Nothing can come of the upload any more. */
const ENDS: ReadonlySet<RefusalCode> = new Set(['content_refused', 'too_large'])

/** The same of an object that is about to be copied, as it was looked at. @throws Refusal */
export async function inspectSource(
  admitted: Admitted,
  services: Services,
  source: ObjectInfo,
): Promise<void> {
  const { type, size } = source
  const read = (): AsyncIterable<Uint8Array> => contentOf(source, services)
  if (services.inspection !== undefined) await inspect(admitted, services, { type, size, read })
}

const READ_AT_ONCE = 256 * 1024

async function* contentOf(source: ObjectInfo, services: Services): AsyncGenerator<Uint8Array> {
  const object = await opened(source, services)
  try {
    for (let position = 0; ; ) {
      const chunk = new Uint8Array(READ_AT_ONCE)
      const count = await object.read(chunk, position)
      if (count === 0) return
      yield chunk.subarray(0, count)
      position += count
    }
  } finally {
    object.close()
  }
}
