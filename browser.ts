/**
 * The library as a browser gets it: narrow and inspect, as in `index.ts`, with nothing of Node. It
 * has no mint: a signing key has no place in a browser.
 *
 *     import { narrow } from 'valetkey'
 *     const link = narrow(url, { path: 'photos/cat.jpg', expiresIn: '1m' })
 */
import { narrow as narrowAt } from './issuer/narrow.ts'
import type { NarrowOptions } from './issuer/options.ts'
import { toBase64url } from './key/format.ts'
import { type InspectedKey, inspectKey } from './key/inspect.ts'
import { keyOf } from './key/link.ts'
import { pureMac } from './key/pure-mac.ts'
import { secondsOf } from './key/units.ts'

export { type Mistake, type NarrowOptions, OptionsError } from './issuer/options.ts'
export type { InspectedBlock, InspectedKey } from './key/inspect.ts'
export { Refusal, type RefusalCode } from './key/refusal.ts'

const randomId = (): string => toBase64url(crypto.getRandomValues(new Uint8Array(16)))

/**
 * The same link or key, able to do less: one block is added, no secret is needed.
 * @returns a link for a link, a key for a key
 * @throws OptionsError with every mistake in the options
 * @throws Refusal key_missing, key_ambiguous or key_malformed
 */
export const narrow = (urlOrKey: string, options: NarrowOptions): string =>
  narrowAt(urlOrKey, options, { now: secondsOf(Date.now()), mac: pureMac, randomId })

/**
 * What a link or key says, block by block, with its words. Its signature is not checked.
 * @throws Refusal key_missing, key_ambiguous or key_malformed
 */
export const inspect = (urlOrKey: string): InspectedKey =>
  inspectKey(keyOf(urlOrKey).key, secondsOf(Date.now()))
