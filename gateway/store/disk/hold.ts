import { linkSync } from 'node:fs'
import { openSnapshot } from '../../../database/copy.ts'
import { type Database, openDatabase } from '../../../database/open.ts'
import { codeOf, type Files } from '../files/files.ts'
import { BlobList } from './blob-list.ts'
import type { Layout } from './layout.ts'
import { migrations } from './schema.ts'

/**
 * A moment of the store that stays: what the snapshot sees, and the files that it names. Other
 * processes unlink a blob as soon as a commit has made it garbage, so a snapshot alone would name
 * files that are gone. For as long as the snapshot is taken and the files get a second name, this
 * holds the index's write lock: nobody commits, so nobody unlinks. The second names lie in the
 * staging folder of our instance, where a recovery finds them if we are killed.
 */
export class Hold {
  readonly snapshot: Database
  readonly #files: Files
  readonly #layout: Layout
  readonly #owner: string
  readonly #held: readonly string[]

  private constructor(
    files: Files,
    layout: Layout,
    owner: string,
    held: readonly string[],
    snapshot: Database,
  ) {
    this.#files = files
    this.#layout = layout
    this.#owner = owner
    this.#held = held
    this.snapshot = snapshot
  }

  /**
   * Leaves nothing behind where it fails.
   * @param isSafe says of blobs that they need not be held: the caller has all but these
   */
  static async take(
    files: Files,
    layout: Layout,
    owner: string,
    isSafe: (name: string) => boolean,
  ): Promise<Hold> {
    await files.makeFolder(layout.stagingOf(owner))
    const held: string[] = []
    const link = (name: string): void => {
      if (isLinked(layout.blob(name), layout.staged(owner, name))) held.push(name)
    }
    try {
      return new Hold(files, layout, owner, held, whileLocked(layout, isSafe, link))
    } catch (error) {
      await letGo(files, layout, owner, held)
      throw error
    }
  }

  /** Where the file of a blob that is held lies. */
  path(name: string): string {
    return this.#layout.staged(this.#owner, name)
  }

  async release(): Promise<void> {
    this.snapshot.close()
    await letGo(this.#files, this.#layout, this.#owner, this.#held)
  }
}

/** What can't be removed now, the next start removes. */
async function letGo(
  files: Files,
  layout: Layout,
  owner: string,
  held: readonly string[],
): Promise<void> {
  for (const name of held) await files.unlink(layout.staged(owner, name)).catch(() => {})
  await files.removeFolder(layout.stagingOf(owner)).catch(() => {})
}

/** Without a pause: whoever else writes waits. */
function whileLocked(
  layout: Layout,
  isSafe: (name: string) => boolean,
  hold: (name: string) => void,
): Database {
  const lock = openDatabase(layout.index, migrations)
  try {
    lock.exec('BEGIN IMMEDIATE')
    const snapshot = openSnapshot(layout.index)
    try {
      for (const name of new BlobList(snapshot).names((name) => !isSafe(name))) hold(name)
      return snapshot
    } catch (error) {
      snapshot.close()
      throw error
    }
  } finally {
    lock.close()
  }
}

/** False where the store has lost the file. */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
