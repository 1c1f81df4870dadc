/** Reads of uploads in parts. */
import type { Database } from '../../../database/open.ts'
import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import type {
  MultipartInfo,
  MultipartRef,
  NamedPart,
  PartInfo,
  PartListing,
  PartQuery,
} from '../multipart.ts'
import { splitKey } from '../multipart-listing.ts'
import { metaOf } from './meta-text.ts'
import { PART_COLUMNS, type PartRow, partOf } from './part-rows.ts'
import type { Blob, Piece } from './schema.ts'

type UploadRow = Omit<MultipartInfo, 'meta'> & { readonly meta: string | null }

const UPLOAD_COLUMNS = 'name AS id, path, type, meta, note, created, expires'

/** SQLite orders every text before every blob: above all paths. */
const NO_BOUND = Buffer.alloc(0)

export function prepareUploadReader(db: Database) {
  const find = db.prepare<[string, string, number], UploadRow>(
    `SELECT ${UPLOAD_COLUMNS} FROM uploads WHERE name = ? AND path = ? AND expires > ?`,
  )
  const scan = db.prepare<[string, string, string | Buffer, number], UploadRow>(
    `SELECT ${UPLOAD_COLUMNS} FROM uploads
     WHERE (path, name) >= (?, ?) AND path < ? AND expires > ? ORDER BY path, name`,
  )
  const parts = db.prepare<[string, number, number], PartRow>(
    `SELECT ${PART_COLUMNS} FROM parts WHERE upload = (SELECT id FROM uploads WHERE name = ?)
       AND number > ? ORDER BY number LIMIT ?`,
  )
  const lastPart = db.prepare<[string], PartRow>(
    `SELECT ${PART_COLUMNS} FROM parts WHERE upload = (SELECT id FROM uploads WHERE name = ?)
     ORDER BY number DESC LIMIT 1`,
  )
  const pieces = preparePieces(db)
  const recall = db
    .prepare<[string, string, number], string>(
      'SELECT remembered FROM completed_uploads WHERE name = ? AND path = ? AND expires > ?',
    )
    .pluck()

  return {
    find({ path, id }: MultipartRef, now: UnixSeconds): MultipartInfo | undefined {
      const row = find.get(id, path, now)
      return row && uploadOf(row)
    },

    /** An iteration is ended before the next question is asked. */
    *scan(from: string, below: string | undefined, now: UnixSeconds): Generator<MultipartInfo> {
      const { path, id } = splitKey(from)
      for (const row of scan.iterate(path, id, below ?? NO_BOUND, now)) yield uploadOf(row)
    },

    /** Of an upload that was found. */
    parts(id: string, { after = 0, limit }: PartQuery): PartListing {
      const rows = parts.all(id, after, limit + 1)
      const given = rows.slice(0, limit).map(partOf)
      const last = given.at(-1)
      return { parts: given, ...(rows.length > limit && last && { next: last.number }) }
    },

    pieces,

    bytesBeside: prepareBytes(db),

    /** Of an upload that was found. */
    lastPart(id: string): PartInfo | undefined {
      const row = lastPart.get(id)
      return row && partOf(row)
    },

    recall: ({ path, id }: MultipartRef, now: UnixSeconds) => recall.get(id, path, now),

    hasExpired: prepareExpired(db),
  }
}

function prepareExpired(db: Database): (now: UnixSeconds) => boolean {
  const hasExpired = db.prepare<[number, number]>(
    `SELECT 1 FROM uploads WHERE expires <= ?
     UNION ALL SELECT 1 FROM completed_uploads WHERE expires <= ? LIMIT 1`,
  )
  return (now) => hasExpired.get(now, now) !== undefined
}

/** Of an upload, without those of one part. */
function prepareBytes(db: Database): (id: string, number: number) => Bytes | undefined {
  const beside = db
    .prepare<[number, string], Bytes>(
      `SELECT bytes - coalesce((SELECT size FROM parts WHERE upload = uploads.id AND number = ?), 0)
       FROM uploads WHERE name = ?`,
    )
    .pluck()
  return (id, number) => beside.get(number, id)
}

/** Where the bytes of a part are; undefined where there is no such part, or another one. */
function preparePieces(
  db: Database,
): (id: string, part: NamedPart) => readonly Piece[] | undefined {
  const part = db
    .prepare<{ id: string; number: number; etag: string; sha256: string | null }, number>(
      `SELECT id FROM parts WHERE upload = (SELECT id FROM uploads WHERE name = @id)
       AND number = @number AND etag = @etag AND (@sha256 IS NULL OR sha256 = @sha256)`,
    )
    .pluck()
  const pieces = db.prepare<[number], Blob & Omit<Piece, 'blob'>>(
    `SELECT blobs.name, blobs.size, blobs.sums, start, length
     FROM part_pieces JOIN blobs ON blobs.id = part_pieces.blob WHERE part = ? ORDER BY seq`,
  )
  return db.transaction((id, { number, etag, sha256 = null }) => {
    const found = part.get({ id, number, etag, sha256 })
    if (found === undefined) return undefined
    return pieces.all(found).map(({ start, length, ...blob }) => ({ blob, start, length }))
  })
}

const uploadOf = ({ meta, ...upload }: UploadRow): MultipartInfo =>
  meta === null ? upload : { ...upload, meta: metaOf(meta) }
