/** Uploads in parts, as the writer thread finds and enters them. */
import type { Database } from '../../../database/open.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { MultipartFailure, MultipartInfo, MultipartRef } from '../multipart.ts'
import { textOf } from './meta-text.ts'

export const NO_SUCH_UPLOAD: MultipartFailure = { done: false, failed: 'no_such_upload' }

export type Uploads = ReturnType<typeof prepareUploads>

export function prepareUploads(db: Database) {
  const insert = db.prepare(
    `INSERT INTO uploads (name, path, type, meta, note, created, expires)
     VALUES (@id, @path, @type, @meta, @note, @created, @expires)`,
  )
  const find = db
    .prepare<[string, string, number], number>(
      'SELECT id FROM uploads WHERE name = ? AND path = ? AND expires > ?',
    )
    .pluck()
  const expired = db
    .prepare<[number, number], number>(
      'SELECT id FROM uploads WHERE expires <= ? ORDER BY expires LIMIT ?',
    )
    .pluck()
  const remember = db.prepare(
    `INSERT INTO completed_uploads (name, path, remembered, expires)
     SELECT name, path, ?, expires FROM uploads WHERE id = ?`,
  )
  const forget = db.prepare(
    `DELETE FROM completed_uploads WHERE name IN
       (SELECT name FROM completed_uploads WHERE expires <= ? ORDER BY expires LIMIT ?)`,
  )
  return {
    insert({ meta, ...info }: MultipartInfo): void {
      insert.run({ ...info, meta: textOf(meta) })
    },
    find: ({ path, id }: MultipartRef, now: UnixSeconds) => find.get(id, path, now),
    /** Before the upload goes. */
    remember: (id: number, what: string) => void remember.run(what, id),
    forget: (now: UnixSeconds, most: number) => void forget.run(now, most),
    expired: (now: UnixSeconds, most: number) => expired.all(now, most),
  }
}
