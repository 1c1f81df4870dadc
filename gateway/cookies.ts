/** Cookies: RFC 6265. */
import type { Client } from './client.ts'
import type { Headers } from './request.ts'

/** Values of the cookies of a name, of which a browser may send several. */
export const cookiesNamed = (name: string, cookie: string | undefined): readonly string[] =>
  (cookie ?? '').split(';').flatMap((pair) => {
    const [before = '', ...value] = pair.split('=')
    return before.trim() === name && value.length > 0 ? [value.join('=').trim()] : []
  })

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
