/**
 * What a response says to caches. The word of whoever made the key counts, for as long as the key
 * lives. What an uploader stored with the object is a stranger's word: it counts only where no cache
 * can pass by what the key restricts.
 */
import { isPassedByCaches, overrides } from '../key/clear.ts'
import type { Grant } from '../key/sign.ts'
import type { UnixSeconds } from '../key/units.ts'
import { formatHttpDate, parseHttpDate } from './body/conditional.ts'
import type { FlatHeaders } from './exchange.ts'
import type { ObjectMeta } from './store/store.ts'

/** What the place of a credential in its request means to caches; the protocol says it. */
export interface Shown {
  /**
   * What becomes of what was stored: `stated` as it is, but for no longer than the credential lives;
   * `own` that, for the cache of whoever has the URL alone; `unshared` as it is, for the cache of
   * whoever sent the credential alone; `never` no cache keeps anything.
   */
  readonly stored: 'stated' | 'own' | 'unshared' | 'never'
  /** the header with the credential, where a shared cache would not ask for it by itself */
  readonly varies?: string
}

const NO_STORE = 'private, no-store'

type Stored = Pick<ObjectMeta, 'cacheControl' | 'expires'>

/**
 * `Cache-Control`, and `Expires` where it is stated.
 * @param end of the key, or of the object where that comes first
 */
export function cachingHeaders(
  stored: Stored,
  grant: Grant,
  { stored: kind, varies }: Shown,
  now: UnixSeconds,
  end: UnixSeconds,
): FlatHeaders {
  const { 'cache-control': control, expires } = overrides(grant)
  const kept = storedCaching(stored, isPassedByCaches(grant) ? asked(kind) : kind, now, end)
  const untilThen = expires === undefined ? kept.expires : cappedDate(expires, end)
  const isOwn = control !== undefined || expires !== undefined
  return [
    'Cache-Control',
    control === undefined ? (kept.cacheControl ?? NO_STORE) : capped(control, end - now),
    ...(untilThen === undefined ? [] : ['Expires', untilThen]),
    ...(isOwn && varies !== undefined ? ['Vary', varies] : []),
  ]
}

/** A cache counts no uses, asks for no PIN, and knows no networks. */
const asked = (kind: Shown['stored']): Shown['stored'] => (kind === 'unshared' ? kind : 'never')

function storedCaching(
  { cacheControl, expires }: Stored,
  kind: Shown['stored'],
  now: UnixSeconds,
  end: UnixSeconds,
): Stored {
  if (kind === 'never') return {}
  const isCapped = kind !== 'unshared'
  return {
    ...(cacheControl !== undefined && { cacheControl: OF[kind](cacheControl, end - now) }),
    ...(expires !== undefined && { expires: isCapped ? cappedDate(expires, end) : expires }),
  }
}

const OF = {
  stated: capped,
  own: (stored: string, remaining: number) => capped(privately(stored), remaining),
  unshared,
} as const

/** RFC 9111 §5.3: an "invalid date" is "a time in the past". */
function cappedDate(stated: string, end: UnixSeconds): string {
  const date = parseHttpDate(stated)
  return date === undefined ? '0' : formatHttpDate(Math.min(date, end) as UnixSeconds)
}

const directivesOf = (stated: string): readonly string[] =>
  stated.split(',').map((directive) => directive.trim())

/**
 * As stated, but no cache keeps a response longer than the key lives: ages are capped, what allows to
 * serve stale responses (RFC 5861) or can't be read is left out, and where nothing limits the age, the
 * rest of the key's life does.
 */
function capped(stated: string, remaining: number): string {
  const kept = directivesOf(stated).flatMap((directive) => cappedAge(directive, remaining))
  const isLimited = kept.some((directive) => /^(?:max-age=|no-store$)/i.test(directive))
  return (isLimited ? kept : [...kept, `max-age=${remaining}`]).join(', ')
}

function cappedAge(directive: string, remaining: number): readonly string[] {
  if (directive === '' || /^stale-/i.test(directive)) return []
  const age = /^(s-maxage|max-age)(.*)$/i.exec(directive)
  if (age === null) return [directive]
  const seconds = /^\s*=\s*"?(\d+)"?$/.exec(age[2] ?? '')?.[1]
  return seconds === undefined ? [] : [`${age[1]}=${Math.min(Number(seconds), remaining)}`]
}

/** Of what was stored, what a browser's own cache heeds; none of it lets a shared one keep anything. */
function privately(stored: string): string {
  const own = /^(?:max-age\b.*|no-cache|no-store|no-transform|must-revalidate|immutable)$/i
  return ['private', ...directivesOf(stored).filter((directive) => own.test(directive))].join(', ')
}

/** As the uploader said, but for a cache of whoever sent the credential, and for nobody else's. */
function unshared(stored: string): string {
  const shared = /^(?:public|private|s-maxage\b.*|)$/i
  return ['private', ...directivesOf(stored).filter((one) => !shared.test(one))].join(', ')
}
