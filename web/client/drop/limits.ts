/** What a key lets through, asked of a file before a byte of it is sent. */
import { matchesGlob } from '../../../key/glob.ts'
import { coversType } from '../../../key/media-type.ts'
import { type ObjectPath, underScope } from '../../../key/object-path.ts'

/** What is needed of the answer of `GET /-/key`. Sizes are bytes. */
export interface Limits {
  /** the scopes that uploads may go to */
  readonly paths: readonly string[]
  /** globs, of which all have to match a name */
  readonly match: readonly string[]
  readonly least: number
  readonly most: number
  /** media ranges, of which one has to cover a file; empty where every type is taken */
  readonly types: readonly string[]
  /** how many more files the key lets in, as of the last answer */
  readonly filesLeft?: number | undefined
  readonly bytesLeft?: number | undefined
}

/** What is known of a file before it is sent. */
export interface Candidate {
  readonly path: ObjectPath | undefined
  /** bytes */
  readonly size: number
  readonly type: string
}

/** Why a file would be refused, with what the sentence on it needs. */
export type Objection =
  | { readonly code: 'too_large'; readonly most: number }
  | { readonly code: 'too_small'; readonly least: number }
  | { readonly code: 'type_not_granted'; readonly types: readonly string[] }
  | { readonly code: 'name_not_granted'; readonly match: string }
  | { readonly code: 'name_too_long' }
  | { readonly code: 'files_exhausted' }
  | { readonly code: 'bytes_exhausted'; readonly left: number }

/** What files that were taken before, and are not there yet, will use up. */
export interface Promised {
  readonly files: number
  readonly bytes: number
}

/** Of a browser that does not know the type of a file. */
export const UNKNOWN_TYPE = 'application/octet-stream'

/** The first objection to a file; undefined where, as far as can be known here, it will be let in. */
export function objectionTo(
  { path, size, type }: Candidate,
  limits: Limits,
  promised: Promised,
): Objection | undefined {
  if (path === undefined) return { code: 'name_too_long' }
  if (size > limits.most) return { code: 'too_large', most: limits.most }
  if (size < limits.least) return { code: 'too_small', least: limits.least }
  if (limits.types.length > 0 && !limits.types.some((range) => coversType(range, type))) {
    return { code: 'type_not_granted', types: limits.types }
  }
  const unmatched = limits.match.find((glob) => !isMatched(glob, path, limits.paths))
  if (unmatched !== undefined) return { code: 'name_not_granted', match: unmatched }
  if (promised.files + 1 > (limits.filesLeft ?? Number.POSITIVE_INFINITY)) {
    return { code: 'files_exhausted' }
  }
  const left = (limits.bytesLeft ?? Number.POSITIVE_INFINITY) - promised.bytes
  return size > left ? { code: 'bytes_exhausted', left: Math.max(0, left) } : undefined
}

function isMatched(glob: string, path: ObjectPath, scopes: readonly string[]): boolean {
  const longest = scopes
    .filter((scope) => path.startsWith(scope))
    .reduce((best, scope) => (scope.length > best.length ? scope : best), '')
  return longest !== '' && matchesGlob(glob, underScope(longest, path))
}

/** Folders that files can be put into; a key for everything names no bucket, so it is none. */
export const foldersOf = ({ paths }: Pick<Limits, 'paths'>): readonly string[] =>
  paths.filter((path) => path.endsWith('/') && path !== '/')
