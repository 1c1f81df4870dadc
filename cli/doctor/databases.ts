/** The databases of a data folder: opened as the program opens them, then asked for damage. */
import { existsSync } from 'node:fs'
import { openReader } from '../../database/open.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/**
 * @param name what people call it; the file must have been opened by its owner before, which fails
 *   where SQLite would not use WAL with synchronous=FULL
 */
export function database(name: string, file: string): Finding {
  const check = `database ${name}`
  if (!existsSync(file)) return warn(check, `${file} is not there yet`, 'start valetkey serve')
  const db = openReader(file)
  try {
    const verdict = String(db.pragma('quick_check(1)', { simple: true }))
    const version = db.pragma('user_version', { simple: true })
    if (verdict === 'ok') return ok(check, `whole, schema ${version}, every commit is synced`)
    return fail(
      check,
      verdict,
      'stop valetkey, keep this file aside, and restore the newest backup',
    )
  } finally {
    db.close()
  }
}
