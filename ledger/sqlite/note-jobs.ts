/** What is written of notes and of wrong PINs. */
import type { Database } from '../../database/open.ts'
import type { Seconds, UnixSeconds } from '../../key/units.ts'
import {
  type KeyNote,
  PIN_KNOWN_SECONDS,
  PIN_WINDOW_SECONDS,
  type PinTry,
  SECONDS_PER_PIN_ANYWHERE,
} from '../ledger.ts'
import {
  ANYWHERE,
  oneLess,
  oneMore,
  type PinRows,
  type WrongPins,
  waitAfter,
} from '../pin-rules.ts'
import { fromNote } from './rows.ts'

function wrongPinsOf(db: Database): (attempt: PinTry) => PinRows {
  const find = db.prepare<[id: string, address: string], WrongPins>(
    'SELECT since, count, right_at AS "right" FROM wrong_pins WHERE id = ? AND address = ?',
  )
  return ({ id, address }) => ({ here: find.get(id, address), anywhere: find.get(id, ANYWHERE) })
}

/** How long to wait until another PIN may be tried; read without counting. */
export function pinWaitReader(db: Database): (attempt: PinTry) => Seconds {
  const find = wrongPinsOf(db)
  return (attempt) => waitAfter(find(attempt), attempt.now)
}

export function noteJobs(db: Database) {
  const keep = db.prepare('INSERT OR REPLACE INTO notes VALUES (:id, :message, :pin)')
  const find = wrongPinsOf(db)
  const put = db.prepare('INSERT OR REPLACE INTO wrong_pins VALUES (?, ?, ?, ?, ?)')
  const forget = db.prepare(
    `DELETE FROM wrong_pins WHERE (id, address) IN
       (SELECT id, address FROM wrong_pins
        WHERE since < :now - ${PIN_WINDOW_SECONDS}
          AND since + count * ${SECONDS_PER_PIN_ANYWHERE} < :now
          AND coalesce(right_at, 0) < :now - ${PIN_KNOWN_SECONDS}
        LIMIT :limit)`,
  )
  const putRows = ({ id, address }: PinTry, rows: Record<keyof PinRows, WrongPins>): void => {
    const { here, anywhere } = rows
    put.run(id, address, here.since, here.count, here.right)
    put.run(id, ANYWHERE, anywhere.since, anywhere.count, anywhere.right)
  }
  return {
    keepNotes(notes: readonly KeyNote[]): void {
      for (const note of notes) keep.run(fromNote(note))
    },

    tryPin(attempt: PinTry): Seconds {
      const { rows, wait } = oneMore(find(attempt), attempt.now)
      if (rows !== undefined) putRows(attempt, rows)
      return wait
    },

    pinWasRight(attempt: PinTry): void {
      putRows(attempt, oneLess(find(attempt), attempt.now))
    },

    /** Forgets at most `limit` counts that are over; returns how many. */
    purgeWrongPins({ now, limit }: { now: UnixSeconds; limit: number }): number {
      return forget.run({ now, limit }).changes
    },
  }
}
