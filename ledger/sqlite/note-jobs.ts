/** What is written of notes and of wrong PINs. */
import type { Database } from '../../database/open.ts'
import type { Seconds, UnixSeconds } from '../../key/units.ts'
import { type KeyNote, PIN_WINDOW_SECONDS, type PinTry } from '../ledger.ts'
import { oneLess, oneMore, type WrongPins, waitAfter } from '../pin-rules.ts'
import { fromNote } from './rows.ts'

const wrongPinsOf = (db: Database) =>
  db.prepare<[id: string, address: string], WrongPins>(
    'SELECT since, count FROM wrong_pins WHERE id = ? AND address = ?',
  )

/** How long to wait until another PIN may be tried; read without counting. */
export function pinWaitReader(db: Database): (attempt: PinTry) => Seconds {
  const find = wrongPinsOf(db)
  return ({ id, address, now }) => waitAfter(find.get(id, address), now)
}

export function noteJobs(db: Database) {
  const keep = db.prepare('INSERT OR REPLACE INTO notes VALUES (:id, :message, :pin)')
  const find = wrongPinsOf(db)
  const put = db.prepare('INSERT OR REPLACE INTO wrong_pins VALUES (?, ?, ?, ?)')
  const remove = db.prepare('DELETE FROM wrong_pins WHERE id = ? AND address = ?')
  const forget = db.prepare(
    `DELETE FROM wrong_pins WHERE (id, address) IN
       (SELECT id, address FROM wrong_pins WHERE since < ? LIMIT ?)`,
  )
  return {
    keepNotes(notes: readonly KeyNote[]): void {
      for (const note of notes) keep.run(fromNote(note))
    },

    tryPin({ id, address, now }: PinTry): Seconds {
      const { row, wait } = oneMore(find.get(id, address), now)
      if (row !== undefined) put.run(id, address, row.since, row.count)
      return wait
    },

    pinWasRight({ id, address }: PinTry): void {
      const found = find.get(id, address)
      const row = found && oneLess(found)
      if (row === undefined) remove.run(id, address)
      else put.run(id, address, row.since, row.count)
    },

    /** Forgets at most `limit` counts that are over; returns how many. */
    purgeWrongPins({ now, limit }: { now: UnixSeconds; limit: number }): number {
      return forget.run(now - PIN_WINDOW_SECONDS, limit).changes
    },
  }
}
