/** What a browser says of itself: where a request comes from, and which session it belongs to. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Refusal } from '../../key/refusal.ts'
import type { OpenedSession } from './sessions.ts'
import { SESSION_LIFE } from './sessions.ts'

/** The header of the proof. */
export const PROOF_HEADER = 'x-valetkey-console'

/**
 * Refuses what a page of another origin had sent, whatever credential came with it. Another port of
 * the same host is another origin.
 * @throws Refusal origin_not_granted
 */
export function refuseOtherOrigins({ headers, method = 'GET' }: IncomingMessage): void {
  const { origin, 'sec-fetch-site': site } = headers
  const isSafe = method === 'GET' || method === 'HEAD'
  const isOurs = origin === undefined ? isSafe : isOriginOf(origin, headers.host)
  if (isOurs && (site === undefined || site === 'same-origin')) return
  throw new Refusal(
    'origin_not_granted',
    'only the console itself may ask this; behind a proxy, the Host header has to be passed on',
  )
}

/** RFC 6454: scheme, host and port; "null" and the like are nobody's. */
function isOriginOf(origin: string, host = ''): boolean {
  const scheme = /^https?:\/\//.exec(origin)?.[0]
  if (scheme === undefined || !URL.canParse(origin) || !URL.canParse(scheme + host)) return false
  return new URL(origin).origin === new URL(scheme + host).origin
}

/** Cookies know no ports: two issuers on one machine have two names. */
const nameFor = ({ host = '' }: IncomingHttpHeaders): string =>
  `valetkey-console${/:(\d{1,5})$/.exec(host)?.[1]?.replace(/^/, '-') ?? ''}`

/** The session's cookie; empty where there is none. */
export function sessionCookie(headers: IncomingHttpHeaders): string {
  const before = `${nameFor(headers)}=`
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
  const mine = pairs.filter((pair) => pair.startsWith(before))
  return mine.length === 1 ? (mine[0]?.slice(before.length) ?? '') : ''
}

/** `Set-Cookie` of a session that was opened; of one that has ended where there is none. */
export function setSession(headers: IncomingHttpHeaders, session?: OpenedSession): string {
  return [
    `${nameFor(headers)}=${session?.cookie ?? ''}`,
    'Path=/',
    `Max-Age=${session === undefined ? 0 : SESSION_LIFE}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(keepsSecure(headers) ? ['Secure'] : []),
  ].join('; ')
}

/** Browsers keep secure cookies of pages over TLS, and of this very machine; others are dropped. */
const keepsSecure = ({ origin = '', host = '' }: IncomingHttpHeaders): boolean =>
  origin.startsWith('https:') || /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i.test(host)
