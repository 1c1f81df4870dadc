import { compareBytes, justAfter, prefixEnd } from './byte-order.ts'
import type { Listing, ListQuery, ObjectInfo } from './store.ts'

/** Objects from one text on (inclusive) up to another (exclusive; absent: all), in byte order. */
export type Scan = (from: string, below: string | undefined) => Iterable<ObjectInfo>

/**
 * Answers a query by scanning in order; what lies beneath a common prefix is jumped over, not read.
 * A common prefix is given for the first path beneath it that comes after `query.after`, unless the
 * listing before ended with that very prefix (S3, ListObjectsV2, `start-after`).
 */
export function listing(query: ListQuery, scan: Scan): Listing {
  const { prefix, limit } = query
  const objects: ObjectInfo[] = []
  const prefixes: string[] = []
  if (!prefix.isWellFormed()) return { objects, prefixes }
  const after = query.after?.toWellFormed()
  const below = prefixEnd(prefix)
  let from: string | undefined = startOf(prefix, after)
  let last = ''
  while (from !== undefined) {
    let jump: string | undefined
    for (const object of scan(from, below)) {
      const group = groupOf(object.path, query)
      if (group === undefined || group !== after) {
        if (objects.length + prefixes.length >= limit) return { objects, prefixes, next: last }
        last = group ?? object.path
        if (group === undefined) objects.push(object)
        else prefixes.push(group)
      }
      if (group !== undefined) {
        jump = prefixEnd(group)
        break
      }
    }
    from = jump
  }
  return { objects, prefixes }
}

function startOf(prefix: string, after: string | undefined): string {
  return after === undefined || compareBytes(after, prefix) < 0 ? prefix : justAfter(after)
}

function groupOf(path: string, { prefix, delimiter }: ListQuery): string | undefined {
  if (delimiter === undefined || delimiter === '' || !delimiter.isWellFormed()) return undefined
  const at = path.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : path.slice(0, at + delimiter.length)
}
