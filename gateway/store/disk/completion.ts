/** How an upload in parts becomes an object: at one moment, and without moving a byte. */
import type { Database } from '../../../database/open.ts'
import { holds } from '../condition.ts'
import type { CompletedObject, MultipartFailure, MultipartRef, PartList } from '../multipart.ts'
import { assembled, listFailure } from '../part-list.ts'
import type { WriteCondition } from '../store.ts'
import type { DoneWith, Occasion, Tools, Unmet } from './object-jobs.ts'
import type { PartRow } from './part-rows.ts'
import { prepareContents } from './rows.ts'
import { TOO_MANY_PIECES, type TooManyPieces } from './slices.ts'
import { NO_SUCH_UPLOAD, type Uploads } from './upload-rows.ts'

export interface Complete extends Occasion {
  readonly ref: MultipartRef
  readonly list: PartList
  readonly as: CompletedObject
  readonly condition: WriteCondition | undefined
}

type Named = Pick<PartRow, 'number' | 'size' | 'etag' | 'sha256'>

/** Of an object: parts that were copied may have several. */
const MOST_PIECES = 100_000

export function prepareCompletion(db: Database, { rows, removal }: Tools, uploads: Uploads) {
  const partsOf = db.prepare<[number], Named>(
    'SELECT number, size, etag, sha256 FROM parts WHERE upload = ?',
  )
  const countPieces = db
    .prepare<[number], number>(
      'SELECT count(*) FROM parts JOIN part_pieces ON part_pieces.part = parts.id WHERE upload = ?',
    )
    .pluck()
  const assemble = prepareAssembly(db)
  return (job: Complete): DoneWith | Unmet | MultipartFailure | TooManyPieces => {
    const { ref, list, as, condition, now, owner } = job
    const upload = uploads.find(ref, now)
    if (upload === undefined) return NO_SUCH_UPLOAD
    const parts = new Map(partsOf.all(upload).map((part) => [part.number, part]))
    const failure = listFailure(list, (number) => parts.get(number))
    if (failure !== undefined) return failure
    if ((countPieces.get(upload) ?? 0) > MOST_PIECES) return TOO_MANY_PIECES
    const { row, live } = rows.find(ref.path, now)
    if (!holds(condition, live)) return { done: false, existing: live }
    const chosen = list.parts.flatMap(({ number }) => parts.get(number) ?? [])
    const info = assembled(ref, chosen, as)
    const garbage = row === undefined ? [] : removal.object(row.oid, owner)
    assemble(rows.insert(info), { upload, list })
    if (as.remembered !== undefined) uploads.remember(upload, as.remembered)
    const unused = removal.upload(upload, owner)
    return { done: true, existed: live !== undefined, garbage: [...garbage, ...unused], info }
  }
}

interface Assembly {
  readonly upload: number
  readonly list: PartList
}

const NO_BYTES = new Uint8Array()

/** Makes the pieces of parts those of an object, one after the other; the upload has them no more. */
function prepareAssembly(db: Database) {
  const chosen = 'number IN (SELECT value FROM json_each(@numbers))'
  const take = db.prepare<{ oid: number; upload: number; numbers: string }>(
    `INSERT INTO pieces (oid, seq, blob, start, length)
     SELECT @oid, row_number() OVER (ORDER BY number, seq) - 1, blob, start, length
     FROM parts JOIN part_pieces ON part_pieces.part = parts.id
     WHERE upload = @upload AND ${chosen}`,
  )
  const drop = db.prepare<{ upload: number; numbers: string }>(
    `DELETE FROM parts WHERE upload = @upload AND ${chosen}`,
  )
  const insertContent = prepareContents(db)
  return (oid: number, { upload, list }: Assembly): void => {
    const numbers = JSON.stringify(list.parts.map(({ number }) => number))
    const { changes } = take.run({ oid, upload, numbers })
    drop.run({ upload, numbers })
    if (changes === 0) insertContent(oid, NO_BYTES)
  }
}
