/**
 * The key of the page: it stands in the fragment, so no server, log or referrer has seen it. It is
 * sent in a header alone; what goes into a URL is the key narrowed to one thing for a minute.
 */
import type { Block } from '../../../key/claims.ts'
import { type ObjectPath, type Prefix, targetOf } from '../../../key/object-path.ts'
import { pureMac } from '../../../key/pure-mac.ts'
import { narrowKey, readBlocks, readKey } from '../../../key/sign.ts'

/** How long a link that the page makes is good for, in seconds. */
export const LINK_LIFE = 60

/** The key in the page's fragment; empty where there is none. */
export const keyInFragment = (): string => location.hash.slice(1).replace(/%20|\s/g, '')

/** From when and until when a key works, as its blocks state it; undefined for what is no key. */
export function timesOf(key: string): { notBefore: number; expires: number } | undefined {
  try {
    const blocks = readBlocks(readKey(key))
    return {
      notBefore: Math.max(0, ...blocks.flatMap(({ nbf }) => nbf ?? [])),
      expires: Math.min(...blocks.flatMap(({ exp }) => exp ?? [])),
    }
  } catch {
    return undefined
  }
}

/** Everything of the gateway, whatever path a proxy leaves in front of it. */
const ROOT = new URL('../', location.href.replace(/[?#].*$/s, ''))

/** Something under `/-/`. */
export const ours = (name: string): URL => new URL(`-/${name}`, ROOT)

/** An object or a folder, without any key. */
export const urlOf = (path: ObjectPath | Prefix | string): URL =>
  new URL(targetOf(path as ObjectPath).slice(1), ROOT)

/**
 * The key, able to do nothing but this.
 * @throws Refusal key_malformed for one that has no room for another block
 */
export const narrowed = (key: string, block: Block): string => narrowKey(key, block, pureMac)

/**
 * A link to one object that whoever it is shown to can download for a minute.
 * @param now of the server, in Unix seconds
 * @throws Refusal key_malformed for a key that can't be narrowed further
 */
export function linkTo(key: string, path: string, now: number, respond?: Block['respond']): URL {
  const url = urlOf(path)
  const block: Block = {
    path,
    methods: ['GET'],
    exp: now + LINK_LIFE,
    ...(respond !== undefined && { respond }),
  }
  url.searchParams.set('vk', narrowed(key, block))
  return url
}
