/**
 * Where another server stands in front, it can send the file itself once the gateway has decided:
 * nginx is told by X-Accel-Redirect, others by X-Sendfile. Ranges are then that server's work, and
 * what it sends is out of our hands: a use counts as soon as the file was handed over. So only what
 * it is sure to answer as we would is handed over.
 */
import { isTrusted, peerOf } from './client.ts'
import type { Exchange, FlatHeaders } from './exchange.ts'
import { keepFields } from './head.ts'
import type { Services } from './services.ts'
import type { ObjectInfo, OpenObject } from './store/store.ts'

interface Handing {
  readonly object: OpenObject
  /** what the response carries of the object */
  readonly served: readonly string[]
  /** headers of the protocol's own */
  readonly extra: FlatHeaders
  /** bytes a second: nginx can be told, for each connection by itself; others can not */
  readonly rate: number | undefined
}

/** The headers of a response that hands a file over. */
export interface HandedOver {
  /** the same each time */
  readonly fields: readonly string[]
  readonly more: FlatHeaders
}

/** Undefined where the bytes go through us. */
export function handedOver(
  { object, served, extra, rate }: Handing,
  { incoming, request }: Exchange,
  { settings }: Services,
): HandedOver | undefined {
  const { offload, offloadPrefix, trustedProxies } = settings
  // anybody else would be told where files lie, and get no bytes
  if (offload === 'none' || !isTrusted(peerOf(incoming.socket), trustedProxies)) return undefined
  // we have judged these by the object; it would judge them anew, by the file
  if (CONDITIONS.some((name) => request?.headers.has(name))) return undefined
  const { fields, mayPass } = forFront(served)
  if (offload === 'x-sendfile') {
    const { file } = object
    if (file === undefined || rate !== undefined) return undefined
    return { fields, more: [...extra, 'X-Sendfile', file] }
  }
  const file = encodedFile(object)
  if (file === undefined || !mayPass || !passes(extra)) return undefined
  const paced = rate === undefined ? [] : ['X-Accel-Limit-Rate', String(rate)]
  return { fields, more: [...extra, 'X-Accel-Redirect', offloadPrefix + file, ...paced] }
}

const CONDITIONS = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
] as const

/**
 * What nginx keeps of our headers when it sends a file: some by itself, the others by name, in
 * `examples/nginx/nginx.conf`. A response that needs any other, such as the user metadata of S3, is
 * ours to send.
 */
export const NGINX_PASSES: ReadonlySet<string> = new Set([
  ...['content-type', 'content-disposition', 'cache-control', 'expires'],
  ...['etag', 'last-modified', 'content-encoding', 'content-language', 'repr-digest'],
  ...['content-security-policy', 'x-content-type-options', 'referrer-policy'],
  ...['cross-origin-resource-policy', 'x-amz-request-id'],
])

const passes = (headers: readonly string[]): boolean =>
  headers.every((name, index) => index % 2 === 1 || NGINX_PASSES.has(name.toLowerCase()))

interface ForFront {
  readonly fields: readonly string[]
  /** whether nginx passes all of them on */
  readonly mayPass: boolean
}

/** The same each time, for as long as the headers of an object are at hand. */
const known = new WeakMap<readonly string[], ForFront>()

function forFront(served: readonly string[]): ForFront {
  const made = known.get(served)
  if (made !== undefined) return made
  // that server says itself whether it knows ranges
  const at = served.indexOf('Accept-Ranges')
  const fields = at < 0 ? served : [...served.slice(0, at), ...served.slice(at + 2)]
  const fresh = { fields, mayPass: passes(fields) }
  keepFields(fields)
  known.set(served, fresh)
  return fresh
}

/** The same each time, for as long as a store has the object at hand. */
const encoded = new WeakMap<ObjectInfo, string>()

function encodedFile(object: OpenObject): string | undefined {
  const known = encoded.get(object.info)
  if (known !== undefined) return known
  const made = object.file?.split('/').map(encodeURIComponent).join('/')
  if (made !== undefined) encoded.set(object.info, made)
  return made
}
