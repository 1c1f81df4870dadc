/**
 * Links: a URL that carries a key, in its query as `?vk=`; or behind the `#`, where no log sees it, as
 * those that lead to a page of the gateway do.
 */
import { type ObjectPath, type Prefix, type Scope, targetOf } from './object-path.ts'
import { Refusal } from './refusal.ts'

/** The query parameter that carries a key. */
const KEY_PARAMETER = 'vk'

export interface KeyInHand {
  readonly key: string
  /** the URL that carried it */
  readonly url?: URL
}

/**
 * The key of what a person pasted: a link with `?vk=` or `#vk1.…`, or the key alone. The key is not
 * read yet.
 * @throws Refusal key_missing, key_ambiguous, key_malformed; none repeats the text, which may be secret
 */
export function keyOf(urlOrKey: string): KeyInHand {
  const text = urlOrKey.trim()
  if (text.startsWith('vk1.')) return { key: text }
  if (text.startsWith('vk1sk.')) {
    throw new Refusal(
      'key_malformed',
      'this is a signing key, which mints keys: keep it secret, and give a key that was minted with it',
    )
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !isWeb(url)) {
    throw new Refusal(
      'key_malformed',
      `expected a link such as https://files.example.com/BUCKET/KEY?${KEY_PARAMETER}=vk1.…, or a key that starts with "vk1."`,
    )
  }
  return { key: onlyKeyOf(url), url }
}

function onlyKeyOf(url: URL): string {
  const [key, ...more] = [...url.searchParams.getAll(KEY_PARAMETER), ...keysBehind(url)]
  if (key === undefined) {
    throw new Refusal(
      'key_missing',
      `the link has no key: neither "${KEY_PARAMETER}=" in its query nor "#vk1.…" at its end`,
    )
  }
  if (more.length > 0) {
    throw new Refusal('key_ambiguous', `the link has ${more.length + 1} keys: send one`)
  }
  return key
}

/** That of the fragment; other fragments are none. Line breaks of a mail may have come into it. */
function keysBehind({ hash }: URL): readonly string[] {
  const text = hash.slice(1).replace(/%20|\s/g, '')
  return text.startsWith('vk1.') ? [text] : []
}

/** Whether it carries its key behind the `#`: it leads to a page, not to what the key is for. */
export const leadsToPage = (url: URL): boolean => keysBehind(url).length > 0

/**
 * The link to a path (or to all beneath a prefix) with a key.
 * @param publicUrl where the gateway is reached; may have a path of its own, behind a proxy
 * @throws TypeError for a public URL that is none
 */
export const linkOf = (publicUrl: string, path: ObjectPath | Prefix | Scope, key: string): string =>
  `${baseOf(publicUrl)}${targetOf(path)}?${KEY_PARAMETER}=${key}`

/**
 * The link to a page for whoever has the key: `share` shows what is there, `drop` takes files.
 * @throws TypeError for a public URL that is none
 */
export const pageLinkOf = (publicUrl: string, page: 'share' | 'drop', key: string): string =>
  `${baseOf(publicUrl)}/-/${page}#${key}`

function baseOf(publicUrl: string): string {
  const base = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  if (base === undefined || !isPlain(base)) {
    throw new TypeError(
      'a public URL is http:// or https://, a host, and at most a path: no query, fragment or password',
    )
  }
  return base.href.replace(/\/+$/, '')
}

/** The same link with another key, such as a narrowed one, where it was; the rest of it stays. */
export function withKey(url: URL, key: string): string {
  const link = new URL(url)
  if (leadsToPage(url)) link.hash = key
  else link.searchParams.set(KEY_PARAMETER, key)
  return link.href
}

const isWeb = ({ protocol }: URL): boolean => protocol === 'http:' || protocol === 'https:'

const isPlain = (url: URL): boolean =>
  isWeb(url) && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
