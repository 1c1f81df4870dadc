/**
 * Sessions of the console: a cookie that no script reads, and a proof that only the page has which
 * signed in. Both are MACs under a key made of the admin token: nothing is kept here, every process
 * agrees, and a new token ends every session.
 *
 * The cookie alone does nothing. Browsers send cookies to every port of a host and with requests
 * that other pages of it make; the proof lies in a header, which no other origin can send.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { later, type Seconds, type UnixSeconds } from '../../key/units.ts'

/** How long a session lasts: a working day. */
export const SESSION_LIFE = 36_000 as Seconds

export interface OpenedSession {
  /** the cookie's value */
  readonly cookie: string
  /** what the page sends with every request, in a header */
  readonly proof: string
  readonly expires: UnixSeconds
}

export interface Sessions {
  open(now: UnixSeconds): OpenedSession
  /** Whether cookie and proof are of one session, which has not ended; in constant time. */
  holds(cookie: string, proof: string, now: UnixSeconds): boolean
}

export function sessionsOf(adminToken: string): Sessions {
  const key = createHmac('sha256', adminToken).update('valetkey console').digest()
  const mac = (purpose: 'cookie' | 'proof', text: string): string =>
    createHmac('sha256', key).update(`${purpose}\0${text}`).digest('base64url')
  return {
    open(now) {
      const expires = later(now, SESSION_LIFE)
      const stated = `${expires}.${randomBytes(16).toString('base64url')}`
      const cookie = `${stated}.${mac('cookie', stated)}`
      return { cookie, proof: mac('proof', cookie), expires }
    },
    holds(cookie, proof, now) {
      const [, stated = '', expires = '', seal = ''] = COOKIE.exec(cookie) ?? []
      const isOurs = isEqual(seal, mac('cookie', stated))
      return isEqual(proof, mac('proof', cookie)) && isOurs && now < Number(expires)
    },
  }
}

const COOKIE = /^((\d{1,12})\.[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/

/** Both are digests as text, or not the right ones. */
function isEqual(text: string, expected: string): boolean {
  const [one, other] = [Buffer.from(text), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}
