/** Who may have temporary credentials for a token of somebody else: the contract, and nobody. */
import { Refusal } from '../key/refusal.ts'
import type { UnixSeconds } from '../key/units.ts'

export interface WebIdentity {
  readonly issuer: string
  readonly audience: string
  /** that of the person, within the provider */
  readonly subject: string
  /** a scope: what the template makes of the claims */
  readonly path: string
  readonly expires: UnixSeconds
}

export interface Identities {
  /**
   * @throws Refusal signature_invalid for a token that is not good here, whatever the reason;
   *   key_expired; request_malformed where its claims make no path; unavailable where the provider
   *   does not answer
   */
  verify(token: string, now: UnixSeconds): Promise<WebIdentity>
}

export const invalidToken = (cause?: unknown): Refusal =>
  new Refusal(
    'signature_invalid',
    'the token is not one of an identity provider that is configured here, for an audience that is',
    { cause },
  )

/** Where no provider is configured. */
export const NO_IDENTITIES: Identities = {
  verify: () => Promise.reject(invalidToken()),
}
