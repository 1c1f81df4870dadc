/** Minting: options -> claims -> signed key -> URL. Pure but for the randomness of ids. */
import { randomBytes } from 'node:crypto'
import { type FirstBlock, type Method, scopesOf } from '../key/claims.ts'
import { linkOf } from '../key/link.ts'
import { nodeMac } from '../key/node-mac.ts'
import { parseScope } from '../key/object-path.ts'
import { mintKey } from '../key/sign.ts'
import type { SigningKey } from '../key/signer.ts'
import type { Seconds, UnixSeconds } from '../key/units.ts'
import { firstBlockFrom, type MintOptions } from './options.ts'

export interface MintContext {
  readonly signingKey: SigningKey
  readonly now: UnixSeconds
  /** scheme, host and, behind a proxy, a path: `https://files.example.com` */
  readonly publicUrl: string
  /** of a key whose options state no expiry */
  readonly defaultLife: Seconds
  readonly maxLife: Seconds
  /** of a key whose options state no id */
  readonly randomId?: () => string
  /** whether the key asks for a PIN, which whoever mints it has kept beside its id */
  readonly pin?: boolean
}

/** A new key, as it is shown to whoever asked for it. The key and its URL are secrets. */
export interface Minted {
  /** of the first path */
  readonly url: string
  readonly key: string
  readonly id: string
  /** as stated: one scope, or several */
  readonly path: string | readonly string[]
  readonly methods: readonly Method[]
  /** Unix seconds */
  readonly expires: UnixSeconds
  /** block 0 */
  readonly claims: FirstBlock
}

/**
 * 128 random bits: nobody guesses one, and no two are alike. It does not start with a dash, so that
 * it can stand on a command line.
 */
export function randomId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? randomId() : id
}

/**
 * A new key.
 * @throws OptionsError with every mistake
 * @throws Refusal key_malformed where the key would be too long
 * @throws TypeError for a public URL that is none
 */
export function mint(options: MintOptions, context: MintContext): Minted {
  const { signingKey, publicUrl } = context
  const id = (context.randomId ?? randomId)()
  const stated = firstBlockFrom(options, { ...context, id })
  const block = context.pin ? { ...stated, pin: true as const } : stated
  const key = mintKey(block, signingKey, nodeMac)
  const { jti, path, methods, exp } = block
  const [first = '/'] = scopesOf(path)
  return {
    url: linkOf(publicUrl, parseScope(first), key),
    key,
    id: jti,
    path,
    methods,
    expires: exp as UnixSeconds,
    claims: { kid: signingKey.kid, ...block },
  }
}
