/** The index: what there is, and where its bytes are. */
import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import type { ObjectInfo } from '../store.ts'

/**
 * An object's content is one row of `contents`, or the concatenation of its `pieces`, each a part
 * of an immutable blob. A blob that no piece names any more moves to `garbage` in the same
 * transaction, where `owner` is the instance that unlinks its file. Digests are kept as they are
 * shown: a listing of a thousand objects is faster by a third for it.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE objects (
    oid INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    type TEXT NOT NULL,
    etag TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    modified INTEGER NOT NULL,
    expires INTEGER
  ) STRICT;
  CREATE INDEX objects_expires ON objects (expires) WHERE expires IS NOT NULL;

  CREATE TABLE contents (
    oid INTEGER PRIMARY KEY REFERENCES objects ON DELETE CASCADE,
    sum BLOB NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    sums BLOB NOT NULL
  ) STRICT;

  CREATE TABLE pieces (
    oid INTEGER NOT NULL REFERENCES objects ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    blob INTEGER NOT NULL REFERENCES blobs,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (oid, seq)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX pieces_blob ON pieces (blob);

  CREATE TABLE garbage (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL
  ) WITHOUT ROWID, STRICT;
  `,
]

/** The {@link OBJECT_COLUMNS} of a row. */
export interface ObjectRow {
  readonly path: ObjectInfo['path']
  readonly size: Bytes
  readonly type: string
  readonly etag: string
  readonly sha256: string
  readonly modified: UnixSeconds
  readonly expires: UnixSeconds | null
}

export const OBJECT_COLUMNS =
  'objects.path, objects.size, objects.type, objects.etag, objects.sha256, objects.modified, objects.expires'

export function infoOf(row: ObjectRow): ObjectInfo {
  const { path, size, type, etag, sha256, modified, expires } = row
  const info = { path, size, type, etag, sha256, modified }
  return expires === null ? info : { ...info, expires }
}

/** A file of the store, immutable. */
export interface Blob {
  readonly name: string
  readonly size: number
  /** one checksum per block */
  readonly sums: Uint8Array
}

/** A part of a blob. */
export interface Piece {
  readonly blob: Blob
  readonly start: number
  readonly length: number
}

/** An object and its bytes, or where they are. */
export interface Located {
  readonly info: ObjectInfo
  readonly content: Uint8Array | readonly Piece[]
}
