/** The outbox in SQLite: what its writer thread does. */
import type { Database } from '../database/open.ts'
import type { Event } from './events.ts'

export const migrations: readonly string[] = [
  `CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL) STRICT;
   CREATE TABLE delivery (
     event TEXT NOT NULL,
     target TEXT NOT NULL,
     text TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     next INTEGER,
     error TEXT,
     PRIMARY KEY (event, target)
   ) STRICT;
   CREATE INDEX delivery_next ON delivery (next) WHERE next IS NOT NULL;
   CREATE TABLE told (event TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
]

export interface Row {
  readonly event: string
  readonly target: string
  readonly text: string
  readonly attempts: number
  readonly next: number | null
  readonly error: string | null
}

export interface Taken {
  readonly state: string
  readonly deliveries: readonly { readonly event: Event; readonly target: string }[]
  readonly now: number
}

export interface Settled {
  readonly event: string
  readonly target: string
  readonly error: string
  /** null: given up */
  readonly next: number | null
}

/** Which rows a person means. */
export interface Chosen {
  readonly ids: readonly string[]
  /** also those that are still tried */
  readonly all: boolean
  readonly now: number
}

/** An event is not taken up again that was taken up within this time: 30 days, in milliseconds. */
const REMEMBERED = 30 * 86_400_000

export type OutboxJobs = ReturnType<typeof prepareJobs>

export function prepareJobs(db: Database) {
  const readState = db.prepare('SELECT text FROM state').pluck()
  const writeState = db.prepare('INSERT OR REPLACE INTO state (one, text) VALUES (1, ?)')
  const remember = db.prepare('INSERT OR IGNORE INTO told (event, at) VALUES (?, ?)')
  const forget = db.prepare('DELETE FROM told WHERE at < ?')
  const isTold = db.prepare('SELECT 1 FROM told WHERE event = ?').pluck()
  const add = db.prepare(
    'INSERT OR IGNORE INTO delivery (event, target, text, next) VALUES (?, ?, ?, ?)',
  )
  const due = db.prepare(
    'SELECT * FROM delivery WHERE next <= ? AND target = ? ORDER BY next, rowid LIMIT ?',
  )
  const remove = db.prepare('DELETE FROM delivery WHERE event = ? AND target = ?')
  const fail = db.prepare(
    'UPDATE delivery SET attempts = attempts + 1, error = ?, next = ? WHERE event = ? AND target = ?',
  )
  const list = db.prepare(
    'SELECT * FROM delivery WHERE ? = 0 OR next IS NULL ORDER BY rowid LIMIT ?',
  )
  const mine = '(? = 1 OR next IS NULL) AND (? = 0 OR event IN (SELECT value FROM json_each(?)))'
  const retry = db.prepare(`UPDATE delivery SET next = ?, attempts = 0 WHERE ${mine}`)
  const drop = db.prepare(`DELETE FROM delivery WHERE ${mine}`)
  const choice = ({ ids, all }: Chosen) => [
    Number(all || ids.length > 0),
    Number(ids.length > 0),
    JSON.stringify(ids),
  ]
  return {
    state: () => readState.get() as string | undefined,
    take: ({ state, deliveries, now }: Taken) => {
      const isNew = new Map(deliveries.map(({ event }) => [event.id, isTold.get(event.id) !== 1]))
      for (const { event, target } of deliveries) {
        if (isNew.get(event.id)) add.run(event.id, target, JSON.stringify(event), now)
        remember.run(event.id, now)
      }
      forget.run(now - REMEMBERED)
      writeState.run(state)
    },
    due: ({ now, target, limit }: { now: number; target: string; limit: number }) =>
      due.all(now, target, limit) as Row[],
    done: ({ event, target }: { event: string; target: string }) =>
      remove.run(event, target).changes,
    fail: ({ event, target, error, next }: Settled) => fail.run(error, next, event, target).changes,
    list: ({ limit, isDead }: { limit: number; isDead: boolean }) =>
      list.all(Number(isDead), limit) as Row[],
    retry: (chosen: Chosen) => retry.run(chosen.now, ...choice(chosen)).changes,
    drop: (chosen: Chosen) => drop.run(...choice(chosen)).changes,
  }
}
