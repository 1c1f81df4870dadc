/** What the writer thread does to the index: each job in a transaction, so that conditions hold. */
import type { Database } from '../../../database/open.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { holds } from '../condition.ts'
import type { ObjectInfo, WriteCondition } from '../store.ts'
import { type Blob, OBJECT_COLUMNS, type ObjectRow } from './schema.ts'

export { migrations } from './schema.ts'

export interface Inline {
  readonly bytes: Uint8Array
  readonly sum: Uint8Array
}

/** At what moment, by which instance, on what condition. */
interface Change {
  readonly path: ObjectPath
  readonly condition: WriteCondition | undefined
  readonly now: UnixSeconds
  readonly owner: string
}

interface Put extends Change {
  readonly info: ObjectInfo
  readonly content: Inline | Blob
}

export type Outcome =
  | {
      readonly done: true
      /** whether an object was there */
      readonly existed: boolean
      /** blobs that nothing names any more: the owner unlinks them */
      readonly garbage: readonly string[]
    }
  | { readonly done: false; readonly existing: ObjectRow | undefined }

interface Swept {
  readonly removed: number
  readonly garbage: readonly string[]
}

type Present = ObjectRow & { readonly oid: number }

export type StoreJobs = ReturnType<typeof prepareJobs>

export function prepareJobs(db: Database) {
  const present = db.prepare<[string], Present>(
    `SELECT objects.oid, ${OBJECT_COLUMNS} FROM objects WHERE path = ?`,
  )
  const expired = db.prepare<[number, number], { oid: number }>(
    'SELECT oid FROM objects WHERE expires <= ? ORDER BY expires LIMIT ?',
  )
  const forget = db.prepare<[string]>('DELETE FROM garbage WHERE name = ?')
  const remove = prepareRemoval(db)
  const insert = prepareInsertion(db)

  /** The object that is there at that moment, and the row: an expired object is none, but has one. */
  function find({ path, now }: Change): { row: Present | undefined; live: Present | undefined } {
    const row = present.get(path)
    const isLive = row !== undefined && (row.expires === null || row.expires > now)
    return { row, live: isLive ? row : undefined }
  }

  return {
    put(job: Put): Outcome {
      const { row, live } = find(job)
      if (!holds(job.condition, live)) return { done: false, existing: live }
      const garbage = row === undefined ? [] : remove(row.oid, job.owner)
      insert(job)
      return { done: true, existed: live !== undefined, garbage }
    },

    delete(job: Change): Outcome {
      const { row, live } = find(job)
      if (!holds(job.condition, live)) return { done: false, existing: live }
      const garbage = row === undefined ? [] : remove(row.oid, job.owner)
      return { done: true, existed: live !== undefined, garbage }
    },

    /** Removes up to `most` expired objects, longest expired first. */
    sweep({ now, owner, most }: { now: UnixSeconds; owner: string; most: number }): Swept {
      const rows = expired.all(now, most)
      const garbage = rows.flatMap(({ oid }) => remove(oid, owner))
      return { removed: rows.length, garbage }
    },

    /** Garbage whose files are gone for good. */
    forget(names: readonly string[]): void {
      for (const name of names) forget.run(name)
    },
  }
}

/** Removes an object; returns the names of the blobs that became garbage. */
function prepareRemoval(db: Database): (oid: number, owner: string) => string[] {
  const blobsOf = db
    .prepare<[number], number>('SELECT DISTINCT blob FROM pieces WHERE oid = ?')
    .pluck()
  const removeObject = db.prepare<[number]>('DELETE FROM objects WHERE oid = ?')
  const isNamed = db.prepare<[number]>('SELECT 1 FROM pieces WHERE blob = ? LIMIT 1')
  const removeBlob = db
    .prepare<[number], string>('DELETE FROM blobs WHERE id = ? RETURNING name')
    .pluck()
  const addGarbage = db.prepare<[string, string]>('INSERT INTO garbage (name, owner) VALUES (?, ?)')
  return (oid, owner) => {
    const blobs = blobsOf.all(oid)
    removeObject.run(oid)
    const unnamed = blobs.filter((id) => isNamed.get(id) === undefined)
    const names = unnamed.flatMap((id) => removeBlob.get(id) ?? [])
    for (const name of names) addGarbage.run(name, owner)
    return names
  }
}

function prepareInsertion(db: Database): (job: Put) => void {
  const insertObject = db.prepare(
    `INSERT INTO objects (path, size, type, etag, sha256, modified, expires)
     VALUES (@path, @size, @type, @etag, @sha256, @modified, @expires)`,
  )
  const insertContent = db.prepare('INSERT INTO contents (oid, sum, bytes) VALUES (?, ?, ?)')
  const insertBlob = db.prepare('INSERT INTO blobs (name, size, sums) VALUES (?, ?, ?)')
  const insertPiece = db.prepare(
    'INSERT INTO pieces (oid, seq, blob, start, length) VALUES (?, 0, ?, 0, ?)',
  )
  return ({ info, content }) => {
    const { lastInsertRowid: oid } = insertObject.run({ expires: null, ...info })
    if ('bytes' in content) {
      insertContent.run(oid, content.sum, content.bytes)
      return
    }
    const { lastInsertRowid: blob } = insertBlob.run(content.name, content.size, content.sums)
    insertPiece.run(oid, blob, content.size)
  }
}
