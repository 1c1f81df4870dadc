/**
 * What is known of a file that the file itself can't carry. A note is bound to the very file that we
 * wrote: to its inode, size and time in nanoseconds, which another program's write changes and a
 * rename keeps. So a note may be there before its file is put in place, and the note of the file
 * before it may stay for a while: whichever file is there has its own note, also after a crash.
 */
import { hash } from 'node:crypto'
import mime from 'mime'
import type { ObjectPath } from '../../../key/object-path.ts'
import { bytes, type UnixSeconds, unixSeconds } from '../../../key/units.ts'
import type { ObjectInfo } from '../store.ts'
import type { Status } from './files.ts'

/**
 * `key` is the path in the folder, `file` the {@link fileIdentity}, and `staged` where the file lies
 * until it is put in place. `made` are folders that we made, and remove when they are empty. `self`
 * holds the name of this database, by which what is staged is told from what another data folder's
 * gateway has staged in the same folder.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    file TEXT NOT NULL,
    staged TEXT NOT NULL,
    type TEXT NOT NULL,
    etag TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    expires INTEGER,
    UNIQUE (key, file)
  ) STRICT;
  CREATE INDEX notes_expires ON notes (expires) WHERE expires IS NOT NULL;

  CREATE TABLE made (
    key TEXT PRIMARY KEY,
    folder TEXT NOT NULL
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE self (name TEXT NOT NULL) STRICT;
  INSERT INTO self SELECT lower(hex(randomblob(8)));
  `,
  // xxh64 of each block of the file, one after the other; of files from before, nobody knows
  'ALTER TABLE notes ADD COLUMN sums BLOB',
  // AUTOINCREMENT: whoever forgets a note that is gone already must not hit another that came since
  `
  CREATE TABLE numbered_notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    file TEXT NOT NULL,
    staged TEXT NOT NULL,
    type TEXT NOT NULL,
    etag TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    expires INTEGER,
    sums BLOB,
    UNIQUE (key, file)
  ) STRICT;
  INSERT INTO numbered_notes (id, key, file, staged, type, etag, sha256, expires, sums)
    SELECT id, key, file, staged, type, etag, sha256, expires, sums FROM notes;
  DROP TABLE notes;
  ALTER TABLE numbered_notes RENAME TO notes;
  CREATE INDEX notes_expires ON notes (expires) WHERE expires IS NOT NULL;
  `,
]

export interface Note {
  readonly type: string
  readonly etag: string
  readonly sha256: string
  readonly expires: UnixSeconds | null
}

/** Which file a note is on. */
export interface NoteKey {
  readonly key: string
  readonly file: string
}

/**
 * What a note goes by when it is forgotten: the identity of a file that is gone may be another's at
 * once, of the same size and second, with a note of its own. An id is never another note's.
 */
export interface Kept {
  readonly id: number
}

export interface StagedNote extends NoteKey {
  /** where the file lies beneath `.valetkey` until it is put in place */
  readonly staged: string
}

export type FindNote = (key: string, file: string) => (Note & Kept) | undefined

export const NOTE_COLUMNS = 'type, etag, sha256, expires'

/**
 * The device is left out: many are numbered anew at every start of the machine, and under one path
 * there is one device at a time.
 */
export const fileIdentity = ({ ino, size, mtimeNs }: Status): string => `${ino}.${size}.${mtimeNs}`

/** Where to find what is known of a file. */
export interface Known {
  readonly path: ObjectPath
  readonly key: string
  readonly find: FindNote
  readonly now: UnixSeconds
}

/** What is there as an object: undefined for what is no plain file, or has expired. */
export function described(
  status: Status | undefined,
  { path, key, find, now }: Known,
): ObjectInfo | undefined {
  if (!status?.isFile()) return undefined
  const file = fileIdentity(status)
  const note = find(key, file)
  const common = { path, ...measured(status) }
  if (note === undefined) return { ...common, type: typeOf(key), etag: etagOf(file) }
  const { type, etag, sha256, expires } = note
  if (expires === null) return { ...common, type, etag, sha256 }
  return expires > now ? { ...common, type, etag, sha256, expires } : undefined
}

const NANOSECONDS = 1_000_000_000n

/** A file older than Unix is as old as Unix. */
export const measured = ({ size, mtimeNs }: Status): Pick<ObjectInfo, 'size' | 'modified'> => ({
  size: bytes(Number(size)),
  modified: unixSeconds(mtimeNs < 0n ? 0 : Number(mtimeNs / NANOSECONDS)),
})

const typeOf = (key: string): string => mime.getType(`/${key}`) ?? 'application/octet-stream'

/** Hashed: inode numbers are nobody's business. */
const etagOf = (file: string): string => `"f${hash('sha256', file, 'hex').slice(0, 31)}"`
