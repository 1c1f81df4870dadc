/**
 * A lock between processes that the operating system drops with its holder: SQLite's exclusive one,
 * on an empty file of its own.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
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

/** A number of its own for a process, among all that share a folder. */
export interface Slot {
  readonly folder: string
  readonly number: number
  /** The slot is anybody's from now on. */
  release(): void
}

const lockOf = (folder: string, number: number): string => join(folder, `${number}.lock`)

/** The first that is free; the folder is made where it is missing. */
export function takeSlot(folder: string): Slot {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (let number = 0; ; number += 1) {
    const lock = tryHold(lockOf(folder, number))
    if (lock !== undefined) return { folder, number, release: () => void lock.close() }
  }
}

/** Whether a process has taken it; nobody has where nobody could, as on a read-only copy. */
export function isTaken(folder: string, number: number): boolean {
  try {
    const lock = tryHold(lockOf(folder, number))
    lock?.close()
    return lock === undefined
  } catch (error) {
    if (/^SQLITE_(READONLY|CANTOPEN)/.test(String((error as { code?: string }).code))) return false
    throw error
  }
}
