import type { Database } from '../../../database/open.ts'
import type { Tools } from './object-jobs.ts'

/** Pins say that a process reads an object: for as long as they are there, its blobs are. */
export function preparePinJobs(db: Database, { removal }: Tools) {
  const insert = db.prepare<{ oid: number; owner: string }>(
    'INSERT INTO pins (oid, owner) SELECT oid, @owner FROM objects WHERE oid = @oid',
  )
  const pinsOf = db.prepare<[string], number>('SELECT id FROM pins WHERE owner = ?').pluck()

  return {
    /** The pin; undefined where there is no such object any more. */
    pin(job: { readonly oid: number; readonly owner: string }): number | undefined {
      const { changes, lastInsertRowid } = insert.run(job)
      return changes === 0 ? undefined : Number(lastInsertRowid)
    },

    /** Returns the names of blobs that became garbage. */
    unpin({ pin, owner }: { readonly pin: number; readonly owner: string }) {
      return removal.pin(pin, owner)
    },

    /** The pins of instances that have died. */
    unpinAll({ dead, owner }: { readonly dead: readonly string[]; readonly owner: string }) {
      return dead.flatMap((one) => pinsOf.all(one)).flatMap((pin) => removal.pin(pin, owner))
    },
  }
}
