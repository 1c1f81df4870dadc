/** What the writer thread does to the index: each job in a transaction, so that conditions hold. */
import type { Database } from '../../../database/open.ts'
import { prepareBucketJobs } from './bucket-jobs.ts'
import { prepareMultipartJobs } from './multipart-jobs.ts'
import { prepareObjectJobs } from './object-jobs.ts'
import { preparePinJobs } from './pin-jobs.ts'
import { prepareRemoval } from './removal.ts'
import { prepareRows } from './rows.ts'

export { migrations } from './schema.ts'

export type StoreJobs = ReturnType<typeof prepareJobs>

export function prepareJobs(db: Database) {
  const tools = { rows: prepareRows(db), removal: prepareRemoval(db) }
  return {
    ...prepareObjectJobs(db, tools),
    ...prepareMultipartJobs(db, tools),
    ...prepareBucketJobs(db, tools),
    ...preparePinJobs(db, tools),
    ...prepareForgetting(db),
  }
}

function prepareForgetting(db: Database) {
  const forget = db.prepare<[string]>('DELETE FROM garbage WHERE name = ?')
  return {
    /** Garbage whose files are gone for good. */
    forget(names: readonly string[]): void {
      for (const name of names) forget.run(name)
    },
  }
}
