/** How a request shows a key: in the query, as a bearer token, or in a cookie; one key in one place. */
import { Refusal } from '../../key/refusal.ts'
import type { Claimed } from '../admit.ts'
import type { Shown } from '../caching.ts'
import { cookiesNamed } from '../cookies.ts'
import type { RawRequest } from '../request.ts'

type Request = Pick<RawRequest, 'query' | 'headers'>

/** Whether a key is shown, or something that looks like one. */
export const showsKey = ({ query, headers }: Request): boolean =>
  query.some(([name]) => name === 'vk') ||
  /^bearer /i.test(headers.get('authorization') ?? '') ||
  cookiesNamed('vk', headers.get('cookie')).length > 0

const IN_URL: Shown = { stored: 'own' }
const AS_BEARER: Shown = { stored: 'never' }
/** RFC 9111 §3.5 keeps shared caches off what answers an `Authorization`; of cookies it says nothing. */
const AS_COOKIE: Shown = { stored: 'never', varies: 'Cookie' }

/** Where the key of a request stands: an URL without it leads to nothing that a cache may give away. */
export const shownIn = ({ query, headers }: Request): Shown => {
  if (query.some(([name]) => name === 'vk')) return IN_URL
  return headers.has('authorization') ? AS_BEARER : AS_COOKIE
}

/**
 * The one key of a request.
 * @throws Refusal key_missing, key_ambiguous
 */
export function claimOf({ query, headers }: Request): Claimed {
  const keys = [
    ...query.filter(([name]) => name === 'vk').map(([, value]) => value),
    ...bearerOf(headers.get('authorization')),
    ...cookiesNamed('vk', headers.get('cookie')),
  ]
  const [key, second] = keys
  if (second !== undefined) {
    throw new Refusal(
      'key_ambiguous',
      'send one key only: as ?vk=, as a bearer token, or as the cookie "vk"',
    )
  }
  if (key === undefined) {
    throw new Refusal(
      'key_missing',
      'send a key: as ?vk=KEY in the URL, or as "Authorization: Bearer KEY"',
    )
  }
  return { key }
}

/** @throws Refusal key_missing for a scheme that is not ours: it is no key */
function bearerOf(authorization: string | undefined): readonly string[] {
  if (authorization === undefined) return []
  const match = /^bearer +(\S+) *$/i.exec(authorization)
  if (match?.[1] !== undefined) return [match[1]]
  throw new Refusal('key_missing', 'the header Authorization is not of the form "Bearer KEY"')
}
