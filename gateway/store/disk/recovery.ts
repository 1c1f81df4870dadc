/**
 * What processes that have died left behind. Looked for where it must be: in the staging folders of
 * instances that no longer live, and in the index's lists of garbage and of pins. How many objects
 * there are makes no difference.
 */
import { join } from 'node:path'
import type { Instance } from '../../../database/instance.ts'
import { codeOf, type Files, ifThere } from '../files/files.ts'
import type { Garbage } from './garbage.ts'
import type { IndexReader } from './index-reader.ts'
import type { Layout } from './layout.ts'

interface Recovery {
  readonly files: Files
  readonly layout: Layout
  readonly index: IndexReader
  readonly garbage: Garbage
  /** Removes the pins of instances; returns the blobs that became garbage by it. */
  readonly unpin: (dead: readonly string[]) => Promise<readonly string[]>
  readonly instance: Pick<Instance, 'isAlive'>
}

/** Safe beside other processes, recovering ones included: everything may be gone already. */
export async function recover(recovery: Recovery): Promise<void> {
  const { files, layout, index, garbage, instance } = recovery
  for (const owner of await files.names(layout.staging)) {
    // asked before the index: who is dead now commits nothing any more
    if (!instance.isAlive(owner)) await removeStaged(recovery, owner)
  }
  const rows = index.garbage()
  const isDead = (owner: string): boolean => !instance.isAlive(owner)
  const dead = new Set([...new Set(rows.map(({ owner }) => owner))].filter(isDead))
  // nobody has to wait for that
  garbage.collect(rows.filter(({ owner }) => dead.has(owner)).map(({ name }) => name))
  const readers = index.pinOwners().filter(isDead)
  if (readers.length === 0) return
  // what a full disk prevents, the next start does: there is nothing but space to gain
  garbage.collect(await recovery.unpin(readers).catch(() => []))
}

async function removeStaged({ files, layout, index }: Recovery, owner: string): Promise<void> {
  const folder = layout.stagingOf(owner)
  for (const name of await namesIfThere(files, folder)) {
    if (!index.holdsBlob(name)) await ifThere(files.unlink(layout.blob(name)))
    await ifThere(files.unlink(join(folder, name)))
  }
  await ifThere(files.removeFolder(folder))
}

async function namesIfThere(files: Files, folder: string): Promise<readonly string[]> {
  try {
    return await files.names(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
