/** The one thing that the writer thread behind `bare-put.ts` does. */
import type { Database } from '../../database/open.ts'

export const migrations = [
  'CREATE TABLE objects (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, bytes BLOB NOT NULL)',
]

export interface Content {
  readonly path: string
  readonly sha256: string
  readonly bytes: Uint8Array
}

export type BareJobs = ReturnType<typeof prepareJobs>

export function prepareJobs(db: Database) {
  const put = db.prepare<[string, string, Uint8Array]>('REPLACE INTO objects VALUES (?, ?, ?)')
  return {
    put({ path, sha256, bytes }: Content): void {
      put.run(path, sha256, bytes)
    },
  }
}
