/** Whether a page is ours: what a browser does with a cookie of its own accord must come from one. */
import { Refusal } from '../key/refusal.ts'
import type { Client } from './client.ts'
import { cookiesNamed } from './cookies.ts'
import type { Headers, RawRequest } from './request.ts'

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Where clients reach this gateway: as they say themselves, or as it is configured. */
export function isSameOrigin(
  origin: string,
  headers: Headers,
  { tls }: Client,
  publicUrls: readonly string[],
): boolean {
  const own = `${tls ? 'https' : 'http'}://${headers.get('host') ?? ''}`.toLowerCase()
  return origin === own || publicUrls.some((url) => new URL(url).origin === origin)
}

/**
 * A key in a cookie is sent by whatever page has the browser send something: what changes anything
 * has to come from a page of this very origin, and say so.
 * @throws Refusal origin_not_granted
 */
export function checkCookieOrigin(
  { method, headers }: Pick<RawRequest, 'method' | 'headers'>,
  client: Client,
  publicUrls: readonly string[],
): void {
  if (SAFE.has(method) || cookiesNamed('vk', headers.get('cookie')).length === 0) return
  const origin = headers.get('origin')
  if (origin !== undefined && isSameOrigin(origin, headers, client, publicUrls)) return
  throw new Refusal(
    'origin_not_granted',
    'with a key in a cookie, what changes something comes from a page of this origin: send its Origin, or the key as a bearer token',
  )
}
