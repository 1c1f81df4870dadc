import { grouped } from './listing.ts'
import type {
  MultipartInfo,
  MultipartListing,
  MultipartMarker,
  MultipartQuery,
  MultipartRef,
} from './multipart.ts'

/**
 * A text for each upload, in whose order they are listed: no path has a NUL, and no character sorts
 * before it, so the uploads of a path stand together and before those of any longer path.
 */
export const keyOf = ({ path, id }: MultipartRef): string => `${path}\0${id}`

/** Path and id of a {@link keyOf}, or of a text that stands between two of them. */
export function splitKey(key: string): { readonly path: string; readonly id: string } {
  const at = key.indexOf('\0')
  return at < 0 ? { path: key, id: '' } : { path: key.slice(0, at), id: key.slice(at + 1) }
}

/** After every upload of a path, before those of any other. */
const behind = (path: string): string => `${path}\0\u{10ffff}`

/** @param scan gives the uploads whose {@link keyOf} is at least `from` and below `below`, in order */
export function multipartListing(
  { prefix, delimiter, after, limit }: MultipartQuery,
  scan: (from: string, below: string | undefined) => Iterable<MultipartInfo>,
): MultipartListing {
  const query = {
    prefix,
    limit,
    ...(delimiter !== undefined && { delimiter }),
    ...(after !== undefined && { after: afterKey(after, { prefix, delimiter }) }),
  }
  const { items, prefixes, next } = grouped(query, { scan, keyOf })
  return { uploads: items, prefixes, ...(next !== undefined && { next: markerOf(next) }) }
}

/** A marker without an id is a path, or a common prefix that was listed: a group is not a path. */
function afterKey(
  { path, id }: MultipartMarker,
  { prefix, delimiter }: { prefix: string; delimiter: string | undefined },
): string {
  if (id !== undefined) return keyOf({ path, id } as MultipartRef)
  const isGroup =
    delimiter !== undefined &&
    delimiter !== '' &&
    path.startsWith(prefix) &&
    path.endsWith(delimiter) &&
    path.indexOf(delimiter, prefix.length) === path.length - delimiter.length
  return isGroup ? path : behind(path)
}

function markerOf(next: string): MultipartMarker {
  const { path, id } = splitKey(next)
  return id === '' ? { path } : { path, id }
}
