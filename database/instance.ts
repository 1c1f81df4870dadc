/**
 * A running process of ours on a data folder. It is alive while it holds a lock that the operating
 * system drops with the process, so nobody has to guess from clocks whether another one still runs.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { hold } from './lock.ts'
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

  /**
   * The lock gets its name when it is held: a lock that anybody can see and that is free is one
   * whose owner is gone, never one whose owner is about to take it.
   * @param folder where the locks of all instances on one data folder lie; made if missing
   */
  static start(folder: string): Instance {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const id = randomBytes(8).toString('hex')
    const unnamed = join(folder, `${id}.starting`)
    const lock = hold(unnamed)
    renameSync(unnamed, join(folder, id + SUFFIX))
    const instance = new Instance(folder, id, lock)
    // what they left is told apart by asking who is alive: nobody needs the locks of the dead
    for (const dead of instance.dead()) instance.bury(dead)
    return instance
  }

  isAlive(id: string): boolean {
    if (id === this.id) return true
    const file = join(this.#folder, id + SUFFIX)
    return existsSync(file) && isHeld(file)
  }

  /** Instances that ended without saying so. */
  dead(): readonly string[] {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .filter((id) => !this.isAlive(id))
  }

  bury(id: string): void {
    rmSync(join(this.#folder, id + SUFFIX), { force: true })
  }

  /** Idempotent. What this instance had in hand is anybody's from now on. */
  close(): void {
    this.#lock.close()
    this.bury(this.id)
  }
}

/** Asks by a shared lock, so that several may ask at once and none takes another for the owner. */
function isHeld(file: string): boolean {
  let db: Database | undefined
  try {
    db = new SqliteDatabase(file, { timeout: 0, readonly: true, fileMustExist: true })
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return false
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'SQLITE_BUSY') return true
    // its owner has ended in this very moment, and took it away
    if (code === 'SQLITE_CANTOPEN') return false
    throw error
  } finally {
    db?.close()
  }
}
