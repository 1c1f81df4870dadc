/** Reads the index, on a connection of its own: every answer is of one moment. */
import { oncePerTurn } from '../../../database/once-per-turn.ts'
import { type Database, openDatabase } from '../../../database/open.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { hasChecksum } from '../files/checksum.ts'
import { asRefusal } from '../files/health.ts'
import { Damaged, type ListedObject, type ObjectInfo } from '../store.ts'
import { prepareBuckets } from './bucket-rows.ts'
import { HotObjects } from './hot-objects.ts'
import {
  type Blob,
  type Inline,
  infoOf,
  LISTED_COLUMNS,
  type ListedRow,
  type Located,
  listedOf,
  migrations,
  OBJECT_COLUMNS,
  type ObjectRow,
  type Piece,
} from './schema.ts'
import { prepareUploadReader } from './upload-reader.ts'

/** The content is in pieces where there are no bytes. */
type LocatedRow = ObjectRow & { readonly oid: number } & (
    | Inline
    | { readonly bytes: null; readonly sum: null }
  )

interface PieceRow extends Blob {
  readonly start: number
  readonly length: number
}

const LIVE = '(objects.expires IS NULL OR objects.expires > ?)'

/** SQLite orders every text before every blob: above all paths. */
const NO_BOUND = Buffer.alloc(0)

export class IndexReader {
  readonly #db: Database
  readonly #hot = new HotObjects()
  readonly #version
  readonly #head
  readonly #locate
  readonly #locatePieces
  readonly #scan
  readonly #hasExpired
  readonly #holdsBlob
  readonly #garbage
  readonly #pinnedOid
  readonly #pinOwners
  readonly buckets
  readonly uploads

  /** @throws DatabaseError */
  constructor(file: string) {
    const db = openDatabase(file, migrations)
    db.pragma('query_only = ON')
    this.#db = db
    // differs as soon as any other connection, and be it our own writer's, has committed
    const version = db.prepare<[], number>('PRAGMA data_version').pluck()
    this.#version = oncePerTurn(() => answered(() => version.get()))
    this.#head = db.prepare<[string, number], ObjectRow>(
      `SELECT ${OBJECT_COLUMNS} FROM objects WHERE path = ? AND ${LIVE}`,
    )
    this.#locate = db.prepare<[string, number], LocatedRow>(
      `SELECT objects.oid, ${OBJECT_COLUMNS}, contents.bytes, contents.sum
       FROM objects LEFT JOIN contents USING (oid) WHERE path = ? AND ${LIVE}`,
    )
    const piecesOf = db.prepare<[number], PieceRow>(
      `SELECT blobs.name, blobs.size, blobs.sums, pieces.start, pieces.length
       FROM pieces JOIN blobs ON blobs.id = pieces.blob WHERE oid = ? ORDER BY seq`,
    )
    this.#locatePieces = db.transaction((path: string, now: UnixSeconds) => {
      const row = this.#locate.get(path, now)
      const pieces = row === undefined ? [] : piecesOf.all(row.oid).map(pieceOf)
      return { row, pieces }
    })
    this.#scan = db.prepare<[string, string | Buffer, number], ListedRow>(
      `SELECT ${LISTED_COLUMNS} FROM objects WHERE path >= ? AND path < ? AND ${LIVE} ORDER BY path`,
    )
    this.#hasExpired = db.prepare<[number]>('SELECT 1 FROM objects WHERE expires <= ? LIMIT 1')
    this.#holdsBlob = db.prepare<[string]>('SELECT 1 FROM blobs WHERE name = ?')
    this.#garbage = db.prepare<[], { name: string; owner: string }>(
      'SELECT name, owner FROM garbage',
    )
    this.#pinnedOid = db.prepare<[number], number>('SELECT oid FROM pins WHERE id = ?').pluck()
    this.#pinOwners = db.prepare<[], string>('SELECT DISTINCT owner FROM pins').pluck()
    this.buckets = prepareBuckets(db)
    this.uploads = prepareUploadReader(db)
  }

  /** To be called when a write of our own may have changed something. */
  readonly forgetVersion = (): void => this.#version.forget()

  head(path: string, now: UnixSeconds): ObjectInfo | undefined {
    const row = answered(() => this.#head.get(path, now))
    return row && infoOf(row)
  }

  /** @throws Damaged where the bytes in the index are not those that were written */
  locate(path: string, now: UnixSeconds): Located | undefined {
    const hot = this.#hot.get(path, this.#version())
    if (hot === undefined) return this.#lookUp(path, now)
    return hot.info.expires === undefined || hot.info.expires > now ? hot : undefined
  }

  #lookUp(path: string, now: UnixSeconds): Located | undefined {
    let row = answered(() => this.#locate.get(path, now))
    let pieces: readonly Piece[] = []
    if (row?.bytes === null) ({ row, pieces } = answered(() => this.#locatePieces(path, now)))
    if (row === undefined) return undefined
    const content = row.bytes === null ? pieces : this.#verified(row)
    const located = { oid: row.oid, info: infoOf(row), content }
    this.#hot.add(path, located)
    return located
  }

  #verified({ path, bytes, sum }: ObjectRow & Inline): Uint8Array {
    if (hasChecksum(bytes, sum)) return bytes
    throw new Damaged(
      `${path}: its content in the index is not what was written; restore it from a backup or upload the object again`,
    )
  }

  /** In byte order; an iteration is ended before the next question is asked. */
  *scan(from: string, below: string | undefined, now: UnixSeconds): Generator<ListedObject> {
    try {
      for (const row of this.#scan.iterate(from, below ?? NO_BOUND, now)) yield listedOf(row)
    } catch (error) {
      throw asRefusal(error)
    }
  }

  hasExpired(now: UnixSeconds): boolean {
    return answered(() => this.#hasExpired.get(now)) !== undefined
  }

  holdsBlob(name: string): boolean {
    return answered(() => this.#holdsBlob.get(name)) !== undefined
  }

  garbage(): readonly { readonly name: string; readonly owner: string }[] {
    return answered(() => this.#garbage.all())
  }

  /** Whether the object that was pinned is still the one with this number. */
  isPinned(pin: number, oid: number): boolean {
    return answered(() => this.#pinnedOid.get(pin)) === oid
  }

  pinOwners(): readonly string[] {
    return answered(() => this.#pinOwners.all())
  }

  close(): void {
    this.#db.close()
  }
}

const pieceOf = ({ start, length, ...blob }: PieceRow): Piece => ({ blob, start, length })

/** @throws Refusal unavailable where the index can't be read */
export function answered<T>(question: () => T): T {
  try {
    return question()
  } catch (error) {
    throw asRefusal(error)
  }
}
