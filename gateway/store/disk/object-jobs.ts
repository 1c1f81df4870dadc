import type { Database } from '../../../database/open.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { holds } from '../condition.ts'
import type { MetaChange } from '../full-store.ts'
import { changedMeta, copied, withMeta } from '../meta.ts'
import type { CopiedObject, CopyConditions } from '../object-copy.ts'
import type { ObjectInfo, WriteCondition } from '../store.ts'
import type { Removal } from './removal.ts'
import { type ObjectRows, prepareContents } from './rows.ts'
import { type Blob, infoOf, type ObjectRow } from './schema.ts'

/** What jobs on objects share. */
export interface Tools {
  readonly rows: ObjectRows
  readonly removal: Removal
}

/** At what moment, by which instance. */
export interface Occasion {
  readonly now: UnixSeconds
  readonly owner: string
}

export interface Change extends Occasion {
  readonly path: ObjectPath
  readonly condition: WriteCondition | undefined
}

export interface Put extends Change {
  readonly info: ObjectInfo
  readonly content: Uint8Array | Blob
}

export interface Copy extends Occasion {
  readonly from: ObjectPath
  readonly to: ObjectPath
  readonly as: CopiedObject
  readonly conditions: CopyConditions
}

export interface Done {
  readonly done: true
  /** whether an object was there */
  readonly existed: boolean
  /** blobs that nothing names any more: the owner unlinks them */
  readonly garbage: readonly string[]
}

/** With the object that came of it. */
export interface DoneWith extends Done {
  readonly info: ObjectInfo
}

export interface Unmet {
  readonly done: false
  readonly existing: ObjectRow | undefined
}

export interface UnmetCopy extends Unmet {
  readonly of: 'source' | 'target'
}

export interface Swept {
  readonly removed: number
  readonly garbage: readonly string[]
}

export function prepareObjectJobs(db: Database, tools: Tools) {
  const { rows, removal } = tools
  const expired = db.prepare<[number, number], { oid: number }>(
    'SELECT oid FROM objects WHERE expires <= ? ORDER BY expires LIMIT ?',
  )
  const enter = prepareEntry(db)

  return {
    put(job: Put): Done | Unmet {
      const { row, live } = rows.find(job.path, job.now)
      if (!holds(job.condition, live)) return { done: false, existing: live }
      const garbage = row === undefined ? [] : removal.object(row.oid, job.owner)
      enter(rows.insert(job.info), job.content)
      return { done: true, existed: live !== undefined, garbage }
    },

    delete(job: Change): Done | Unmet {
      const { row, live } = rows.find(job.path, job.now)
      if (!holds(job.condition, live)) return { done: false, existing: live }
      const garbage = row === undefined ? [] : removal.object(row.oid, job.owner)
      return { done: true, existed: live !== undefined, garbage }
    },

    copy: prepareCopy(db, tools),

    setMeta(job: Change & { readonly change: MetaChange }): DoneWith | Unmet {
      const { live } = rows.find(job.path, job.now)
      if (live === undefined || !holds(job.condition, live)) return { done: false, existing: live }
      const before = infoOf(live)
      const info = withMeta(before, changedMeta(before.meta, job.change))
      rows.update(live.oid, info)
      return { done: true, existed: true, garbage: [], info }
    },

    /** Removes up to `most` expired objects, longest expired first. */
    sweep({ now, owner, most }: Occasion & { readonly most: number }): Swept {
      const all = expired.all(now, most)
      const garbage = all.flatMap(({ oid }) => removal.object(oid, owner))
      return { removed: all.length, garbage }
    },
  }
}

/** Gives an object that has just been inserted its content. */
function prepareEntry(db: Database): (oid: number, content: Uint8Array | Blob) => void {
  const insertContent = prepareContents(db)
  const insertBlob = db.prepare('INSERT INTO blobs (name, size, sums) VALUES (?, ?, ?)')
  const insertPiece = db.prepare(
    'INSERT INTO pieces (oid, seq, blob, start, length) VALUES (?, 0, ?, 0, ?)',
  )
  return (oid, content) => {
    if (content instanceof Uint8Array) {
      insertContent(oid, content)
      return
    }
    const { lastInsertRowid: blob } = insertBlob.run(content.name, content.size, content.sums)
    insertPiece.run(oid, blob, content.size)
  }
}

function prepareCopy(db: Database, { rows, removal }: Tools) {
  const copyContent = db.prepare<[number, number]>(
    'INSERT INTO contents (oid, sum, bytes) SELECT ?, sum, bytes FROM contents WHERE oid = ?',
  )
  const copyPieces = db.prepare<[number, number]>(
    `INSERT INTO pieces (oid, seq, blob, start, length)
     SELECT ?, seq, blob, start, length FROM pieces WHERE oid = ?`,
  )
  return (job: Copy): DoneWith | UnmetCopy => {
    const { from, to, as, conditions, now, owner } = job
    const { live: source } = rows.find(from, now)
    if (source === undefined || !holds(conditions.source, source)) {
      return { done: false, of: 'source', existing: source }
    }
    const { row, live } = rows.find(to, now)
    if (!holds(conditions.target, live)) return { done: false, of: 'target', existing: live }
    const info = copied(infoOf(source), to, as)
    if (from === to) {
      rows.update(source.oid, info)
      return { done: true, existed: true, garbage: [], info }
    }
    const garbage = row === undefined ? [] : removal.object(row.oid, owner)
    const oid = rows.insert(info)
    copyContent.run(oid, source.oid)
    copyPieces.run(oid, source.oid)
    return { done: true, existed: live !== undefined, garbage, info }
  }
}
