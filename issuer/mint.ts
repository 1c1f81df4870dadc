/** Minting: options -> claims -> signed key -> URL. Pure but for the randomness of ids. */
import { randomBytes } from 'node:crypto'
import { type Block, type FirstBlock, type Method, scopesOf } from '../key/claims.ts'
import { linkOf } from '../key/link.ts'
import { nodeMac } from '../key/node-mac.ts'
import type { Scope } from '../key/object-path.ts'
import { parseScope } from '../key/object-path.ts'
import { mintKey } from '../key/sign.ts'
import type { SigningKey } from '../key/signer.ts'
import { later, type Seconds, type UnixSeconds } from '../key/units.ts'
import type { IssuedKey } from '../ledger/ledger.ts'
import { firstBlockFrom, type MintOptions, OptionsError } from './options.ts'

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
  /** whether its end can be put off later: see {@link RENEWABLE} */
  readonly renewable?: boolean
}

/**
 * How long a renewable key is signed for. Until when it really is for is kept beside it, and without
 * that it is refused: so it names the rule of its own id.
 */
export const RENEWABLE = (5 * 365 * 86_400) as Seconds

export const isRenewable = ({ jti, policy }: Pick<Block, 'jti' | 'policy'>): boolean =>
  policy !== undefined && policy === jti

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
  if (context.renewable && stated.policy !== undefined) {
    throw new OptionsError([{ option: 'renewable', message: 'can not stand beside "policy"' }])
  }
  const block = {
    ...stated,
    ...(context.pin && { pin: true as const }),
    ...(context.renewable && { policy: stated.jti, exp: later(context.now, RENEWABLE) }),
  }
  const key = mintKey(block, signingKey, nodeMac)
  const { jti, path, methods } = block
  const [first = '/'] = scopesOf(path)
  return {
    url: linkOf(publicUrl, parseScope(first), key),
    key,
    id: jti,
    path,
    methods,
    expires: stated.exp as UnixSeconds,
    claims: { kid: signingKey.kid, ...block },
  }
}

/** What is written down of a key: all but the key itself. */
export function issuedKeyOf(
  { claims, expires }: Pick<Minted, 'claims' | 'expires'>,
  issuedBy: string,
): IssuedKey {
  const { kid, jti, iat, exp, path, methods, sub, uses, ...others } = claims
  return {
    id: jti,
    kid,
    subjects: sub === undefined ? [] : [sub],
    paths: scopesOf(path) as readonly Scope[],
    methods,
    issuedAt: (iat ?? 0) as UnixSeconds,
    expires: exp as UnixSeconds,
    ...(uses !== undefined && { uses }),
    issuedBy,
    ...(isRenewable(claims) && { renewed: expires }),
    ...(Object.keys(others).length > 0 && { claims: others }),
  }
}
