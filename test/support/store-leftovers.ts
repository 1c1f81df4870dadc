import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'

const namesIn = (folder: string): string[] => readdirSync(folder).sort()

/** The files of a store's folder beside what its index says of them. */
export function inventory(folder: string) {
  const db = new SqliteDatabase(join(folder, 'index.db'), { readonly: true })
  const column = (sql: string): string[] => db.prepare<[], string>(sql).pluck().all().sort()
  const named = column('SELECT name FROM blobs')
  const garbage = column('SELECT name FROM garbage')
  const unnamedRows = column(
    `SELECT name FROM blobs WHERE id NOT IN (
       SELECT blob FROM pieces UNION SELECT blob FROM part_pieces UNION SELECT blob FROM pinned
     )`,
  )
  const pins = column('SELECT id FROM pins')
  db.close()
  const blobs = join(folder, 'blobs')
  const staging = join(folder, 'staging')
  return {
    files: namesIn(blobs).flatMap((fan) => namesIn(join(blobs, fan))),
    named,
    unnamedRows,
    pins,
    garbage,
    staged: namesIn(staging).flatMap((owner) => namesIn(join(staging, owner))),
    owners: namesIn(staging),
  }
}

/** Of a store that is closed: nothing is left but the files that objects and parts name. */
export function isTidy(folder: string): boolean {
  const { files, named, unnamedRows, pins, garbage, owners } = inventory(folder)
  const rest = [...unnamedRows, ...pins, ...garbage, ...owners]
  return rest.length === 0 && files.join() === named.join()
}
