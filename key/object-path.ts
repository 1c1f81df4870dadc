/**
 * The only parser of paths. An object's path is `bucket/key`; a prefix is empty (everything) or
 * ends with a slash. Both are decoded text; whoever holds one holds a path that was checked here.
 */
import { Refusal } from './refusal.ts'

declare const brand: unique symbol

/** `reports/2026/q3.pdf`: a bucket, a slash, and a key. Decoded. */
export type ObjectPath = string & { readonly [brand]: 'object' }
/** Empty, or `reports/2026/` with its trailing slash. Decoded. */
export type Prefix = string & { readonly [brand]: 'prefix' }
/** What the scope of a key says: an object's path, a prefix, or `/` for everything. */
export type Scope = string & { readonly [brand]: 'scope' }

export type Target =
  | { readonly kind: 'object'; readonly path: ObjectPath }
  | { readonly kind: 'prefix'; readonly path: Prefix }

/** What a request of S3 names: no bucket, a bucket, or an object in it. */
export type S3Target =
  | { readonly kind: 'service' }
  | { readonly kind: 'bucket'; readonly bucket: string; readonly path: Prefix }
  | {
      readonly kind: 'object'
      readonly bucket: string
      readonly key: string
      readonly path: ObjectPath
    }

/** Of an S3 key in bytes of UTF-8, its bucket not included. */
export const MAX_S3_KEY_BYTES = 1024

/** In bytes of UTF-8, bucket and slash included. */
export const MAX_PATH_BYTES = 1024

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\\]/

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

const malformed = (detail: string): Refusal => new Refusal('path_malformed', detail)

/**
 * The path part of a raw request target (no query), as it stands on the request line.
 * Percent-decoded exactly once, then checked; nothing is normalised.
 * @throws Refusal path_malformed
 */
export function parseTarget(raw: string): Target {
  if (!raw.startsWith('/')) throw malformed('a request target starts with a slash')
  return parsePath(decode(raw.slice(1)))
}

/**
 * Decoded text without a leading slash: `bucket/key` or a prefix.
 * @throws Refusal path_malformed
 */
export function parsePath(text: string): Target {
  checkText(text)
  const isPrefix = text === '' || text.endsWith('/')
  const segments = (isPrefix ? text.slice(0, -1) : text).split('/')
  if (text !== '') checkSegments(segments)
  if (isPrefix) return { kind: 'prefix', path: text as Prefix }
  if (segments.length < 2) {
    throw malformed(
      `"${text}" names a bucket only: write BUCKET/KEY for an object, BUCKET/ for a listing`,
    )
  }
  return { kind: 'object', path: text as ObjectPath }
}

/**
 * Like {@link parsePath}, for text that must name one object.
 * @throws Refusal path_malformed
 */
export function parseObjectPath(text: string): ObjectPath {
  const target = parsePath(text)
  if (target.kind === 'object') return target.path
  throw malformed(`"${text}" names a folder: write BUCKET/KEY for one object`)
}

/**
 * The scope of a key: `/`, a prefix with its trailing slash, or an object's path.
 * @throws Refusal path_malformed
 */
export function parseScope(text: string): Scope {
  if (text === '') throw malformed('a scope is not empty: "/" covers everything')
  if (text !== '/') parsePath(text)
  return text as Scope
}

/**
 * The path part of a raw request target, as S3 reads it: any UTF-8 is a key, and `//`, `.`, `..` and
 * a slash at the end are parts of names like any other. A store that can't hold such names refuses.
 * @param bucketFromHost of a virtual-host style request; the whole path is the key then
 * @throws Refusal path_malformed
 */
export function parseS3Target(raw: string, bucketFromHost?: string): S3Target {
  if (!raw.startsWith('/')) throw malformed('a request target starts with a slash')
  const text = decode(raw.slice(1))
  if (bucketFromHost !== undefined) return s3TargetOf(bucketFromHost, text)
  if (text === '') return { kind: 'service' }
  const slash = text.indexOf('/')
  return slash === -1
    ? s3TargetOf(text, '')
    : s3TargetOf(text.slice(0, slash), text.slice(slash + 1))
}

/**
 * A bucket and a key in it, decoded; without a key, the bucket.
 * @throws Refusal path_malformed
 */
export function s3TargetOf(bucket: string, key: string): S3Target {
  checkBucket(bucket)
  if (key === '') return { kind: 'bucket', bucket, path: `${bucket}/` as Prefix }
  if (key.includes('\0') || !key.isWellFormed()) {
    throw malformed('a key is well-formed Unicode without NUL')
  }
  if (!isWithin(key, MAX_S3_KEY_BYTES)) {
    throw malformed(`a key is at most ${MAX_S3_KEY_BYTES} bytes of UTF-8 long`)
  }
  return { kind: 'object', bucket, key, path: `${bucket}/${key}` as ObjectPath }
}

/** Whether the scope covers the path: exactly that object, or everything beneath that prefix. */
export function covers(scope: string, path: ObjectPath | Prefix): boolean {
  if (scope === '/') return true
  return scope.endsWith('/') ? path.startsWith(scope) : path === scope
}

/** The part of a path under a scope that covers it; for an exact scope, the object's own name. */
export function underScope(scope: string, path: ObjectPath | Prefix): string {
  if (scope === '/') return path
  return scope.endsWith('/') ? path.slice(scope.length) : path.slice(path.lastIndexOf('/') + 1)
}

/** The bucket of a path; empty for the prefix of everything. */
export const bucketOf = (path: ObjectPath | Prefix): string =>
  path.slice(0, Math.max(0, path.indexOf('/')))

/** The last segment: what a person calls the file. */
export const fileNameOf = (path: ObjectPath): string => path.slice(path.lastIndexOf('/') + 1)

/** The key that a form states: "${filename}" becomes the last part of what the browser calls the file. */
export const keyOfForm = (stated: string, fileName: string): string =>
  stated.replaceAll(`\${filename}`, () => fileName.split(/[/\\]/).at(-1) ?? '')

/** The raw request target of a path: RFC 3986, every segment percent-encoded. */
export function targetOf(path: ObjectPath | Prefix | Scope): string {
  if (path === '/') return path
  return isPlain(path) ? `/${path}` : `/${path.split('/').map(encodeSegment).join('/')}`
}

/** Whether nothing in it needs encoding: most paths. */
const isPlain = (path: string): boolean => /^[\w.~/-]*$/.test(path)

const encodeSegment = (segment: string): string =>
  encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

function checkText(text: string): void {
  if (UNSAFE.test(text)) throw malformed('a path has no control characters and no backslash')
  if (!text.isWellFormed())
    throw malformed('a path is well-formed Unicode, without lone surrogates')
  if (!isWithin(text, MAX_PATH_BYTES)) {
    throw malformed(`a path is at most ${MAX_PATH_BYTES} bytes of UTF-8 long`)
  }
}

/** In bytes of UTF-8. A unit of a string takes at most three: most texts need no counting. */
const isWithin = (text: string, most: number): boolean =>
  text.length * 3 <= most || encoder.encode(text).length <= most

function checkSegments(segments: readonly string[]): void {
  const [bucket = '', ...rest] = segments
  if (segments.includes('')) throw malformed('a path has no empty segments, such as "a//b" has')
  if (segments.includes('.') || segments.includes('..')) {
    throw malformed('a path has no "." or ".." segments, encoded or not')
  }
  checkBucket(bucket, rest.length === 0 ? '; write BUCKET/KEY' : '')
}

function checkBucket(bucket: string, advice = ''): void {
  if (BUCKET.test(bucket)) return
  throw malformed(
    `the first segment is the bucket: 3 to 63 of a-z, 0-9, "." and "-", with a letter or digit at both ends${advice}`,
  )
}

function decode(raw: string): string {
  // neither a query nor a fragment is part of a path; a raw "#" has two readings on its way here
  if (/^[!"$&->@-~]*$/.test(raw)) return raw
  if (!/^(?:[!"$&->@-~]|%[0-9A-Fa-f]{2})*$/.test(raw)) {
    throw malformed(
      'a path on the request line is printable ASCII without "?" and "#", everything else percent-encoded as UTF-8',
    )
  }
  try {
    return utf8.decode(percentDecoded(raw))
  } catch (cause) {
    throw new Refusal('path_malformed', 'the percent-encoded bytes of a path are UTF-8', { cause })
  }
}

function percentDecoded(raw: string): Uint8Array {
  const out = new Uint8Array(raw.length)
  let length = 0
  for (let i = 0; i < raw.length; i += 1) {
    const escaped = raw[i] === '%'
    out[length] = escaped ? Number.parseInt(raw.slice(i + 1, i + 3), 16) : raw.charCodeAt(i)
    if (escaped) i += 2
    length += 1
  }
  return out.subarray(0, length)
}
