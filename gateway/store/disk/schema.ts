/** The index: what there is, and where its bytes are. */
import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import type { ListedObject, ObjectInfo } from '../store.ts'
import { metaOf } from './meta-text.ts'

/**
 * An object's content is one row of `contents`, or the concatenation of its `pieces`, each a part
 * of an immutable blob. Any number of pieces may share a blob, so copies and uploads in parts end
 * without moving a byte. The parts of an upload that goes on have pieces of their own, never bytes.
 * `pins` are objects that a process is reading: when such an object goes, its blobs stay, `pinned`,
 * until the reader has ended. A blob that nothing names any more (`removal.ts`) moves to `garbage`
 * in the same transaction, where `owner` is the instance that unlinks its file. Digests are kept as
 * they are shown: a listing of a thousand objects is faster by a third for it.
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
  // nobody knows the SHA-256 of an object that was put together of parts
  `
  ALTER TABLE objects ADD COLUMN known_sha256 TEXT;
  UPDATE objects SET known_sha256 = sha256;
  ALTER TABLE objects DROP COLUMN sha256;
  ALTER TABLE objects RENAME COLUMN known_sha256 TO sha256;
  ALTER TABLE objects ADD COLUMN meta TEXT;

  CREATE TABLE uploads (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    type TEXT NOT NULL,
    meta TEXT,
    note TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX uploads_path ON uploads (path, name);
  CREATE INDEX uploads_expires ON uploads (expires);

  CREATE TABLE parts (
    id INTEGER PRIMARY KEY,
    upload INTEGER NOT NULL REFERENCES uploads ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    sha256 TEXT,
    checksums TEXT,
    modified INTEGER NOT NULL,
    UNIQUE (upload, number)
  ) STRICT;

  CREATE TABLE part_pieces (
    part INTEGER NOT NULL REFERENCES parts ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    blob INTEGER NOT NULL REFERENCES blobs,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (part, seq)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX part_pieces_blob ON part_pieces (blob);

  CREATE TABLE pins (
    id INTEGER PRIMARY KEY,
    oid INTEGER,
    owner TEXT NOT NULL
  ) STRICT;
  CREATE INDEX pins_oid ON pins (oid) WHERE oid IS NOT NULL;

  CREATE TABLE pinned (
    pin INTEGER NOT NULL REFERENCES pins ON DELETE CASCADE,
    blob INTEGER NOT NULL REFERENCES blobs,
    PRIMARY KEY (pin, blob)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX pinned_blob ON pinned (blob);

  CREATE TABLE buckets (
    name TEXT PRIMARY KEY,
    created INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;
  `,
  // uploads that go on where they broke off: how far they are, and that they have come to their end
  `
  ALTER TABLE parts ADD COLUMN note TEXT;

  CREATE TABLE completed_uploads (
    name TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    remembered TEXT NOT NULL,
    expires INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX completed_uploads_expires ON completed_uploads (expires);
  `,
  // what an upload holds before its end, and what of it counts towards what a key may have open
  `
  ALTER TABLE uploads ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE uploads SET bytes =
    (SELECT coalesce(sum(size), 0) FROM parts WHERE upload = uploads.id);

  CREATE TABLE open_uploads (
    under TEXT NOT NULL,
    upload INTEGER NOT NULL REFERENCES uploads ON DELETE CASCADE,
    PRIMARY KEY (under, upload)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX open_uploads_upload ON open_uploads (upload);
  `,
]

/** The {@link LISTED_COLUMNS} of a row. */
export interface ListedRow {
  readonly path: ObjectInfo['path']
  readonly size: Bytes
  readonly type: string
  readonly etag: string
  readonly sha256: string | null
  readonly modified: UnixSeconds
  readonly expires: UnixSeconds | null
}

/** The {@link OBJECT_COLUMNS} of a row. */
export interface ObjectRow extends ListedRow {
  readonly meta: string | null
}

export const LISTED_COLUMNS =
  'objects.path, objects.size, objects.type, objects.etag, objects.sha256, objects.modified, objects.expires'

export const OBJECT_COLUMNS = `${LISTED_COLUMNS}, objects.meta`

export function listedOf(row: ListedRow): ListedObject {
  const { path, size, type, etag, sha256, modified, expires } = row
  const info = { path, size, type, etag, modified }
  const known = sha256 === null ? info : { ...info, sha256 }
  return expires === null ? known : { ...known, expires }
}

export function infoOf(row: ObjectRow): ObjectInfo {
  const info = listedOf(row)
  return row.meta === null ? info : { ...info, meta: metaOf(row.meta) }
}

/** The content of a small object, in the index. */
export interface Inline {
  readonly bytes: Uint8Array
  readonly sum: Uint8Array
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
  /** its row, while it is there */
  readonly oid: number
  readonly info: ObjectInfo
  readonly content: Uint8Array | readonly Piece[]
}
