import type { Database } from '../../../database/open.ts'
import { bytes } from '../../../key/units.ts'
import { holds } from '../condition.ts'
import type {
  MultipartFailure,
  MultipartRef,
  NewPart,
  PartCondition,
  PartInfo,
  PartSource,
} from '../multipart.ts'
import { prepareCompletion } from './completion.ts'
import type { Occasion, Tools, Unmet } from './object-jobs.ts'
import { checksumsText } from './part-rows.ts'
import type { Blob } from './schema.ts'
import { type Slice, sliced, TOO_MANY_PIECES, type TooManyPieces } from './slices.ts'
import { NO_SUCH_UPLOAD, prepareUploads, type Uploads } from './upload-rows.ts'

interface PartJob extends Occasion {
  readonly ref: MultipartRef
  readonly number: number
  readonly as: NewPart
  readonly condition?: PartCondition | undefined
}

export interface PutPart extends PartJob {
  /** bytes only where there are none: parts lie in files, so that they can be pieces later */
  readonly content: Blob | Uint8Array
}

export interface CopyPart extends PartJob {
  readonly source: PartSource
}

export interface PartDone {
  readonly done: true
  readonly part: PartInfo
  readonly garbage: readonly string[]
}

/** The source's bytes lie in the index: they are no pieces. */
export interface IsInline {
  readonly done: false
  readonly failed: 'inline'
}

/** Of a part: as many as S3 has parts. Copies of ranges of such objects could be of any number. */
const MOST_PIECES = 10_000

/** At one time: there is more of them the next time. */
const MOST_FORGOTTEN = 1000

export function prepareMultipartJobs(db: Database, tools: Tools) {
  const uploads = prepareUploads(db)
  const entry = preparePartEntry(db, tools, uploads)
  const hasPart = db.prepare('SELECT 1 FROM parts WHERE upload = ? AND number = ?')
  const insertBlob = db.prepare('INSERT INTO blobs (name, size, sums) VALUES (?, ?, ?)')

  return {
    createUpload: uploads.insert,

    putPart(job: PutPart): PartDone | MultipartFailure {
      const upload = uploads.find(job.ref, job.now)
      if (upload === undefined) return NO_SUCH_UPLOAD
      const { content, number, condition } = job
      if (condition?.absent === true && hasPart.get(upload, number) !== undefined) {
        return { done: false, failed: 'part_exists', number }
      }
      if (entry.isTooLarge(upload, job, sizeOf(content))) return tooLarge(job)
      if (content instanceof Uint8Array) return entry.enter(upload, job, [])
      const { name, size, sums } = content
      const blob = Number(insertBlob.run(name, size, sums).lastInsertRowid)
      return entry.enter(upload, job, [{ blob, start: 0, length: size }])
    },

    copyPart: preparePartCopy(db, tools, { uploads, entry }),

    complete: prepareCompletion(db, tools, uploads),

    abort({ ref, now, owner }: Occasion & { readonly ref: MultipartRef }) {
      const upload = uploads.find(ref, now)
      if (upload === undefined) return { existed: false, garbage: [] }
      return { existed: true, garbage: tools.removal.upload(upload, owner) }
    },

    /** Removes up to `most` expired uploads, and forgets some that were completed. */
    sweepUploads({ now, owner, most }: Occasion & { readonly most: number }) {
      const expired = uploads.expired(now, most)
      uploads.forget(now, MOST_FORGOTTEN)
      const garbage = expired.flatMap((id) => tools.removal.upload(id, owner))
      return { removed: expired.length, garbage }
    },
  }
}

type PartEntry = ReturnType<typeof preparePartEntry>

const sizeOf = (content: Blob | Uint8Array): number =>
  content instanceof Uint8Array ? content.length : content.size

const tooLarge = ({ number }: PartJob): MultipartFailure => ({
  done: false,
  failed: 'too_large',
  number,
})

/** How a part is entered, within what all of them together may have. */
function preparePartEntry(db: Database, { removal }: Tools, uploads: Uploads) {
  const find = db.prepare<[number, number], { id: number; size: number }>(
    'SELECT id, size FROM parts WHERE upload = ? AND number = ?',
  )
  const bytesOf = db.prepare<[number], number>('SELECT bytes FROM uploads WHERE id = ?').pluck()
  const insert = db.prepare(
    `INSERT INTO parts (upload, number, size, etag, sha256, checksums, note, modified)
     VALUES (@upload, @number, @size, @etag, @sha256, @checksums, @note, @modified)`,
  )
  const insertPiece = db.prepare(
    'INSERT INTO part_pieces (part, seq, blob, start, length) VALUES (?, ?, ?, ?, ?)',
  )
  /** Makes pieces a part, in place of one that was there. */
  const enter = (upload: number, job: PartJob, pieces: readonly Slice[]): PartDone => {
    const { number, as, owner } = job
    const before = find.get(upload, number)
    const garbage = before === undefined ? [] : removal.part(before.id, owner)
    const size = bytes(pieces.reduce((sum, { length }) => sum + length, 0))
    uploads.resize(upload, size - (before?.size ?? 0))
    const row = {
      sha256: null,
      note: null,
      ...as,
      upload,
      number,
      size,
      checksums: checksumsText(as),
    }
    const part = insert.run(row).lastInsertRowid
    for (const [seq, piece] of pieces.entries()) {
      insertPiece.run(part, seq, piece.blob, piece.start, piece.length)
    }
    return { done: true, part: { ...as, number, size }, garbage }
  }
  return {
    enter,
    isTooLarge(upload: number, { number, condition }: PartJob, size: number): boolean {
      if (condition?.most === undefined) return false
      const beside = (bytesOf.get(upload) ?? 0) - (find.get(upload, number)?.size ?? 0)
      return beside + size > condition.most
    },
  }
}

function preparePartCopy(
  db: Database,
  { rows }: Tools,
  { uploads, entry }: { readonly uploads: Uploads; readonly entry: PartEntry },
) {
  const piecesOf = db.prepare<[number], Slice>(
    'SELECT blob, start, length FROM pieces WHERE oid = ? ORDER BY seq',
  )
  const isInline = db.prepare<[number]>('SELECT 1 FROM contents WHERE oid = ?')
  return (
    job: CopyPart,
  ):
    | PartDone
    | MultipartFailure
    | IsInline
    | TooManyPieces
    | (Unmet & { readonly of: 'source' }) => {
    const { source, ref, now, number } = job
    const { live } = rows.find(source.path, now)
    if (live === undefined || !holds(source.condition, live)) {
      return { done: false, of: 'source', existing: live }
    }
    const range = source.range ?? { start: 0, length: live.size }
    if (range.start + range.length > live.size) {
      return { done: false, failed: 'range_unsatisfiable', number }
    }
    const upload = uploads.find(ref, now)
    if (upload === undefined) return NO_SUCH_UPLOAD
    if (isInline.get(live.oid) !== undefined) return { done: false, failed: 'inline' }
    if (entry.isTooLarge(upload, job, range.length)) return tooLarge(job)
    const pieces = sliced(piecesOf.all(live.oid), range)
    if (pieces.length > MOST_PIECES) return TOO_MANY_PIECES
    return entry.enter(upload, job, pieces)
  }
}
