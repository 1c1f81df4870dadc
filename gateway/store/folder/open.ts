/** The stores of the buckets that the configuration names. */
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { type BucketsSettings, foldersOf, isWithin, nested } from './config.ts'
import { FolderStore, type FolderStoreOptions } from './store.ts'

/** What the stores of all folders are opened with. */
export type Common = Pick<FolderStoreOptions, 'instance' | 'now' | 'reserve'> & {
  /** the gateway's data folder */
  readonly data: string
}

/**
 * Opens all of them, or none.
 * @throws Error where one can't be served, with what to do; DatabaseError
 */
export async function openFolders(
  buckets: BucketsSettings,
  { data, ...common }: Common,
): Promise<ReadonlyMap<string, FolderStore>> {
  const stores = new Map<string, FolderStore>()
  try {
    for (const [bucket, settings] of foldersOf(buckets)) {
      const own = join(data, 'folders', bucket)
      stores.set(bucket, await FolderStore.open({ ...common, ...settings, bucket, data: own }))
    }
    checkApart(buckets, data)
    return stores
  } catch (error) {
    await Promise.allSettled([...stores.values()].map((store) => store.close()))
    throw error
  }
}

/** Where symbolic links lead, the settings alone don't tell. */
function checkApart(buckets: BucketsSettings, data: string): void {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const real = foldersOf(buckets).map(
    ([bucket, { folder }]) => [bucket, { folder: realpathSync(folder) }] as const,
  )
  for (const { inner, outer } of nested(real)) {
    throw new Error(
      `the folder of the bucket "${inner}" lies in that of the bucket "${outer}": each needs a folder of its own`,
    )
  }
  for (const [bucket, { folder }] of real) {
    if (!isWithin(realpathSync(data), folder)) continue
    throw new Error(
      `the folder of the bucket "${bucket}" lies among the gateway's own data: choose another folder`,
    )
  }
}
