import type { Database } from '../../../database/open.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { Bucket } from '../full-store.ts'

/** What the index knows of buckets, for readers and writers alike. */
export function prepareBuckets(db: Database) {
  const created = db
    .prepare<[string], UnixSeconds>('SELECT created FROM buckets WHERE name = ?')
    .pluck()
  const all = db.prepare<[], string>('SELECT name FROM buckets').pluck()
  const live = '(expires IS NULL OR expires > ?)'
  const firstIn = db
    .prepare<[string, string, number], UnixSeconds>(
      // "0" is the character after the slash
      `SELECT modified FROM objects WHERE path >= ? || '/' AND path < ? || '0' AND ${live}
       ORDER BY path LIMIT 1`,
    )
    .pluck()
  const nextPath = db
    .prepare<[string, number], string>(
      `SELECT path FROM objects WHERE path >= ? AND ${live} ORDER BY path LIMIT 1`,
    )
    .pluck()

  const find = (name: string, now: UnixSeconds): Bucket | undefined => {
    const since = created.get(name) ?? firstIn.get(name, name, now)
    return since === undefined ? undefined : { name, created: since }
  }

  /** One question for each bucket, however many objects it holds. */
  function* withObjects(now: UnixSeconds): Generator<string> {
    for (let from = ''; ; ) {
      const path = nextPath.get(from, now)
      if (path === undefined) return
      const name = path.slice(0, path.indexOf('/'))
      yield name
      from = `${name}0`
    }
  }

  return {
    find,

    holdsObject: (name: string, now: UnixSeconds) => firstIn.get(name, name, now) !== undefined,

    /** Bucket names are ASCII. */
    list(now: UnixSeconds): readonly Bucket[] {
      const names = new Set([...all.all(), ...withObjects(now)])
      return [...names].sort().flatMap((name) => find(name, now) ?? [])
    },
  }
}
