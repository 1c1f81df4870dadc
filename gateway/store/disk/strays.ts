/** Files among the blobs that nobody knows of. Reported only: what is new may be anybody's. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from '../../../database/instance.ts'
import type { Files } from '../files/files.ts'
import type { ContentReader } from './content-reader.ts'
import type { Layout } from './layout.ts'

interface Looking {
  readonly files: Files
  readonly layout: Layout
  readonly index: ContentReader
  readonly instance: Pick<Instance, 'isAlive'>
}

/** Absolute paths. */
export async function findStrays(looking: Looking): Promise<readonly string[]> {
  const { files, layout, index } = looking
  const strays: string[] = []
  for (const fan of await files.names(layout.blobs)) {
    const folder = join(layout.blobs, fan)
    const names = existsSync(folder) ? await files.names(folder) : []
    const unknown = names.filter((name) => layout.folderOf(name) !== folder || !index.knows(name))
    for (const name of unknown) {
      if (await isStray(looking, folder, name)) strays.push(join(folder, name))
    }
  }
  return strays
}

/**
 * A blob has a name in its owner's staging until the index names it, and is on the index's list of
 * garbage until it is gone. Asked in this order, one of the three answers, whatever happens meanwhile.
 */
async function isStray(
  { files, layout, index, instance }: Looking,
  folder: string,
  name: string,
): Promise<boolean> {
  for (const owner of await files.names(layout.staging)) {
    if (existsSync(layout.staged(owner, name)) && instance.isAlive(owner)) return false
  }
  const isKnown = layout.folderOf(name) === folder && index.knows(name)
  return !isKnown && existsSync(join(folder, name))
}
