/** How we keep a SQLite database: in WAL, at synchronous=FULL, migrated forwards, never backwards. */
import { closeSync, existsSync, openSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import { markAsMade, markOf, wasThere } from './presence.ts'

export type Database = SqliteDatabase.Database
export type Statement<Parameters extends unknown[] = [], Row = unknown> = SqliteDatabase.Statement<
  Parameters,
  Row
>

/** A database that can't be used as it is; the message says why and what to do. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  /** SQLite's own code, such as `SQLITE_FULL`, where it gave one. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * A database that was there and is not any more.
 * @param what happened to it, such as `is missing`
 */
export const lost = (file: string, what: string): DatabaseError =>
  new DatabaseError(
    'LOST',
    `${file} ${what}, though there was a database before: stop valetkey, and put it back or restore the newest backup. To go on without all that it held, remove ${markOf(file)} as well`,
  )

/** How long a writer waits for another process's transaction, in milliseconds. */
const BUSY_TIMEOUT = 10_000
/** In milliseconds. */
const RETRY_AFTER = 5

/**
 * Opens the database, makes it where there never was one, and brings it to the newest schema.
 * @param migrations each entry is run once, in order, in a transaction of its own
 * @throws DatabaseError
 */
export function openDatabase(file: string, migrations: readonly string[]): Database {
  try {
    if (!existsSync(file) && wasThere(file)) throw lost(file, 'is missing')
    makeForOwnerOnly(file)
    const db = patiently(() => openOnce(file, migrations))
    if (migrations.length > 0) markAsMade(file)
    return db
  } catch (error) {
    throw explained(file, error)
  }
}

function openOnce(file: string, migrations: readonly string[]): Database {
  const db = new SqliteDatabase(file, { timeout: BUSY_TIMEOUT })
  try {
    configure(db, file)
    migrate(db, file, migrations)
    checkWritable(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** While several processes turn a new database to WAL, SQLite says busy without waiting first. */
function patiently<T>(attempt: () => T): T {
  const deadline = Date.now() + BUSY_TIMEOUT
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_AFTER)
    }
  }
}

const isBusy = (error: unknown): boolean =>
  /^SQLITE_BUSY/.test(String((error as { code?: unknown }).code))

/**
 * A connection that only reads; the database must have been opened by {@link openDatabase} before.
 * @throws DatabaseError
 */
export function openReader(file: string): Database {
  try {
    const db = new SqliteDatabase(file, {
      readonly: true,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT,
    })
    db.pragma('trusted_schema = OFF')
    return db
  } catch (error) {
    throw explained(file, error)
  }
}

/**
 * Before SQLite does, so that the file and its -wal and -shm are readable by the owner only. A file
 * that is there is not even opened: closing it would drop every lock that this process holds on it
 * (POSIX), and another process could then delete the log under our feet.
 * See https://www.sqlite.org/howtocorrupt.html, section 2.2.
 */
export function makeForOwnerOnly(file: string): void {
  try {
    closeSync(openSync(file, 'ax', 0o600))
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  }
}

/** A reopened WAL database silently comes back as NORMAL: set and asserted at every open. */
function configure(db: Database, file: string): void {
  const mode = db.pragma('journal_mode = WAL', { simple: true })
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  db.pragma('trusted_schema = OFF')
  const synchronous = db.pragma('synchronous', { simple: true })
  if (mode !== 'wal' || synchronous !== 2) {
    throw new DatabaseError(
      'NOT_DURABLE',
      `${file}: SQLite would not use WAL with synchronous=FULL (journal_mode ${mode}, synchronous ${synchronous}); keep the data folder on a local file system`,
    )
  }
}

function migrate(db: Database, file: string, migrations: readonly string[]): void {
  const version = () => db.pragma('user_version', { simple: true }) as number
  if (version() > migrations.length) {
    throw new DatabaseError(
      'TOO_NEW',
      `${file} has schema ${version()}, this program knows up to ${migrations.length}: it was written by a newer valetkey; use that version or restore a backup`,
    )
  }
  if (version() === 0 && wasThere(file)) throw lost(file, 'is empty')
  for (const [index, statements] of migrations.entries()) {
    const step = db.transaction(() => {
      // another process may have migrated meanwhile
      if (version() !== index) return
      db.exec(statements)
      db.pragma(`user_version = ${index + 1}`)
    })
    if (version() === index) step.immediate()
  }
}

/**
 * SQLite opens a file that it may not write without a word, and every write would fail later. Nobody
 * is waited for: where another one is writing, the file can be written.
 */
function checkWritable(db: Database): void {
  const version = db.pragma('user_version', { simple: true })
  db.pragma('busy_timeout = 0')
  try {
    db.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${version}`)
  } catch (error) {
    if (!isBusy(error)) throw error
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK')
    db.pragma(`busy_timeout = ${BUSY_TIMEOUT}`)
  }
}

/** SQLite's errors with the file's name and what to do. */
export function explained(file: string, error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  const code = (error as { code?: unknown }).code
  const text = error instanceof Error ? error.message : String(error)
  return new DatabaseError(
    String(code ?? 'UNKNOWN'),
    `${file}: ${text}${adviceFor(String(code))}`,
    { cause: error },
  )
}

/** What such a database says must not be believed: things may be missing from it. */
export const isUntrustworthy = (code: string): boolean =>
  /^(SQLITE_(CORRUPT|NOTADB)|LOST)/.test(code)

/**
 * After a failed write or fsync nobody knows what is on the disk, and a second fsync would say that
 * all is well: never retry, refuse writes until a restart has recovered the log.
 */
export const isFinal = (code: string): boolean =>
  isUntrustworthy(code) || code.startsWith('SQLITE_IOERR')

function adviceFor(code: string): string {
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return '. The database is damaged: stop valetkey, keep this file aside, and restore the newest backup'
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return '. Another program holds the database: end it, or wait until it is done'
  }
  if (/^SQLITE_(FULL|IOERR)|^ENOSPC/.test(code)) return '. Free some space and check the disk'
  if (/^(SQLITE_CANTOPEN|EACCES|EPERM|SQLITE_READONLY|ENOENT)/.test(code)) {
    return '. Check that the folder exists and that this user may write to it'
  }
  return ''
}
