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

/**
 * Everything about an object but its length and range.
 * @param isInHeader whether the credential is in a header: then the URL alone gives nobody anything,
 *   and no shared cache may answer for it
 */
export function servedHeaders(
  info: ObjectInfo,
  grant: Grant,
  now: UnixSeconds,
  isInHeader = false,
): readonly string[] {
  if (info.meta !== undefined || hasOverrides(grant)) {
    return statedHeaders(info, grant, now, isInHeader)
  }
  const known = plain.get(info)
  if (known !== undefined) return known
  const made = statedHeaders(info, grant, now, isInHeader)
  keepFields(made)
  plain.set(info, made)
  return made
}

/** Of objects and keys that state nothing: the same each time, for as long as a store has them at hand. */
const plain = new WeakMap<ObjectInfo, readonly string[]>()

function statedHeaders(
  info: ObjectInfo,
  grant: Grant,
  now: UnixSeconds,
  isInHeader: boolean,
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
    'Cache-Control',
    isInHeader && overrides(grant)['cache-control'] === undefined
      ? unshared(stated['cache-control'])
      : cacheControl(stated['cache-control'], lifeOf(info, grant) - now),
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
  ['expires', 'Expires'],
] as const

/** What the uploader stated of the object; what the key states goes first. */
function storedHeaders({ meta }: ObjectInfo): Partial<Record<RespondHeader, string>> {
  if (meta === undefined) return {}
  const stored = {
    'content-disposition': meta.contentDisposition,
    'content-language': meta.contentLanguage,
    'content-encoding': meta.contentEncoding,
    'cache-control': meta.cacheControl,
    expires: meta.expires,
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
const lifeOf = (info: ObjectInfo, grant: Grant): number =>
  Math.min(grant.expires, info.expires ?? grant.expires)

/**
 * As the key says, but no cache keeps a response longer than the key lives: ages are capped, what
 * allows to serve stale responses (RFC 5861) or can't be read is left out, and where nothing limits
 * the age, the rest of the key's life does.
 */
function cacheControl(stated: string | undefined, remaining: number): string {
  if (stated === undefined) return 'private, no-store'
  const kept = stated.split(',').flatMap((directive) => capped(directive.trim(), remaining))
  const isLimited = kept.some((directive) => /^(?:max-age=|no-store$)/i.test(directive))
  return (isLimited ? kept : [...kept, `max-age=${remaining}`]).join(', ')
}

/** As the uploader said, but for a cache of whoever sent the credential, and for nobody else's. */
function unshared(stored: string | undefined): string {
  if (stored === undefined) return 'private, no-store'
  const kept = stored
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => !/^(?:public|private|s-maxage\b.*|)$/i.test(directive))
  return ['private', ...kept].join(', ')
}

function capped(directive: string, remaining: number): readonly string[] {
  if (directive === '' || /^stale-/i.test(directive)) return []
  const age = /^(s-maxage|max-age)(.*)$/i.exec(directive)
  if (age === null) return [directive]
  const seconds = /^\s*=\s*"?(\d+)"?$/.exec(age[2] ?? '')?.[1]
  return seconds === undefined ? [] : [`${age[1]}=${Math.min(Number(seconds), remaining)}`]
}
