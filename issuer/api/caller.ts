/** Who asks: the admin, by the token; the holder of a valet key; or anybody, where nothing is asked of them. */
import type { IncomingMessage } from 'node:http'
import { VERSION } from '../../key/format.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { Refusal } from '../../key/refusal.ts'
import { checkSigner, type Grant, readKey, verifyKey } from '../../key/sign.ts'
import { formatTime, type UnixSeconds } from '../../key/units.ts'
import type { Keyring } from '../../ledger/keyring.ts'
import type { Revocations } from '../../ledger/ledger.ts'
import type { TokenCheck } from '../admin-token.ts'
import { PROOF_HEADER, refuseOtherOrigins, sessionCookie } from '../console/browser.ts'
import type { Sessions } from '../console/sessions.ts'
import { asking } from './problem.ts'

export type Caller =
  | { readonly kind: 'anybody' }
  | { readonly kind: 'admin' }
  | { readonly kind: 'holder'; readonly key: string; readonly grant: Grant }

export interface CallerContext {
  readonly isAdminToken: TokenCheck
  readonly sessions: Sessions
  readonly keyring: Keyring
  readonly ledger: Revocations
  readonly now: UnixSeconds
}

/**
 * @throws Refusal key_missing, key_ambiguous, token_invalid, origin_not_granted, or what the key
 *   itself lacks
 */
export async function callerOf(incoming: IncomingMessage, context: CallerContext): Promise<Caller> {
  const proof = incoming.headers[PROOF_HEADER]
  if (typeof proof === 'string') return signedIn(incoming, proof, context)
  const credential = bearerOf(incoming)
  if (credential.startsWith(`${VERSION}.`)) {
    return { kind: 'holder', key: credential, grant: await grantOf(credential, context) }
  }
  if (context.isAdminToken(credential)) return { kind: 'admin' }
  throw new Refusal(
    'token_invalid',
    'the token sent is not the admin token, which lies in the file secrets/admin-token of the data folder',
  )
}

/** The admin, in the console; a cookie without a proof is nobody's. */
function signedIn(incoming: IncomingMessage, proof: string, context: CallerContext): Caller {
  const { headers } = incoming
  if (headers.authorization !== undefined) {
    throw new Refusal('key_ambiguous', 'send a session of the console or a bearer token, not both')
  }
  refuseOtherOrigins(incoming)
  if (context.sessions.holds(sessionCookie(headers), proof, context.now)) return { kind: 'admin' }
  throw new Refusal('token_invalid', 'the session has ended: sign in again with the admin token')
}

/** `Authorization: Bearer …`, once; RFC 6750, 2.1. */
function bearerOf(incoming: IncomingMessage): string {
  const [header, ...more] = incoming.headersDistinct.authorization ?? []
  if (more.length > 0) {
    throw new Refusal('key_ambiguous', 'the request has several Authorization headers: send one')
  }
  const credential = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(header ?? '')?.[1]
  if (credential !== undefined) return credential
  throw new Refusal('key_missing', 'send "Authorization: Bearer " and the admin token or a key')
}

/** Verified, of a signing key that still speaks for us, neither expired nor revoked. */
async function grantOf(key: string, { keyring, ledger, now }: CallerContext): Promise<Grant> {
  const named = readKey(key)
  await asking(() => keyring.refresh())
  const signer = keyring.signer(named.kid)
  const grant = verifyKey(named, signer, nodeMac)
  if (signer !== undefined) checkSigner(signer, now)
  if (now >= grant.expires) {
    throw new Refusal('key_expired', `the key expired at ${formatTime(grant.expires)}`)
  }
  if ((await asking(() => ledger.revocationOf(grant))) !== undefined) {
    throw new Refusal('key_revoked', 'the key has been revoked; ask for a new one')
  }
  return grant
}
