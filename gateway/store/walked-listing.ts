/** Listings of what can only be walked through in order, step by step. */
import { compareBytes, justAfter } from './byte-order.ts'
import type { Listing, ListQuery, ObjectInfo } from './store.ts'

/** Goes through objects in byte order. */
export interface Cursor {
  /** The next object that may be there; undefined at the end. */
  next(): Promise<Candidate | undefined>
  /** From now on, what begins with this is left out. */
  skip(prefix: string): void
}

export interface Candidate {
  readonly path: string
  /** What is known of it; undefined where there is no such object after all. */
  readonly info: () => ObjectInfo | undefined
}

/** Where the walk for a query begins. */
export function startOf({ prefix, after }: ListQuery): string {
  const from = after?.toWellFormed()
  return from === undefined || compareBytes(from, prefix) < 0 ? prefix : justAfter(from)
}

/**
 * What `listing` of `listing.ts` gives, whose words on common prefixes are true of this one too.
 * Only what is shown is looked at, and one object more.
 */
export async function walkedListing(query: ListQuery, cursor: Cursor): Promise<Listing> {
  const { prefix, limit } = query
  const after = query.after?.toWellFormed()
  const objects: ObjectInfo[] = []
  const prefixes: string[] = []
  if (!prefix.isWellFormed()) return { objects, prefixes }
  let last = ''
  for (;;) {
    const candidate = await cursor.next()
    if (candidate === undefined) return { objects, prefixes }
    const group = groupOf(candidate.path, query)
    if (group !== undefined && group === after) {
      cursor.skip(group)
      continue
    }
    const info = candidate.info()
    if (info === undefined) continue
    if (objects.length + prefixes.length >= limit) return { objects, prefixes, next: last }
    last = group ?? info.path
    if (group === undefined) {
      objects.push(info)
    } else {
      prefixes.push(group)
      cursor.skip(group)
    }
  }
}

function groupOf(path: string, { prefix, delimiter }: ListQuery): string | undefined {
  if (delimiter === undefined || delimiter === '' || !delimiter.isWellFormed()) return undefined
  const at = path.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : path.slice(0, at + delimiter.length)
}
