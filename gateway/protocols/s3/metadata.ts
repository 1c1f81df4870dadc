/** What a request states of an object beside its content, and how an answer tells of it. */
import { isMediaType } from '../../../key/media-type.ts'
import type { FlatHeaders } from '../../exchange.ts'
import type { Headers } from '../../request.ts'
import type { Checksums, ObjectInfo, ObjectMeta } from '../../store/store.ts'
import { DEFAULT_TYPE } from '../../verbs/put.ts'
import { invalidArgument, S3Refusal } from './errors.ts'
import { headerOfText, textOfHeader } from './request.ts'

const META = 'x-amz-meta-'
/** "the user-defined metadata is limited to 2 KB in size", names and values in UTF-8 */
const MAX_USER_BYTES = 2048
/** Of one of the standard headers that are kept. */
const MAX_HEADER_LENGTH = 1024

const KEPT = [
  ['contentDisposition', 'content-disposition'],
  ['contentLanguage', 'content-language'],
  ['cacheControl', 'cache-control'],
  ['expires', 'expires'],
] as const

/** What Node sends; a field of a form, or a parameter of a query, can hold anything. */
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

/** @throws S3Refusal InvalidArgument */
export function typeStated(headers: Headers): string {
  const type = headers.get('content-type') || DEFAULT_TYPE
  if (isMediaType(type)) return type
  throw invalidArgument('Content-Type is a media type such as image/png')
}

/**
 * Metadata without tags and checksums; undefined where nothing is stated.
 * @throws S3Refusal MetadataTooLarge
 */
export function metaStated(headers: Headers): ObjectMeta | undefined {
  const kept = KEPT.flatMap(([field, name]) => {
    const value = headers.get(name)
    return value ? [[field, checkedLength(name, value)] as const] : []
  })
  const encoding = encodingStated(headers)
  const user = userStated(headers)
  const meta = {
    ...Object.fromEntries(kept),
    ...(encoding !== '' && { contentEncoding: checkedLength('content-encoding', encoding) }),
    ...(Object.keys(user).length > 0 && { user }),
  }
  return Object.keys(meta).length === 0 ? undefined : meta
}

/** `aws-chunked` is of the request, all else of the object. */
const encodingStated = (headers: Headers): string =>
  (headers.get('content-encoding') ?? '')
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
    .join(', ')

function checkedLength(name: string, value: string): string {
  if (!VALUE.test(value)) throw invalidArgument(`the header ${name} has no control characters`)
  if (value.length <= MAX_HEADER_LENGTH) return value
  throw new S3Refusal(
    'MetadataTooLarge',
    `the header ${name} is at most ${MAX_HEADER_LENGTH} characters long`,
  )
}

function userStated(headers: Headers): Readonly<Record<string, string>> {
  const fields = [...headers].filter(([name]) => name.startsWith(META))
  if (!fields.every(([name, value]) => NAME.test(name) && VALUE.test(value))) {
    throw invalidArgument('user metadata has names of headers, and no control characters')
  }
  const stated = fields.map(
    ([name, value]) => [name.slice(META.length), textOfHeader(value)] as const,
  )
  const size = stated.reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0)
  if (size <= MAX_USER_BYTES) return Object.fromEntries(stated)
  throw new S3Refusal('MetadataTooLarge', `user metadata has at most ${MAX_USER_BYTES} bytes`)
}

// ── tags ────────────────────────────────────────────────────────────────────

const MAX_TAGS = 10

/** `x-amz-tagging: a=1&b=2`. @throws S3Refusal InvalidTag */
export function tagsStated(headers: Headers): ObjectMeta['tags'] {
  const text = headers.get('x-amz-tagging')
  if (!text) return undefined
  const pairs = [...new URLSearchParams(textOfHeader(text))]
  return checkedTags(pairs)
}

/** @throws S3Refusal InvalidTag */
export function checkedTags(pairs: readonly (readonly [string, string])[]): ObjectMeta['tags'] {
  const isGood = pairs.every(
    ([key, value]) =>
      key.length >= 1 && key.length <= 128 && value.length <= 256 && TAG.test(key + value),
  )
  const names = new Set(pairs.map(([key]) => key))
  if (isGood && pairs.length <= MAX_TAGS && names.size === pairs.length) {
    return pairs.length === 0 ? undefined : Object.fromEntries(pairs)
  }
  throw new S3Refusal(
    'InvalidTag',
    `an object has at most ${MAX_TAGS} tags with different keys; a key has 1 to 128 characters, a value up to 256: letters, digits, spaces and + - = . _ : / @`,
  )
}

const TAG = /^[\p{L}\p{N}\p{Z}+\-=._:/@]*$/u

// ── answers ─────────────────────────────────────────────────────────────────

/** What only S3 tells of an object. */
export function metaHeaders({ meta }: ObjectInfo): FlatHeaders {
  if (meta === undefined) return []
  const { user = {}, tags } = meta
  return [
    ...Object.entries(user).flatMap(([name, value]) => [META + name, headerOfText(value)]),
    ...(tags === undefined ? [] : ['x-amz-tagging-count', String(Object.keys(tags).length)]),
  ]
}

export function checksumHeaders(checksums: Checksums | undefined): FlatHeaders {
  if (checksums === undefined) return []
  const values = Object.entries(checksums.values).flatMap(([algorithm, value]) => [
    `x-amz-checksum-${algorithm.toLowerCase()}`,
    value,
  ])
  return values.length === 0 ? [] : [...values, 'x-amz-checksum-type', checksums.type]
}
