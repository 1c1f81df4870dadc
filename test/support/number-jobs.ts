/** A small database and its jobs, for trying the writer. */
import { appendFileSync, readFileSync } from 'node:fs'
import type { Database } from '../../database/open.ts'

export const migrations = ['CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT']

export const outside = ['act', 'actAndFail']

export type NumberJobs = ReturnType<typeof prepareJobs>

export const prepareJobs = (db: Database) => {
  const insert = db.prepare('INSERT INTO numbers VALUES (?)')
  return {
    /** Fails for a number that is there. */
    add(n: number): number {
      insert.run(n)
      return n
    },
    /** Adds, and then fails for a reason of its own. */
    addAndFail(n: number): void {
      insert.run(n)
      throw new Error('changed my mind')
    },
    nothing(): void {},
    /** Leaves a trace in a file; returns how many there are. */
    act(file: string): number {
      appendFileSync(file, 'x')
      return readFileSync(file).length
    },
    actAndFail(file: string): void {
      appendFileSync(file, 'x')
      throw new Error('changed my mind')
    },
    /** Ends the whole transaction, as SQLite does by itself when a disk is full. */
    endTransaction(): void {
      db.exec('ROLLBACK')
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
    },
    /** Fails as a failing disk does. */
    breakDisk(): void {
      throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' })
    },
    die(): void {
      process.exit(7)
    },
  }
}
