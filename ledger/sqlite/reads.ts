/** Everything that is read from the ledger: prepared statements on one connection, at once. */
import { oncePerTurn } from '../../database/once-per-turn.ts'
import type { Database } from '../../database/open.ts'
import { type UnixSeconds, unixSeconds } from '../../key/units.ts'
import type {
  IssuedFilter,
  IssuedKeyState,
  KeyNote,
  Revocable,
  Revocation,
  RevocationKind,
  SigningKeyRecord,
} from '../ledger.ts'
import { hits, scopesAbove } from '../revocation-rules.ts'
import {
  type IssuedStateColumns,
  type NoteColumns,
  type RevocationColumns,
  type SigningKeyColumns,
  toIssuedState,
  toNote,
  toRevocation,
  toSigningKeyRecord,
} from './rows.ts'

export type LedgerReads = ReturnType<typeof prepareReads>

export function prepareReads(db: Database) {
  const generationOf = db.prepare<[], number>('SELECT number FROM generation').pluck()
  const generation = oncePerTurn(() => generationOf.get() ?? 0)
  const revocationOf = revocationReader(db, generation)
  const revocations = db.prepare<[number], RevocationColumns>(
    'SELECT * FROM revocations ORDER BY revoked_at DESC LIMIT ?',
  )
  const usesOf = db.prepare<[string], number>('SELECT count FROM uses WHERE id = ?').pluck()
  const noteOf = db.prepare<[string], NoteColumns>('SELECT * FROM notes WHERE id = ?')
  const signingKeys = db.prepare<[], SigningKeyColumns>(
    'SELECT * FROM signing_keys ORDER BY created_at, number',
  )
  const latestTime = db.prepare<[], number>('SELECT seconds FROM latest_time').pluck()
  return {
    generation,
    latestTime: (): UnixSeconds => unixSeconds(latestTime.get() ?? 0),
    revocationOf,
    revocations: (limit: number): Revocation[] => revocations.all(limit).map(toRevocation),
    usesOf: (id: string): number => usesOf.get(id) ?? 0,
    noteOf: (id: string): KeyNote | undefined => {
      const row = noteOf.get(id)
      return row && toNote(row)
    },
    signingKeys: (): SigningKeyRecord[] => signingKeys.all().map(toSigningKeyRecord),
    issued: (filter: IssuedFilter): IssuedKeyState[] =>
      readIssued(db, filter).map((key) => {
        const revocation = revocationOf({ ...key, ids: [key.id] })
        return { ...key, ...(revocation && { revocation }) }
      }),
  }
}

/** Of a kind, so many revocations are kept in memory while the generation stands still. */
const MOST_IN_MEMORY = 256

type Lookup = (value: string) => Revocation | undefined

/**
 * Asked on every request: a kind of which there is no revocation costs nothing, one of which there
 * are few costs no query.
 */
function revocationReader(
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
        const lookup = lookupOf(kind)
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
function lookupMaker(db: Database): (kind: RevocationKind) => Lookup | undefined {
  const some = db.prepare<[RevocationKind, number], RevocationColumns>(
    'SELECT * FROM revocations WHERE kind = ? LIMIT ?',
  )
  const find = db.prepare<[RevocationKind, string], RevocationColumns>(
    'SELECT * FROM revocations WHERE kind = ? AND value = ?',
  )
  return (kind) => {
    const rows = some.all(kind, MOST_IN_MEMORY + 1)
    if (rows.length === 0) return undefined
    if (rows.length > MOST_IN_MEMORY) {
      return (value) => {
        const row = find.get(kind, value)
        return row && toRevocation(row)
      }
    }
    const byValue = new Map(rows.map((row) => [row.value, toRevocation(row)]))
    return (value) => byValue.get(value)
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

/** Newest first. */
function readIssued(db: Database, filter: IssuedFilter) {
  const conditions = ['true']
  const values: string[] = []
  const and = (condition: string, ...given: string[]): void => {
    conditions.push(condition)
    values.push(...given)
  }
  const { id, subject, path, after } = filter
  if (id !== undefined) and('issued.id = ?', id)
  if (after !== undefined) and('number < (SELECT number FROM issued WHERE id = ?)', after)
  if (subject !== undefined) and(`number IN (${NUMBERS} 'subject' AND value = ?)`, subject)
  if (path?.endsWith('/') && path !== '/') {
    // '0' follows '/': everything that starts with the prefix
    and(`number IN (${NUMBERS} 'path' AND value >= ? AND value < ?)`, path, `${path.slice(0, -1)}0`)
  } else if (path !== undefined && path !== '/') {
    and(`number IN (${NUMBERS} 'path' AND value = ?)`, path)
  }
  return db
    .prepare<unknown[], IssuedStateColumns>(
      `SELECT issued.*, coalesce(uses.count, 0) AS counted,
              last_used, last_address, requests, bytes_out, bytes_in
       FROM issued LEFT JOIN uses USING (id) LEFT JOIN activity USING (id)
       WHERE ${conditions.join(' AND ')} ORDER BY number DESC LIMIT ?`,
    )
    .all(...values, filter.limit)
    .map(toIssuedState)
}

const NUMBERS = 'SELECT number FROM issued_names WHERE field ='
