/** Whether a revocation hits: asked on every request, and so answered from memory where that can be. */
import type { Database, Statement } from '../../database/open.ts'
import type { Revocable, Revocation, RevocationKind } from '../ledger.ts'
import { hits, scopesAbove } from '../revocation-rules.ts'
import { Fingerprints } from './fingerprints.ts'
import { type RevocationColumns, toRevocation } from './rows.ts'

/** Of a kind, so many revocations are kept in memory while the generation stands still. */
const MOST_IN_MEMORY = 256

type Lookup = (value: string) => Revocation | undefined

/**
 * Asked on every request: a kind of which there is no revocation costs nothing, one of which there
 * are few costs no query.
 */
export function revocationReader(
  db: Database,
  generation: () => number,
): (target: Revocable) => Revocation | undefined {
  const lookupOf = lookupMaker(db)
  let readAt = -1
  let lookups: readonly (readonly [RevocationKind, Lookup])[] = []
  const lookupsNow = () => {
    const now = generation()
    if (now !== readAt) {
      lookups = KINDS.flatMap((kind) => {
        const lookup = lookupOf(kind, now)
        return lookup === undefined ? [] : [[kind, lookup] as const]
      })
      readAt = now
    }
    return lookups
  }
  return (target) => {
    for (const [kind, lookup] of lookupsNow()) {
      for (const value of VALUES[kind](target)) {
        const found = lookup(value)
        if (found !== undefined && hits(found.mintedUpTo, target.issuedAt)) return found
      }
    }
    return undefined
  }
}

/** How revocations of a kind are found; undefined where there are none. */
function lookupMaker(db: Database): (kind: RevocationKind, now: number) => Lookup | undefined {
  const some = db.prepare<[RevocationKind, number], RevocationColumns>(
    'SELECT * FROM revocations WHERE kind = ? LIMIT ?',
  )
  const find = db.prepare<[RevocationKind, string], RevocationColumns>(
    'SELECT * FROM revocations WHERE kind = ? AND value = ?',
  )
  const filters = new Map<RevocationKind, RevokedValues>()
  const filterOf = (kind: RevocationKind, now: number): RevokedValues => {
    const known = filters.get(kind)
    if (known?.catchUp(now)) return known
    const made = new RevokedValues(db, kind, now)
    filters.set(kind, made)
    return made
  }
  return (kind, now) => {
    const rows = some.all(kind, MOST_IN_MEMORY + 1)
    if (rows.length > MOST_IN_MEMORY) {
      const filter = filterOf(kind, now)
      return (value) => {
        const row = filter.mayHold(value) ? find.get(kind, value) : undefined
        return row && toRevocation(row)
      }
    }
    filters.delete(kind)
    if (rows.length === 0) return undefined
    const byValue = new Map(rows.map((row) => [row.value, toRevocation(row)]))
    return (value) => byValue.get(value)
  }
}

/** Read in one turn of the event loop, which must not wait for a million. */
const READ_AT_ONCE = 2000

/**
 * Which values of a kind may be revoked, so that those that certainly are not, nearly all, cost no
 * query. Read little by little, and until that is done, any may be. What is revoked meanwhile and
 * afterwards is told by its generation; what is purged only makes for a query in vain.
 */
class RevokedValues {
  readonly #db: Database
  readonly #slice: Statement<[RevocationKind, string, number], string>
  readonly #since: Statement<[RevocationKind, number], string>
  readonly #kind: RevocationKind
  readonly #values = new Fingerprints()
  #isWhole = false
  /** what was revoked up to this generation is among the values, once they are whole */
  #generation: number

  constructor(db: Database, kind: RevocationKind, generation: number) {
    this.#db = db
    this.#kind = kind
    this.#generation = generation
    this.#slice = db
      .prepare<[RevocationKind, string, number], string>(
        'SELECT value FROM revocations WHERE kind = ? AND value > ? ORDER BY value LIMIT ?',
      )
      .pluck()
    this.#since = db
      .prepare<[RevocationKind, number], string>(
        'SELECT value FROM revocations WHERE kind = ? AND generation > ?',
      )
      .pluck()
    this.#readOn('')
  }

  mayHold(value: string): boolean {
    return !this.#isWhole || this.#values.mayHold(value)
  }

  /** @returns false where the ledger is an older one than was read: then nothing of this holds */
  catchUp(generation: number): boolean {
    if (generation < this.#generation) return false
    if (this.#isWhole) {
      this.#addNewer()
      this.#generation = generation
    }
    return true
  }

  #readOn(after: string): void {
    setImmediate(() => {
      if (!this.#db.open) return
      try {
        this.#read(after)
      } catch {
        // any value may be revoked then; the query says what is wrong
      }
    }).unref()
  }

  #read(after: string): void {
    const values = this.#slice.all(this.#kind, after, READ_AT_ONCE)
    for (const value of values) this.#values.add(value)
    const last = values.at(-1)
    if (last === undefined) {
      this.#addNewer()
      this.#isWhole = true
    } else {
      this.#readOn(last)
    }
  }

  #addNewer(): void {
    for (const value of this.#since.all(this.#kind, this.#generation)) this.#values.add(value)
  }
}

const KINDS: readonly RevocationKind[] = ['id', 'subject', 'path', 'everything']

/** Under which values a revocation of each kind would lie that names the target. */
const VALUES: Readonly<Record<RevocationKind, (target: Revocable) => readonly string[]>> = {
  id: ({ ids }) => ids,
  subject: ({ subjects }) => subjects,
  path: ({ path }) => (path === undefined ? [] : scopesAbove(path)),
  everything: () => [''],
}
