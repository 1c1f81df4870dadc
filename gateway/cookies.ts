/** Cookies: RFC 6265. */
import { parseScope, targetOf } from '../key/object-path.ts'
import type { Client } from './client.ts'
import type { Headers } from './request.ts'

/** Values of the cookies of a name, of which a browser may send several. */
export function cookiesNamed(name: string, cookie: string | undefined): readonly string[] {
  if (cookie === undefined) return []
  return cookie.split(';').flatMap((pair) => {
    const [before = '', ...value] = pair.split('=')
    return before.trim() === name && value.length > 0 ? [value.join('=').trim()] : []
  })
}

export interface Cookie {
  readonly name: string
  readonly value: string
  /** of a URL: everything beneath it is sent the cookie */
  readonly path: string
  /** seconds; 0 takes the cookie away */
  readonly life: number
  readonly isSecure: boolean
}

/** The value of `Set-Cookie`: no script reads it, no other site has it sent. */
export const setCookie = ({ name, value, path, life, isSecure }: Cookie): string =>
  [
    `${name}=${value}`,
    `Path=${path}`,
    `Max-Age=${Math.max(0, Math.floor(life))}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ].join('; ')

/** Browsers keep secure cookies of TLS, and of this very machine; others would be dropped. */
export const keepsSecure = ({ tls }: Client, headers: Headers): boolean =>
  tls || /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i.test(headers.get('host') ?? '')

/** What stands before our paths in a browser: a proxy may take it away on the way to us. */
export const browserBase = (publicUrls: readonly string[], basePath: string): string =>
  publicUrls.map((url) => new URL(url).pathname.replace(/\/+$/, '')).find((path) => path !== '') ??
  basePath

/** Browsers forget paths of more than 1,024 bytes, our base included. */
const LONGEST_PATH = 900
/** What a browser sends as it is or percent-encoded, as whoever wrote the URL has it. */
const WRITTEN_TWO_WAYS = /[!$&'()*+,;=:@|[\]^]/

/**
 * Paths whose cookies reach everything in the scopes, and as little else as can be; none lies within
 * another, or a request would carry two. A name that URLs write in several ways is left to the
 * folder above it.
 */
export function cookiePaths(scopes: readonly string[], base: string): readonly string[] {
  const paths = [...new Set(scopes.map((scope) => base + targetOf(parseScope(plain(scope)))))]
  return paths.filter((path) => !paths.some((other) => other !== path && reaches(other, path)))
}

function plain(scope: string): string {
  let rest = scope
  while (
    rest !== '/' &&
    (WRITTEN_TWO_WAYS.test(rest) || targetOf(parseScope(rest)).length > LONGEST_PATH)
  ) {
    rest = rest.slice(0, rest.lastIndexOf('/', rest.length - 2) + 1) || '/'
  }
  return rest
}

/** RFC 6265 §5.1.4. */
const reaches = (path: string, below: string): boolean =>
  below.startsWith(path) && (path.endsWith('/') || below[path.length] === '/')
