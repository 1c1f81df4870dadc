/** The headers that a served object carries, so that what strangers uploaded can't act as a page. */
import { create as contentDisposition } from 'content-disposition'
import type { RespondHeader } from '../key/claims.ts'
import { hasOverrides, overrides } from '../key/clear.ts'
import { essenceOf } from '../key/media-type.ts'
import { fileNameOf } from '../key/object-path.ts'
import type { Grant } from '../key/sign.ts'
import type { UnixSeconds } from '../key/units.ts'
import { formatHttpDate } from './body/conditional.ts'
import { safeName } from './body/zip.ts'
import { cachingHeaders, type Shown } from './caching.ts'
import type { FlatHeaders } from './exchange.ts'
import { keepFields } from './head.ts'
import type { ObjectInfo } from './store/store.ts'

/** Types that a browser may show by itself: none of them runs script, given the policy below. */
const INLINE = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'audio/mpeg',
  'text/plain',
  'application/pdf',
])

/** In a parameter: where quotes end, and a comma begins another type, is not the same to all browsers. */
const AMBIGUOUS = /['\\]/

/** Of everything that strangers uploaded. */
export const ALWAYS: FlatHeaders = [
  'Content-Security-Policy',
  "sandbox; default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  'Cross-Origin-Resource-Policy',
  'same-site',
]

/** Everything about an object but its length and range. */
export function servedHeaders(
  info: ObjectInfo,
  grant: Grant,
  shown: Shown,
  now: UnixSeconds,
): readonly string[] {
  if (info.meta !== undefined || hasOverrides(grant)) {
    return statedHeaders(info, grant, shown, now)
  }
  const known = plain.get(info)
  if (known !== undefined) return known
  const made = statedHeaders(info, grant, shown, now)
  keepFields(made)
  plain.set(info, made)
  return made
}

/** Of objects and keys that state nothing: the same each time, for as long as a store has them at hand. */
const plain = new WeakMap<ObjectInfo, readonly string[]>()

function statedHeaders(
  info: ObjectInfo,
  grant: Grant,
  shown: Shown,
  now: UnixSeconds,
): FlatHeaders {
  const stated = { ...storedHeaders(info), ...overrides(grant) }
  const type = stated['content-type'] ?? info.type
  const headers = [
    'Content-Type',
    type,
    'ETag',
    info.etag,
    'Last-Modified',
    formatHttpDate(info.modified),
    'Accept-Ranges',
    'bytes',
    'Content-Disposition',
    dispositionOf(info, type, stated['content-disposition']),
    ...cachingHeaders(info.meta ?? {}, grant, shown, now, endOf(info, grant)),
    ...ALWAYS,
  ]
  if (info.sha256 !== undefined) headers.push('Repr-Digest', reprDigest(info.sha256))
  for (const [name, header] of PLAIN) {
    const value = stated[name]
    if (value !== undefined) headers.push(header, value)
  }
  return headers
}

const PLAIN = [
  ['content-language', 'Content-Language'],
  ['content-encoding', 'Content-Encoding'],
] as const

/** What the uploader stated of the object, but for caches; what the key states goes first. */
function storedHeaders({ meta }: ObjectInfo): Partial<Record<RespondHeader, string>> {
  if (meta === undefined) return {}
  const stored = {
    'content-disposition': meta.contentDisposition,
    'content-language': meta.contentLanguage,
    'content-encoding': meta.contentEncoding,
  }
  return Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined))
}

/** RFC 9530 §3. */
export const reprDigest = (sha256: string): string =>
  `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`

/**
 * Shown only where the type is one that may be, whatever the key says. What is not plainly an
 * attachment counts as inline: browsers show what has an empty or a malformed disposition.
 */
function dispositionOf(info: ObjectInfo, type: string, stated: string | undefined): string {
  const mayShow = INLINE.has(essenceOf(type) ?? '') && !AMBIGUOUS.test(type)
  if (stated !== undefined && (mayShow || /^attachment\s*(?:;|$)/i.test(stated))) return stated
  return contentDisposition(saveAs(info), { type: mayShow ? 'inline' : 'attachment' })
}

/** What is saved under it stays in its folder, also where a client takes it as it is. */
function saveAs({ path }: ObjectInfo): string {
  const name = fileNameOf(path)
  // of a name that ends with a slash nothing is left, and clients choose one
  return name === '' ? name : safeName(name)
}

/** The object may end before the key does. */
const endOf = (info: ObjectInfo, grant: Grant): UnixSeconds =>
  Math.min(grant.expires, info.expires ?? grant.expires) as UnixSeconds
