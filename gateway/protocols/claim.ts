/** How a request shows a key: in the query, as a bearer token, or in a cookie; one key in one place. */
import { Refusal } from '../../key/refusal.ts'
import type { Claimed } from '../admit.ts'
import { cookiesNamed } from '../cookies.ts'
import type { RawRequest } from '../request.ts'

type Shown = Pick<RawRequest, 'query' | 'headers'>

/** Whether a key is shown, or something that looks like one. */
export const showsKey = ({ query, headers }: Shown): boolean =>
  query.some(([name]) => name === 'vk') ||
  /^bearer /i.test(headers.get('authorization') ?? '') ||
  cookiesNamed('vk', headers.get('cookie')).length > 0

/**
 * The one key of a request.
 * @throws Refusal key_missing, key_ambiguous
 */
export function claimOf({ query, headers }: Shown): Claimed {
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
