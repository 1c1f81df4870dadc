/** What a path of ours is called in a folder. */
import type { ObjectPath } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import { isEntryName } from '../files/entry-name.ts'

/** Ours, at the top of the folder: what is being written lies there. Never listed, never served. */
export const RESERVED = '.valetkey'

/** What every file system of today holds, in bytes of UTF-8. */
const MOST_NAME_BYTES = 255

/** Where a file is: its folders from the top on, and its name. */
export interface Place {
  readonly folders: readonly string[]
  readonly name: string
  /** all of them with slashes between */
  readonly key: string
}

/** @throws Refusal path_malformed where no file can have this name */
export function placeOf(path: ObjectPath): Place {
  const key = path.slice(path.indexOf('/') + 1)
  const names = key.split('/')
  const why = unholdable(names)
  if (why !== undefined) throw new Refusal('path_malformed', why)
  return { folders: names.slice(0, -1), name: names.at(-1) ?? '', key }
}

/** Where a file of this path would be; undefined where none can be. */
export function findablePlace(path: ObjectPath): Place | undefined {
  try {
    return placeOf(path)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

function unholdable(names: readonly string[]): string | undefined {
  if (names[0] === RESERVED) {
    return `the name ${RESERVED} is reserved at the top of this bucket: choose another one`
  }
  if (!names.every((name) => isEntryName(name))) {
    return 'this bucket is a folder of files, which have no name like "", "." or ".." between two slashes: choose another one'
  }
  if (names.every((name) => Buffer.byteLength(name) <= MOST_NAME_BYTES)) return undefined
  return `this bucket is a folder of files, whose names have at most ${MOST_NAME_BYTES} bytes between two slashes: choose a shorter one`
}
