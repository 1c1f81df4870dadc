/** Objects in the index, as the writer thread finds and enters them. */
import type { Database } from '../../../database/open.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { checksum } from '../files/checksum.ts'
import type { ObjectInfo } from '../store.ts'
import { textOf } from './meta-text.ts'
import { OBJECT_COLUMNS, type ObjectRow } from './schema.ts'

export type Present = ObjectRow & { readonly oid: number }

/** The object that is there at that moment, and the row: an expired object is none, but has one. */
export interface Found {
  readonly row: Present | undefined
  readonly live: Present | undefined
}

export type ObjectRows = ReturnType<typeof prepareRows>

export function prepareRows(db: Database) {
  const present = db.prepare<[string], Present>(
    `SELECT objects.oid, ${OBJECT_COLUMNS} FROM objects WHERE path = ?`,
  )
  const insert = db.prepare(
    `INSERT INTO objects (path, size, type, etag, sha256, modified, expires, meta)
     VALUES (@path, @size, @type, @etag, @sha256, @modified, @expires, @meta)`,
  )
  const update = db.prepare(
    `UPDATE objects SET type = @type, etag = @etag, sha256 = @sha256, modified = @modified,
       expires = @expires, meta = @meta
     WHERE oid = @oid`,
  )
  const columnsOf = ({ meta, ...info }: ObjectInfo) => ({
    sha256: null,
    expires: null,
    ...info,
    meta: textOf(meta),
  })

  return {
    find(path: string, now: UnixSeconds): Found {
      const row = present.get(path)
      const isLive = row !== undefined && (row.expires === null || row.expires > now)
      return { row, live: isLive ? row : undefined }
    },

    /** Where no row has that path. */
    insert: (info: ObjectInfo): number => Number(insert.run(columnsOf(info)).lastInsertRowid),

    /** All but path and size, which are the content's. */
    update(oid: number, info: ObjectInfo): void {
      update.run({ ...columnsOf(info), oid })
    },
  }
}

/** Enters the content of a small object, with the checksum that it is read by. */
export function prepareContents(db: Database): (oid: number, bytes: Uint8Array) => void {
  const insert = db.prepare('INSERT INTO contents (oid, sum, bytes) VALUES (?, ?, ?)')
  return (oid, bytes) => {
    insert.run(oid, checksum([bytes]), bytes)
  }
}
