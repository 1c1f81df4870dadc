/** The blobs that an index names: of the live index, of a snapshot of it, or of a copy. */
import type { Database } from '../../../database/open.ts'
import type { Amount, BlobAmount } from '../maintenance.ts'

export interface NamedBlob {
  readonly name: string
  readonly size: number
}

/** Names of ours; what is read from an index that came from elsewhere must not lead out of a folder. */
const NAME = /^[0-9a-f]{32}$/

const PAGE = 1000

export class BlobList {
  readonly #page
  readonly #names
  readonly #paths
  readonly #has
  readonly #blobs
  readonly #objects

  constructor(db: Database) {
    this.#page = db.prepare<[number, number], NamedBlob & { id: number }>(
      'SELECT id, name, size FROM blobs WHERE id > ? ORDER BY id LIMIT ?',
    )
    this.#names = db.prepare<[], string>('SELECT name FROM blobs').pluck()
    this.#paths = db
      .prepare<[string], string>(
        `SELECT DISTINCT path FROM blobs JOIN pieces ON pieces.blob = blobs.id
           JOIN objects USING (oid) WHERE name = ? ORDER BY path`,
      )
      .pluck()
    this.#has = db.prepare<[string]>('SELECT 1 FROM blobs WHERE name = ?')
    this.#blobs = db.prepare<[], BlobAmount>(
      'SELECT count(*) AS blobs, ifnull(sum(size), 0) AS bytes FROM blobs',
    )
    this.#objects = db.prepare<[], Amount>(
      'SELECT count(*) AS objects, ifnull(sum(size), 0) AS bytes FROM objects',
    )
  }

  /** In pages: no read transaction is open while the caller works on one. */
  *[Symbol.iterator](): Generator<NamedBlob> {
    for (let last = 0; ; ) {
      const page = this.#page.all(last, PAGE)
      for (const { id, name, size } of page) {
        last = id
        yield { name: checked(name), size }
      }
      if (page.length < PAGE) return
    }
  }

  /** Those that are wanted, as fast as it goes. */
  names(isWanted: (name: string) => boolean): readonly string[] {
    const names: string[] = []
    for (const name of this.#names.iterate()) if (isWanted(name)) names.push(checked(name))
    return names
  }

  has(name: string): boolean {
    return this.#has.get(name) !== undefined
  }

  pathsOf(name: string): readonly string[] {
    return this.#paths.all(name)
  }

  blobs(): BlobAmount {
    return this.#blobs.get() as BlobAmount
  }

  objects(): Amount {
    return this.#objects.get() as Amount
  }
}

function checked(name: string): string {
  if (NAME.test(name)) return name
  throw new Error(`the index names a blob ${JSON.stringify(name)}`)
}
