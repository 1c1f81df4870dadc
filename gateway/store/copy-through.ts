/** Copies from one store to another: there the bytes are moved, through this process. */
import { createHash, type Hash } from 'node:crypto'
import type { ObjectPath } from '../../key/object-path.ts'
import { holds } from './condition.ts'
import { copied } from './meta.ts'
import type {
  Multipart,
  MultipartFailure,
  MultipartRef,
  NewPart,
  PartCommitted,
  PartCondition,
  PartSource,
} from './multipart.ts'
import type { CopiedObject, CopyConditions, CopyConflict } from './object-copy.ts'
import {
  type Committed,
  Damaged,
  type OpenObject,
  type Store,
  type WriteCondition,
  type Writing,
} from './store.ts'

/** What is read and written at once. */
const BATCH = 1024 * 1024

interface Place {
  readonly store: Store
  readonly path: ObjectPath
}

/** As {@link ObjectCopying.copy}; the source is as it was when it was opened. */
export async function copyThrough(
  source: Place,
  target: Place,
  as: CopiedObject,
  conditions: CopyConditions = {},
): Promise<Committed | CopyConflict> {
  return reading(source, conditions.source, async (object): Promise<Committed | CopyConflict> => {
    const upload = await target.store.upload(target.path)
    try {
      const hash = createHash('sha256')
      await pump(object, { start: 0, length: object.info.size }, upload, hash)
      const { path: _, size: __, ...known } = copied(object.info, target.path, as)
      const whole = { ...known, sha256: known.sha256 ?? hash.digest('hex') }
      const outcome = await upload.commit(whole, conditions.target)
      return outcome.done ? outcome : { ...outcome, of: 'target' }
    } finally {
      await upload.discard()
    }
  })
}

/** As {@link Multipart.copyPart}; the source is as it was when it was opened. */
export async function copyPartThrough(
  store: Store,
  { path, range, condition }: PartSource,
  part: { readonly multipart: Multipart; readonly ref: MultipartRef; readonly number: number },
  as: NewPart,
  bound?: Pick<PartCondition, 'most'>,
): Promise<PartCommitted | CopyConflict | MultipartFailure> {
  const { multipart, ref, number } = part
  return reading({ store, path }, condition, async (object) => {
    const { start, length } = range ?? { start: 0, length: object.info.size }
    if (start + length > object.info.size) {
      return { done: false, failed: 'range_unsatisfiable', number }
    }
    const upload = await multipart.part(ref, number)
    if (upload === undefined) return { done: false, failed: 'no_such_upload' }
    try {
      await pump(object, { start, length }, upload)
      return await upload.commit(as, bound)
    } finally {
      await upload.discard()
    }
  })
}

async function reading<T>(
  { store, path }: Place,
  condition: WriteCondition | undefined,
  copy: (object: OpenObject) => Promise<T>,
): Promise<T | CopyConflict> {
  const object = await store.open(path)
  if (object === undefined) return { done: false, of: 'source' }
  try {
    if (holds(condition, object.info)) return await copy(object)
    return { done: false, existing: object.info, of: 'source' }
  } finally {
    object.close()
  }
}

async function pump(
  object: OpenObject,
  { start, length }: { readonly start: number; readonly length: number },
  to: Writing,
  hash?: Hash,
): Promise<void> {
  const end = start + length
  for (let at = start; at < end; ) {
    // a new one each time: what is written is the other store's
    const batch = new Uint8Array(Math.min(BATCH, end - at))
    const count = await object.read(batch, at)
    if (count === 0) throw new Damaged(`${object.info.path}: it ends at ${at} bytes`)
    const chunk = batch.subarray(0, count)
    hash?.update(chunk)
    await to.write([chunk])
    at += count
  }
}
