/** Copies of databases that are in use, by SQLite's online backup: never by reading their files. */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import { type Database, DatabaseError, explained, makeForOwnerOnly, openReader } from './open.ts'

/**
 * A connection that sees one moment until it is closed, whatever is written meanwhile.
 * @throws DatabaseError
 */
export function openSnapshot(file: string): Database {
  const db = openReader(file)
  try {
    db.exec('BEGIN')
    // the moment is that of the first read
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return db
  } catch (error) {
    db.close()
    throw explained(file, error)
  }
}

/**
 * Copies what the snapshot sees into a new file: whole, checked and durable when this resolves, and
 * without a -wal beside it. A file that is there is replaced.
 * @throws DatabaseError where the source is damaged, or the copy can't be written
 */
export async function copyDatabase(snapshot: Database, file: string): Promise<void> {
  rmSync(file, { force: true })
  try {
    makeForOwnerOnly(file)
    await snapshot.backup(file)
    const copy = new SqliteDatabase(file)
    try {
      copy.pragma('journal_mode = DELETE')
      checkWhole(copy, file, 'quick_check')
    } finally {
      copy.close()
    }
    syncFile(file)
  } catch (error) {
    throw explained(file, error)
  }
}

/** @throws DatabaseError that says what SQLite found */
export function checkWhole(
  db: Database,
  file: string,
  check: 'quick_check' | 'integrity_check',
): void {
  const verdict = String(db.pragma(`${check}(1)`, { simple: true }))
  if (verdict !== 'ok') throw new DatabaseError('SQLITE_CORRUPT', `${file}: ${verdict}`)
}

function syncFile(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
