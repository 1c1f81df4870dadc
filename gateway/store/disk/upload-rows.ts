/** Uploads in parts, as the writer thread finds and enters them. */
import type { Database } from '../../../database/open.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { MultipartFailure, MultipartInfo, MultipartRef, OpenLimit } from '../multipart.ts'
import { textOf } from './meta-text.ts'

export const NO_SUCH_UPLOAD: MultipartFailure = { done: false, failed: 'no_such_upload' }

export interface NewUpload {
  readonly info: MultipartInfo
  readonly limits: readonly OpenLimit[]
  readonly now: UnixSeconds
}

/** As many are open as one of the limits allows. */
export interface Full {
  readonly limit: OpenLimit
  readonly until: UnixSeconds
}

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
  const resize = db.prepare('UPDATE uploads SET bytes = bytes + ? WHERE id = ?')
  const enter = prepareCounting(db)
  return {
    insert({ info: { meta, ...info }, limits, now }: NewUpload): Full | undefined {
      const full = enter.full(limits, now)
      if (full !== undefined) return full
      const { lastInsertRowid } = insert.run({ ...info, meta: textOf(meta) })
      enter.count(Number(lastInsertRowid), limits)
      return undefined
    },
    /** By what a part has brought, or taken away. */
    resize: (id: number, bytes: number) => void resize.run(bytes, id),
    find: ({ path, id }: MultipartRef, now: UnixSeconds) => find.get(id, path, now),
    /** Before the upload goes. */
    remember: (id: number, what: string) => void remember.run(what, id),
    forget: (now: UnixSeconds, most: number) => void forget.run(now, most),
    expired: (now: UnixSeconds, most: number) => expired.all(now, most),
  }
}

function prepareCounting(db: Database) {
  const open = db.prepare<[string, number], { count: number; until: UnixSeconds }>(
    `SELECT count(*) AS count, min(expires) AS until
     FROM open_uploads JOIN uploads ON uploads.id = open_uploads.upload
     WHERE under = ? AND expires > ?`,
  )
  const insert = db.prepare('INSERT OR IGNORE INTO open_uploads (under, upload) VALUES (?, ?)')
  return {
    full(limits: readonly OpenLimit[], now: UnixSeconds): Full | undefined {
      for (const limit of limits) {
        const row = open.get(limit.under, now)
        if (row !== undefined && row.count >= limit.most) return { limit, until: row.until }
      }
      return undefined
    },
    count(upload: number, limits: readonly OpenLimit[]): void {
      for (const { under } of limits) insert.run(under, upload)
    },
  }
}
