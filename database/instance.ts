/**
 * A running process of ours on a data folder. It is alive while it holds a lock that the operating
 * system drops with the process, so nobody has to guess from clocks whether another one still runs.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import type { Database } from './open.ts'

const SUFFIX = '.lock'

export class Instance {
  /** Names what this process has in hand, such as blobs not yet committed and running transfers. */
  readonly id: string
  readonly #folder: string
  readonly #lock: Database

  private constructor(folder: string, id: string, lock: Database) {
    this.#folder = folder
    this.id = id
    this.#lock = lock
  }

  /** @param folder where the locks of all instances on one data folder lie; made if missing */
  static start(folder: string): Instance {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const id = randomBytes(8).toString('hex')
    const lock = tryLock(join(folder, id + SUFFIX))
    if (lock === undefined) throw new Error(`the lock of the fresh instance ${id} is taken`)
    return new Instance(folder, id, lock)
  }

  isAlive(id: string): boolean {
    if (id === this.id) return true
    if (!this.#known().includes(id)) return false
    const lock = tryLock(join(this.#folder, id + SUFFIX))
    lock?.close()
    return lock === undefined
  }

  /** Instances that ended without saying so; call {@link bury} when what they left is dealt with. */
  dead(): readonly string[] {
    return this.#known().filter((id) => !this.isAlive(id))
  }

  bury(id: string): void {
    for (const ending of ['', '-journal'])
      rmSync(join(this.#folder, id + SUFFIX + ending), { force: true })
  }

  close(): void {
    this.#lock.close()
    this.bury(this.id)
  }

  #known(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
  }
}

/** SQLite's exclusive lock on a file of its own; undefined while another holds it. */
function tryLock(file: string): Database | undefined {
  const db = new SqliteDatabase(file, { timeout: 0 })
  try {
    db.pragma('journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined
    throw error
  }
}
