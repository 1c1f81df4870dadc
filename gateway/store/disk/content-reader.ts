/** Reads of the index where the content of objects is, on a connection of its own. */
import { type Database, openDatabase } from '../../../database/open.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { type Inline, migrations, type Piece } from './schema.ts'

/** An object, its content or where that is: of one moment. */
export interface StoredObject {
  readonly path: string
  readonly size: number
  readonly sha256: string | null
  readonly inline: Inline | undefined
  readonly pieces: readonly Piece[]
}

interface Row {
  readonly oid: number
  readonly path: string
  readonly size: number
  readonly sha256: string | null
  readonly bytes: Uint8Array | null
  readonly sum: Uint8Array | null
}

interface PieceRow {
  readonly name: string
  readonly size: number
  readonly sums: Uint8Array
  readonly start: number
  readonly length: number
}

const ROWS = `SELECT oid, path, size, sha256, bytes, sum FROM objects LEFT JOIN contents USING (oid)`
const LIVE = '(expires IS NULL OR expires > ?)'

export class ContentReader {
  readonly #db: Database
  readonly #after
  readonly #at
  readonly #pieces
  readonly #knows

  /** @throws DatabaseError */
  constructor(index: string) {
    const db = openDatabase(index, migrations)
    db.pragma('query_only = ON')
    this.#db = db
    this.#after = db.prepare<[string, number, number], Row>(
      `${ROWS} WHERE path > ? AND ${LIVE} ORDER BY path LIMIT ?`,
    )
    this.#at = db.prepare<[string, number], Row>(`${ROWS} WHERE path = ? AND ${LIVE}`)
    this.#pieces = db.prepare<[number], PieceRow>(
      `SELECT name, size, sums, start, length FROM pieces JOIN blobs ON blobs.id = pieces.blob
       WHERE oid = ? ORDER BY seq`,
    )
    this.#knows = db.prepare<[string, string]>(
      'SELECT 1 FROM blobs WHERE name = ? UNION ALL SELECT 1 FROM garbage WHERE name = ?',
    )
  }

  /** The objects behind that path, in byte order. */
  after(path: string, now: UnixSeconds, most: number): readonly StoredObject[] {
    return this.#atOnce(() => this.#after.all(path, now, most))
  }

  at(path: string, now: UnixSeconds): StoredObject | undefined {
    return this.#atOnce(() => this.#at.all(path, now))[0]
  }

  /** Whether a blob of that name is named, or is somebody's to unlink. */
  knows(name: string): boolean {
    return this.#knows.get(name, name) !== undefined
  }

  close(): void {
    this.#db.close()
  }

  #atOnce(rows: () => readonly Row[]): readonly StoredObject[] {
    return this.#db.transaction(() => rows().map((row) => this.#stored(row)))()
  }

  #stored({ oid, path, size, sha256, bytes, sum }: Row): StoredObject {
    const inline = bytes === null || sum === null ? undefined : { bytes, sum }
    const pieces = this.#pieces
      .all(oid)
      .map(({ start, length, ...blob }) => ({ blob, start, length }))
    return { path, size, sha256, inline, pieces }
  }
}
