import type { Database } from '../../../database/open.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { Bucket } from '../full-store.ts'
import { prepareBuckets } from './bucket-rows.ts'
import type { Occasion, Tools } from './object-jobs.ts'

export interface Removed {
  readonly what: 'removed' | 'not found' | 'not empty'
  readonly garbage: readonly string[]
}

export function prepareBucketJobs(db: Database, { removal }: Tools) {
  const buckets = prepareBuckets(db)
  const insert = db.prepare<{ name: string; created: number }>(
    'INSERT OR IGNORE INTO buckets (name, created) VALUES (@name, @created)',
  )
  const remove = db.prepare<[string]>('DELETE FROM buckets WHERE name = ?')
  const uploadsIn = db
    .prepare<[string, string], number>('SELECT id FROM uploads WHERE path >= ? AND path < ?')
    .pluck()

  return {
    /** Whether there was none; it stays from now on, also without objects. */
    createBucket({ name, created }: { readonly name: string; readonly created: UnixSeconds }) {
      const isNew = buckets.find(name, created) === undefined
      insert.run({ name, created })
      return isNew
    },

    removeBucket({ name, now, owner }: Occasion & Pick<Bucket, 'name'>): Removed {
      if (buckets.holdsObject(name, now)) return { what: 'not empty', garbage: [] }
      const { changes } = remove.run(name)
      if (changes === 0) return { what: 'not found', garbage: [] }
      const uploads = uploadsIn.all(`${name}/`, `${name}0`)
      return { what: 'removed', garbage: uploads.flatMap((id) => removal.upload(id, owner)) }
    },
  }
}
