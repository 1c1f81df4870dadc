/**
 * Reads the files of a bucket back. Those that were uploaded through us are compared, block by block,
 * with what they were; of files by other programs it is only seen whether the disk still gives them.
 */
import type { ObjectPath } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import { BLOCK } from '../files/checksum.ts'
import { Pace } from '../files/pace.ts'
import type { Amount, Damage, ScrubOptions } from '../maintenance.ts'
import { Damaged, type OpenObject, type Store } from '../store.ts'
import { Changing } from './file-object.ts'

/** How many files are looked up at a time. */
const PAGE = 1000

export interface FolderReport extends Amount {
  readonly damaged: readonly Damage[]
}

type Options = Pick<ScrubOptions, 'rate' | 'signal' | 'onProgress'>

/**
 * Always from the first file on: what other programs did meanwhile is in no place that could be noted.
 * @throws what the signal was aborted with; Refusal where the folder can't be read
 */
export async function scrubFolder(
  store: Pick<Store, 'list' | 'open'>,
  bucket: string,
  { rate, signal, onProgress }: Options,
): Promise<FolderReport> {
  const pace = rate === undefined ? undefined : new Pace(rate)
  const damaged: Damage[] = []
  let [objects, bytes] = [0, 0]
  const reading = async (count: number): Promise<void> => {
    signal?.throwIfAborted()
    await pace?.spend(count, signal)
  }
  for (let after: string | undefined; ; ) {
    const prefix = `${bucket}/`
    const page = await store.list({ prefix, limit: PAGE, ...(after !== undefined && { after }) })
    for (const { path, size } of page.objects) {
      const kind = await damageOf(store, path, reading)
      if (kind !== undefined) damaged.push({ path, kind })
      objects += 1
      bytes += size
      onProgress?.({ objects, bytes })
    }
    after = page.next
    if (after === undefined) return { objects, bytes, damaged }
  }
}

/** Undefined for a file that is good, was deleted meanwhile, or is being written by another program. */
async function damageOf(
  store: Pick<Store, 'open'>,
  path: ObjectPath,
  reading: (count: number) => Promise<void>,
): Promise<Damage['kind'] | undefined> {
  let object: OpenObject | undefined
  try {
    object = await store.open(path)
    if (object !== undefined) await readThrough(object, reading)
    return undefined
  } catch (error) {
    if (error instanceof Changing) return undefined
    if (error instanceof Damaged) return error.cause === undefined ? 'altered' : 'unreadable'
    if (error instanceof Refusal && error.cause instanceof Changing) return undefined
    throw error
  } finally {
    object?.close()
  }
}

async function readThrough(
  object: OpenObject,
  reading: (count: number) => Promise<void>,
): Promise<void> {
  const block = Buffer.allocUnsafeSlow(BLOCK)
  for (let position = 0; position < object.info.size; ) {
    const count = await object.read(block, position)
    await reading(count)
    position += count
  }
}
