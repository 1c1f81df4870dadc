/**
 * A lock between processes that the operating system drops with its holder: SQLite's exclusive one,
 * on an empty file of its own.
 */
import SqliteDatabase from 'better-sqlite3'
import type { Database } from './open.ts'

/**
 * Holds it until the connection that is returned, or the process, ends.
 * @throws SqliteError with the code `SQLITE_BUSY`, at once, where somebody else holds it
 */
export function hold(file: string): Database {
  const db = new SqliteDatabase(file, { timeout: 0 })
  try {
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** The lock, or undefined where somebody else holds it. */
export function tryHold(file: string): Database | undefined {
  try {
    return hold(file)
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined
    throw error
  }
}
