import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf } from './left-out.ts'

/** A file beneath a folder, or something else that was met there. */
export interface Met {
  /** from the folder, with slashes */
  readonly name: string
  /** absolute */
  readonly path: string
  /** why it is no file to be read; absent for a regular file */
  readonly reason?: string
}

/** Names are read so many at a time: a folder may hold millions. */
const BUFFER = 1024

/**
 * Everything beneath a folder that is not a folder, as the disk lists it. Symbolic links are met, and
 * never followed.
 * @param skip absolute paths of folders not to enter
 * @throws what reading the folder itself throws; what lies beneath, and can't be read, is met
 */
export async function* walk(
  folder: string,
  skip: ReadonlySet<string>,
  above = '',
): AsyncGenerator<Met> {
  for await (const entry of await opendir(folder, { bufferSize: BUFFER })) {
    const met = { name: above + entry.name, path: join(folder, entry.name) }
    if (entry.isFile()) yield met
    else if (entry.isSymbolicLink()) yield { ...met, reason: 'it is a symbolic link' }
    else if (!entry.isDirectory()) yield { ...met, reason: 'it is no regular file' }
    else if (!skip.has(met.path)) yield* beneath(met, skip)
  }
}

async function* beneath(folder: Met, skip: ReadonlySet<string>): AsyncGenerator<Met> {
  try {
    yield* walk(folder.path, skip, `${folder.name}/`)
  } catch (error) {
    yield { ...folder, reason: reasonOf(error, folder.name) }
  }
}
