/** Whose credential a signature names: an S3 access key, or a temporary one with its session token. */
import type { Block } from '../claims.ts'
import { Refusal } from '../refusal.ts'
import { type Grant, grantOfForeign, readKey, verifySessionToken, withBlock } from '../sign.ts'
import { type DateKey, type Hashing, type SigV4Signer, signingKeyOf } from './sigv4.ts'
import type { SigV4Claimed } from './sigv4-claim.ts'

/** By access key id, or by the signing key that a session token names. */
export type Lookup = (kid: string) => SigV4Signer | undefined

type Claimed = Pick<SigV4Claimed, 'accessKeyId' | 'sessionToken' | 'scope' | 'signedAt'>

/** A credential, before it is known whether whoever names it holds it. */
export interface NamedCredential {
  readonly signingKey: Uint8Array
  /** where it is not, no signature is good */
  readonly isKnown: boolean
  /**
   * To be asked for only after the signature was found good.
   * @param own what the signed request says by itself; states at least `exp`
   * @throws Refusal signature_invalid, key_malformed for a session token that is none
   */
  readonly grant: (own: Block, id: string) => Grant
}

/** @throws Refusal key_malformed for a session token that is no key */
export function namedCredential(
  claimed: Claimed,
  lookup: Lookup,
  { mac }: Hashing,
): NamedCredential {
  const { accessKeyId, sessionToken, scope, signedAt } = claimed
  const token = sessionToken === undefined ? undefined : readKey(sessionToken)
  const found = lookup(token?.kid ?? accessKeyId)
  const dateKey = sessionToken === undefined ? found?.dateKey : found?.sessionDateKey(sessionToken)
  return {
    signingKey: signingKeyOf(dateKey ?? nobody(mac), scope, mac),
    isKnown: dateKey !== undefined,
    grant(own, id) {
      if (found === undefined) throw invalidSignature()
      const { signer } = found
      if (token === undefined) {
        return grantOfForeign(signer, own, { id, ids: [accessKeyId, id], issuedAt: signedAt })
      }
      const grant = verifySessionToken(token, signer, mac)
      const [last] = grant.blocks.flatMap(({ jti }) => jti ?? []).slice(-1)
      if (last !== accessKeyId) throw invalidSignature()
      return withBlock(grant, own, id)
    },
  }
}

/** An access key that nobody has takes as long to refuse as one that is there. */
const nobody =
  (mac: Hashing['mac']): DateKey =>
  (date) =>
    mac(new Uint8Array(47), date)

export const invalidSignature = (): Refusal =>
  new Refusal(
    'signature_invalid',
    'this was not signed with an access key of this gateway, or was altered; check the secret access key, the host and the path that were signed',
  )

/** Requests and URLs made this long ahead of our clock are taken: clocks differ. */
const AHEAD_SECONDS = 900
/** What a block's `nbf` is given anyway. */
const LEEWAY_SECONDS = 60

/** The `nbf` of what was signed then. */
export const notBefore = (signedAt: number): number =>
  Math.max(0, signedAt - AHEAD_SECONDS + LEEWAY_SECONDS)

/**
 * The id by which a presigned URL, or a POST policy, is revoked by itself: the start of its
 * signature's hash. The signature is a secret, and ids are logged.
 */
export const presignedId = (signature: string, { sha256 }: Pick<Hashing, 'sha256'>): string =>
  sha256(signature).slice(0, 32)
