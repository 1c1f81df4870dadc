/** Everything that is read from the ledger: prepared statements on one connection, at once. */
import { oncePerTurn, whenWritten } from '../../database/once-per-turn.ts'
import type { Database } from '../../database/open.ts'
import { type UnixSeconds, unixSeconds } from '../../key/units.ts'
import type {
  IssuedCount,
  IssuedFilter,
  IssuedKeyState,
  KeyNote,
  Revocation,
  SigningKeyRecord,
} from '../ledger.ts'
import { revocationOfKey } from '../revocation-rules.ts'
import { pinWaitReader } from './note-jobs.ts'
import { revocationReader } from './revoked.ts'
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
import { ruleReads } from './rule-jobs.ts'

/** Issued keys that are counted in one turn of the event loop: whoever wants an object waits so long. */
const COUNTED_AT_ONCE = 2000

/** Some of the issued keys, by signing key. */
interface CountedSlice extends IssuedCount {
  /** where the next slice goes on */
  readonly last: number
}

export type LedgerReads = ReturnType<typeof prepareReads>

export function prepareReads(db: Database) {
  const generationOf = db.prepare<[], number>('SELECT number FROM generation').pluck()
  // this connection only reads: whatever is written is another's
  const version = db.prepare<[], number>('PRAGMA data_version').pluck()
  const current = whenWritten(
    () => version.get(),
    () => generationOf.get() ?? 0,
  )
  const generation = oncePerTurn(current)
  const revocationOf = revocationReader(db, generation)
  const revocations = db.prepare<[number], RevocationColumns>(
    'SELECT * FROM revocations ORDER BY revoked_at DESC LIMIT ?',
  )
  const usesOf = db.prepare<[string], number>('SELECT count FROM uses WHERE id = ?').pluck()
  const noteOf = db.prepare<[string], NoteColumns>('SELECT * FROM notes WHERE id = ?')
  const takenOf = db.prepare<[string], number>('SELECT taken FROM allowances WHERE id = ?').pluck()
  const signingKeys = db.prepare<[], SigningKeyColumns>(
    'SELECT * FROM signing_keys ORDER BY created_at, number',
  )
  const countSlice = db.prepare<[number, number, number, number], CountedSlice>(
    `SELECT kid, count(*) AS issued, max(number) AS last, sum(
       expires > ?
       AND NOT EXISTS (SELECT 1 FROM revocations WHERE kind = 'id' AND value = slice.id)
       AND coalesce(
         (SELECT value ->> '$.claims.exp' > ? FROM rules WHERE kind = 'key' AND name = slice.id), 1)
     ) AS live
     FROM (SELECT number, id, kid, expires FROM issued WHERE number > ? ORDER BY number LIMIT ?) AS slice
     GROUP BY kid`,
  )
  const latestTime = db.prepare<[], number>('SELECT seconds FROM latest_time').pluck()
  return {
    generation,
    latestTime: (): UnixSeconds => unixSeconds(latestTime.get() ?? 0),
    revocationOf,
    ...ruleReads(db),
    revocations: (limit: number): Revocation[] => revocations.all(limit).map(toRevocation),
    usesOf: (id: string): number => usesOf.get(id) ?? 0,
    noteOf: (id: string): KeyNote | undefined => {
      const row = noteOf.get(id)
      return row && toNote(row)
    },
    pinWait: pinWaitReader(db),
    takenOf: (id: string): number => takenOf.get(id) ?? 0,
    countSlice: (now: UnixSeconds, after: number): CountedSlice[] =>
      countSlice.all(now, now, after, COUNTED_AT_ONCE),
    signingKeys: (): SigningKeyRecord[] => signingKeys.all().map(toSigningKeyRecord),
    issued: (filter: IssuedFilter): IssuedKeyState[] =>
      readIssued(db, filter).map((key) => {
        const revocation = revocationOfKey(key, revocationOf)
        return { ...key, ...(revocation && { revocation }) }
      }),
  }
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
              last_used, last_address, requests, bytes_out, bytes_in, value, changed_at
       FROM issued LEFT JOIN uses USING (id) LEFT JOIN activity USING (id)
       LEFT JOIN rules ON rules.kind = 'key' AND rules.name = issued.id
       WHERE ${conditions.join(' AND ')} ORDER BY number DESC LIMIT ?`,
    )
    .all(...values, filter.limit)
    .map(toIssuedState)
}

const NUMBERS = 'SELECT number FROM issued_names WHERE field ='
