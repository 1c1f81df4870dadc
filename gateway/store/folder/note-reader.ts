import { type Database, openDatabase } from '../../../database/open.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { asRefusal } from '../files/health.ts'
import type { ObjectInfo } from '../store.ts'
import type { Status } from './files.ts'
import {
  described,
  type FindNote,
  fileIdentity,
  type Kept,
  migrations,
  NOTE_COLUMNS,
  type Note,
  type StagedNote,
} from './notes.ts'

/** Another program may change a file without end. */
const MOST_LOOKS = 5

/** Reads the notes, on a connection of its own. */
export class NoteReader {
  /** of the database, never changing */
  readonly name: string
  readonly #db: Database
  readonly #now: () => UnixSeconds
  readonly #find
  readonly #sums
  readonly #expired

  /** @throws DatabaseError */
  constructor(file: string, now: () => UnixSeconds) {
    const db = openDatabase(file, migrations)
    db.pragma('query_only = ON')
    this.#db = db
    this.#now = now
    this.name = db.prepare<[], string>('SELECT name FROM self').pluck().get() ?? ''
    this.#find = db.prepare<[string, string], Note & Kept>(
      `SELECT id, ${NOTE_COLUMNS} FROM notes WHERE key = ? AND file = ?`,
    )
    this.#sums = db
      .prepare<[string, string], Uint8Array | null>(
        'SELECT sums FROM notes WHERE key = ? AND file = ?',
      )
      .pluck()
    this.#expired = db.prepare<[number, number], StagedNote & Kept>(
      'SELECT id, key, file, staged FROM notes WHERE expires <= ? ORDER BY expires LIMIT ?',
    )
  }

  /** The object that a file is; undefined for what is none. */
  info(path: ObjectPath, key: string, status: Status | undefined): ObjectInfo | undefined {
    const find: FindNote = (of, file) => this.#find.get(of, file)
    return answered(() => described(status, { path, key, find, now: this.#now() }))
  }

  /**
   * The object that is there now. A file's note goes once another file has its name: where there is
   * none, the file is looked at again.
   */
  infoNow(path: ObjectPath, key: string, look: () => Status | undefined): ObjectInfo | undefined {
    let status = look()
    for (let attempt = 1; ; attempt += 1) {
      const info = this.info(path, key, status)
      const isNoted = info?.sha256 !== undefined
      if (status === undefined || info === undefined || isNoted || attempt === MOST_LOOKS) {
        return info
      }
      const again = look()
      if (again !== undefined && fileIdentity(again) === fileIdentity(status)) return info
      status = again
    }
  }

  /** The checksums of the blocks of a file; undefined where nobody knows them. */
  sums(key: string, status: Status): Uint8Array | undefined {
    return answered(() => this.#sums.get(key, fileIdentity(status))) ?? undefined
  }

  /** Longest expired first. */
  expired(now: UnixSeconds, most: number): readonly (StagedNote & Kept)[] {
    return answered(() => this.#expired.all(now, most))
  }

  close(): void {
    this.#db.close()
  }
}

function answered<T>(question: () => T): T {
  try {
    return question()
  } catch (error) {
    throw asRefusal(error)
  }
}
