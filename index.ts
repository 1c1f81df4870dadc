/**
 * The library: mint, narrow and inspect keys in one's own program. No I/O, no server.
 *
 *     import { mint, narrow, inspect } from 'valetkey'
 *     const { url } = mint({ path: 'photos/cat.jpg', expiresIn: '1h', signingKey, publicUrl })
 *     const once = narrow(url, { once: true })
 */
import { type Minted, mint as mintWith, randomId } from './issuer/mint.ts'
import { narrow as narrowAt } from './issuer/narrow.ts'
import type { MintOptions, NarrowOptions } from './issuer/options.ts'
import { type InspectedKey, inspectKey } from './key/inspect.ts'
import { keyOf } from './key/link.ts'
import { nodeMac } from './key/node-mac.ts'
import { parseSigningKey } from './key/signer.ts'
import { parseDuration, type Seconds, secondsOf } from './key/units.ts'

export type { Minted } from './issuer/mint.ts'
export {
  type MintOptions,
  type Mistake,
  type NarrowOptions,
  OptionsError,
} from './issuer/options.ts'
export type { InspectedBlock, InspectedKey } from './key/inspect.ts'
export { Refusal, type RefusalCode } from './key/refusal.ts'

export interface Minting {
  /** `vk1sk.…`: of `valetkey keys export`, or of a secret store */
  readonly signingKey: string
  /** where the gateway is reached; `http://127.0.0.1:8080` unless stated */
  readonly publicUrl?: string
  /** the longest life that may be asked for, such as `30d`; 7 days unless stated */
  readonly maxExpires?: string
}

const DEFAULT_LIFE = 900 as Seconds

/**
 * A new key and the link to its first path.
 * @throws OptionsError with every mistake in the options
 * @throws Refusal key_malformed where the key would be longer than keys can be
 * @throws TypeError where the signing key or the public URL is none
 * @throws RangeError where `maxExpires` is no duration
 */
export function mint({
  signingKey,
  publicUrl = 'http://127.0.0.1:8080',
  maxExpires = '7d',
  ...options
}: MintOptions & Minting): Minted {
  return mintWith(options, {
    signingKey: parseSigningKey(signingKey),
    now: secondsOf(Date.now()),
    publicUrl,
    defaultLife: DEFAULT_LIFE,
    maxLife: parseDuration(maxExpires),
  })
}

/**
 * The same link or key, able to do less: one block is added, no secret is needed.
 * @returns a link for a link, a key for a key
 * @throws OptionsError with every mistake in the options
 * @throws Refusal key_missing, key_ambiguous or key_malformed
 */
export const narrow = (urlOrKey: string, options: NarrowOptions): string =>
  narrowAt(urlOrKey, options, { now: secondsOf(Date.now()), mac: nodeMac, randomId })

/**
 * What a link or key says, block by block, with its words. Whether a gateway honours it is not
 * known here: its signature is not checked.
 * @throws Refusal key_missing, key_ambiguous or key_malformed
 */
export const inspect = (urlOrKey: string): InspectedKey =>
  inspectKey(keyOf(urlOrKey).key, secondsOf(Date.now()))
