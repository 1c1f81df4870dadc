/**
 * Everything that is written to the ledger, run on the writer's thread, each job in a transaction.
 * What a caller may be told is a value; an error means that the database could not.
 */
import type { Statement } from 'better-sqlite3'
import type { Database } from '../../database/open.ts'
import type { UnixSeconds } from '../../key/units.ts'
import { type AllowanceRow, type AllowanceTable, giveBackAll, takeAll } from '../allowance-rules.ts'
import {
  type LeaseAnswer,
  type LeaseRow,
  type LeaseTable,
  leaseAll,
  settleAll,
} from '../lease-rules.ts'
import type {
  Activity,
  AllowanceOutcome,
  AllowanceRequest,
  IssuedKey,
  Lease,
  LeaseRequest,
  Revocation,
  SigningKeyRecord,
} from '../ledger.ts'
import { stricter } from '../revocation-rules.ts'
import { firstRule } from '../rule-of-key.ts'
import { noteJobs } from './note-jobs.ts'
import {
  type AllowanceColumns,
  fromIssuedKey,
  fromLeaseRow,
  fromRevocation,
  fromSigningKeyRecord,
  type IssuedColumns,
  type LeaseColumns,
  type RevocationColumns,
  toAllowanceRow,
  toIssuedKey,
  toLeaseRow,
  toRevocation,
} from './rows.ts'
import { ruleJobs, ruleWriter } from './rule-jobs.ts'

export { migrations } from './migrations.ts'

/** Undefined when all went well; else an id of those given that was there before. */
type Taken = { readonly taken: string } | undefined

export type LedgerJobs = ReturnType<typeof prepareJobs>

export const prepareJobs = (db: Database) => ({
  ...revocationJobs(db),
  ...leaseJobs(db),
  ...allowanceJobs(db),
  ...ruleJobs(db, () => void nextGeneration(db).run()),
  ...issuedJobs(db),
  ...noteJobs(db),
  ...signingKeyJobs(db),
  ...timeJobs(db),
})

const nextGeneration = (db: Database): Statement =>
  db.prepare('UPDATE generation SET number = number + 1')

function revocationJobs(db: Database) {
  const changed = nextGeneration(db)
  const find = db.prepare<unknown[], RevocationColumns>(
    'SELECT * FROM revocations WHERE kind = ? AND value = ?',
  )
  const put = db.prepare(
    `INSERT OR REPLACE INTO revocations
     SELECT :kind, :value, :minted_up_to, :revoked_at, :until, :reason, number FROM generation`,
  )
  const forget = db.prepare(
    'DELETE FROM revocations WHERE (kind, value) IN (SELECT kind, value FROM revocations WHERE until <= ? LIMIT ?)',
  )
  return {
    revoke(revocations: readonly Revocation[]): void {
      changed.run()
      for (const revocation of revocations) {
        const row = find.get(revocation.kind, revocation.value)
        put.run(fromRevocation(stricter(row && toRevocation(row), revocation)))
      }
    },

    /** Forgets at most `limit` revocations that ended by `now`; returns how many. */
    purgeRevocations({ now, limit }: { now: UnixSeconds; limit: number }): number {
      const { changes } = forget.run(now, limit)
      if (changes > 0) changed.run()
      return changes
    },
  }
}

export interface LeaseJob {
  readonly request: LeaseRequest
  readonly holder: string
  /** instances known to have ended: what they hold is broken */
  readonly dead: readonly string[]
}

export interface SettleJob {
  readonly lease: Lease
  readonly sent: number
  readonly handed: number
}

function leaseJobs(db: Database) {
  const tableOf = leaseTables(db)
  return {
    lease({ request, holder, dead }: LeaseJob): LeaseAnswer {
      const table = tableOf(request.object, request.address)
      return leaseAll(table, request, holder, (other) => dead.includes(instanceOf(other)))
    },

    settle({ lease, sent, handed }: SettleJob): void {
      settleAll(tableOf(lease.object, lease.address), lease, sent, handed)
    },
  }
}

/** A holder is its instance's id, a dot, and what tells it from the instance's others. */
export const instanceOf = (holder: string): string => holder.slice(0, holder.indexOf('.'))

function leaseTables(db: Database): (object: string, address: string) => LeaseTable {
  const count = db.prepare<[string], number>('SELECT count FROM uses WHERE id = ?').pluck()
  const addUses = db.prepare(
    'INSERT INTO uses VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET count = count + excluded.count',
  )
  const row = db.prepare<[string, string, string], LeaseColumns>(
    'SELECT * FROM leases WHERE id = ? AND object = ? AND address = ?',
  )
  const put = db.prepare(
    'INSERT OR REPLACE INTO leases VALUES (:id, :object, :address, :started, :holder, :etag, :size, :sent, :coverage, :done)',
  )
  const remove = db.prepare('DELETE FROM leases WHERE id = ? AND object = ? AND address = ?')
  return (object, address) => ({
    count: (id) => count.get(id) ?? 0,
    row: (id) => {
      const found = row.get(id, object, address)
      return found && toLeaseRow(found)
    },
    put: (id: string, next: LeaseRow) => put.run({ id, object, address, ...fromLeaseRow(next) }),
    remove: (id) => remove.run(id, object, address),
    addUses: (id, by) => addUses.run(id, by),
  })
}

function allowanceJobs(db: Database) {
  const table = allowanceTable(db)
  const forget = db.prepare(
    'DELETE FROM allowances WHERE id IN (SELECT id FROM allowances WHERE until <= ? LIMIT ?)',
  )
  return {
    take: (request: AllowanceRequest): AllowanceOutcome => takeAll(table, request),

    giveBack({ ids, amount }: { ids: readonly string[]; amount: number }): void {
      giveBackAll(table, ids, amount)
    },

    purgeAllowances: ({ now, limit }: { now: UnixSeconds; limit: number }): number =>
      forget.run(now, limit).changes,
  }
}

function allowanceTable(db: Database): AllowanceTable {
  const row = db.prepare<[string], AllowanceColumns>('SELECT * FROM allowances WHERE id = ?')
  const put = db.prepare('INSERT OR REPLACE INTO allowances VALUES (:id, :taken, :at, :until)')
  return {
    row: (id) => {
      const found = row.get(id)
      return found && toAllowanceRow(found)
    },
    put: (id: string, { taken, at, until }: AllowanceRow) =>
      put.run({ id, taken, at, until: until ?? null }),
  }
}

function issuedJobs(db: Database) {
  const isTaken = db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM issued WHERE id = :id)
           OR EXISTS (SELECT 1 FROM revocations WHERE kind = 'id' AND value = :id)`,
    )
    .pluck()
  const insert = db.prepare(
    `INSERT INTO issued
       (id, kid, subjects, paths, methods, issued_at, expires, uses, issued_by, claims)
     VALUES
       (:id, :kid, :subjects, :paths, :methods, :issued_at, :expires, :uses, :issued_by, :claims)`,
  )
  const insertRule = ruleWriter(db)
  const insertName = db.prepare('INSERT OR IGNORE INTO issued_names VALUES (?, ?, ?)')
  const note = db.prepare(
    `INSERT INTO activity
     SELECT :id, :lastUsed, :lastAddress, :requests, :bytesOut, :bytesIn
     WHERE EXISTS (SELECT 1 FROM issued WHERE id = :id)
     ON CONFLICT (id) DO UPDATE SET
       last_address = iif(excluded.last_used >= last_used, excluded.last_address, last_address),
       last_used = max(last_used, excluded.last_used),
       requests = requests + excluded.requests,
       bytes_out = bytes_out + excluded.bytes_out,
       bytes_in = bytes_in + excluded.bytes_in`,
  )
  return {
    recordIssued(keys: readonly IssuedKey[]): Taken {
      const ids = new Set<string>()
      for (const { id } of keys) {
        if (ids.has(id) || isTaken.get({ id }) === 1) return { taken: id }
        ids.add(id)
      }
      for (const key of keys) {
        const { lastInsertRowid } = insert.run(fromIssuedKey(key))
        for (const [field, value] of namesOf(key)) insertName.run(field, value, lastInsertRowid)
        const rule = firstRule(key)
        if (rule !== undefined) insertRule(rule)
      }
      return undefined
    },

    noteActivity(batch: readonly Activity[]): void {
      for (const activity of batch) note.run(activity)
    },

    purgeIssued: purgeIssued(db),
  }
}

const namesOf = (key: IssuedKey): readonly (readonly [field: string, value: string])[] => [
  ...key.subjects.map((subject) => ['subject', subject] as const),
  ...key.paths.map((path) => ['path', path] as const),
]

/** Forgets at most `limit` keys that expired before a moment, and all that was counted on them. */
function purgeIssued(db: Database) {
  const expired = db.prepare<[number, number], IssuedColumns>(
    'SELECT * FROM issued WHERE expires < ? ORDER BY expires LIMIT ?',
  )
  const forgetName = db.prepare(
    'DELETE FROM issued_names WHERE field = ? AND value = ? AND number = ?',
  )
  const forget = [
    ...['issued', 'activity', 'leases', 'uses', 'notes', 'wrong_pins'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE id = ?`),
    ),
    db.prepare("DELETE FROM rules WHERE kind = 'key' AND name = ?"),
  ]
  return ({ before, limit }: { before: number; limit: number }): number => {
    const rows = expired.all(before, limit)
    for (const row of rows) {
      for (const [field, value] of namesOf(toIssuedKey(row))) {
        forgetName.run(field, value, row.number)
      }
      for (const statement of forget) statement.run(row.id)
    }
    return rows.length
  }
}

function signingKeyJobs(db: Database) {
  const changed = nextGeneration(db)
  const statusOf = db
    .prepare<[string], string>('SELECT status FROM signing_keys WHERE kid = ?')
    .pluck()
  const add = db.prepare(
    `INSERT INTO signing_keys (kid, kind, status, created_at, grace_ends, ceiling)
     VALUES (:kid, :kind, :status, :created_at, :grace_ends, :ceiling)`,
  )
  const setStatus = db.prepare(
    'UPDATE signing_keys SET status = :status, grace_ends = :graceEnds WHERE kid = :kid',
  )
  return {
    addSigningKey(record: SigningKeyRecord): Taken {
      if (statusOf.get(record.kid) !== undefined) return { taken: record.kid }
      add.run(fromSigningKeyRecord(record))
      changed.run()
      return undefined
    },

    /** False where there is no such kid. */
    setSigningKeyStatus(to: {
      kid: string
      status: SigningKeyRecord['status']
      graceEnds: UnixSeconds | null
    }): boolean {
      const status = statusOf.get(to.kid)
      if (status === undefined) return false
      if (status !== 'revoked') {
        setStatus.run(to)
        changed.run()
      }
      return true
    },
  }
}

function timeJobs(db: Database) {
  const note = db.prepare(
    `INSERT INTO latest_time VALUES (1, ?)
     ON CONFLICT DO UPDATE SET seconds = max(seconds, excluded.seconds)`,
  )
  const reset = db.prepare('INSERT OR REPLACE INTO latest_time VALUES (1, ?)')
  return {
    noteTime(now: UnixSeconds): void {
      note.run(now)
    },

    resetTime(now: UnixSeconds): void {
      reset.run(now)
    },
  }
}
