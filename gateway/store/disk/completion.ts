/** How an upload in parts becomes an object: at one moment, and without moving a byte. */
import type { Database } from '../../../database/open.ts'
import { holds } from '../condition.ts'
import type { CompletedObject, MultipartFailure, MultipartRef, PartList } from '../multipart.ts'
import { assembled, listFailure } from '../part-list.ts'
import type { WriteCondition } from '../store.ts'
import type { DoneWith, Occasion, Tools, Unmet } from './object-jobs.ts'
import type { PartRow } from './part-rows.ts'
import type { Inline } from './schema.ts'
import { TOO_MANY_PIECES, type TooManyPieces } from './slices.ts'
import { NO_SUCH_UPLOAD, type Uploads } from './upload-rows.ts'

interface Complete extends Occasion {
  readonly ref: MultipartRef
  readonly list: PartList
  readonly as: CompletedObject
  readonly condition: WriteCondition | undefined
  /** the content of an object of no bytes */
  readonly empty: Inline
}

type Chosen = Pick<PartRow, 'number' | 'size' | 'etag'> & { readonly id: number }

/** Of an object: parts that were copied may have several. */
const MOST_PIECES = 100_000

export function prepareCompletion(db: Database, { rows, removal }: Tools, uploads: Uploads) {
  const partsOf = db.prepare<[number], Chosen>(
    'SELECT id, number, size, etag FROM parts WHERE upload = ?',
  )
  const countPieces = db
    .prepare<[number], number>(
      'SELECT count(*) FROM parts JOIN part_pieces ON part_pieces.part = parts.id WHERE upload = ?',
    )
    .pluck()
  const assemble = prepareAssembly(db)
  return (job: Complete): DoneWith | Unmet | MultipartFailure | TooManyPieces => {
    const { ref, list, as, condition, now, owner, empty } = job
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
    assemble(rows.insert(info), chosen, empty)
    const unused = removal.upload(upload, owner)
    return { done: true, existed: live !== undefined, garbage: [...garbage, ...unused], info }
  }
}

/** Strings the pieces of parts together as those of an object. */
function prepareAssembly(db: Database) {
  const take = db.prepare<{ oid: number; before: number; part: number }>(
    `INSERT INTO pieces (oid, seq, blob, start, length)
     SELECT @oid, @before + seq, blob, start, length FROM part_pieces WHERE part = @part`,
  )
  const insertContent = db.prepare('INSERT INTO contents (oid, sum, bytes) VALUES (?, ?, ?)')
  return (oid: number, parts: readonly Chosen[], empty: Inline): void => {
    let pieces = 0
    for (const { id } of parts) pieces += take.run({ oid, before: pieces, part: id }).changes
    if (pieces === 0) insertContent.run(oid, empty.sum, empty.bytes)
  }
}
