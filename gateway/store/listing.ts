import { compareBytes, justAfter, prefixEnd } from './byte-order.ts'
import type { ListedObject, Listing, ListQuery } from './store.ts'

/** Objects from one text on (inclusive) up to another (exclusive; absent: all), in byte order. */
export type Scan = (from: string, below: string | undefined) => Iterable<ListedObject>

/** Things that have a path, each under a key of its own that begins with it. */
interface Source<T> {
  /** those with keys from one text on (inclusive) up to another (exclusive), in byte order */
  readonly scan: (from: string, below: string | undefined) => Iterable<T>
  readonly keyOf: (item: T) => string
}

interface Grouped<T> {
  readonly items: readonly T[]
  readonly prefixes: readonly string[]
  readonly next?: string
}

/** Answers a query by scanning in order, see {@link grouped}. */
export function listing(query: ListQuery, scan: Scan): Listing {
  const { items, ...rest } = grouped(query, { scan, keyOf: ({ path }) => path })
  return { objects: items, ...rest }
}

/**
 * Scans in order; what lies beneath a common prefix is jumped over, not read.
 * A common prefix is given for the first path beneath it that comes after `query.after`, unless the
 * listing before ended with that very prefix (S3, ListObjectsV2, `start-after`).
 */
export function grouped<T extends { readonly path: string }>(
  query: ListQuery,
  { scan, keyOf }: Source<T>,
): Grouped<T> {
  const { prefix, limit } = query
  const items: T[] = []
  const prefixes: string[] = []
  if (!prefix.isWellFormed()) return { items, prefixes }
  const after = query.after?.toWellFormed()
  const below = prefixEnd(prefix)
  let from: string | undefined = startOf(prefix, after)
  let last = ''
  while (from !== undefined) {
    let jump: string | undefined
    for (const item of scan(from, below)) {
      const group = groupOf(item.path, query)
      if (group === undefined || group !== after) {
        if (items.length + prefixes.length >= limit) return { items, prefixes, next: last }
        last = group ?? keyOf(item)
        if (group === undefined) items.push(item)
        else prefixes.push(group)
      }
      if (group !== undefined) {
        jump = prefixEnd(group)
        break
      }
    }
    from = jump
  }
  return { items, prefixes }
}

function startOf(prefix: string, after: string | undefined): string {
  return after === undefined || compareBytes(after, prefix) < 0 ? prefix : justAfter(after)
}

function groupOf(path: string, { prefix, delimiter }: ListQuery): string | undefined {
  if (delimiter === undefined || delimiter === '' || !delimiter.isWellFormed()) return undefined
  const at = path.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : path.slice(0, at + delimiter.length)
}
