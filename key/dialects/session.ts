/**
 * Temporary S3 credentials. The session token is a valet key with the claim `aud: "sigv4"`; the
 * secret access key follows from it for whoever has the signing key, so nothing is stored.
 */
import type { Block, FirstBlock } from '../claims.ts'
import { METHODS } from '../claims.ts'
import { Refusal } from '../refusal.ts'
import { type Grant, mintKey, narrowKey } from '../sign.ts'
import type { Mac, SigningKey } from '../signer.ts'
import { later, type Seconds, seconds, type UnixSeconds } from '../units.ts'
import { sessionSecretOf } from './sigv4.ts'

export interface SessionCredentials {
  /** the last id that the session token states */
  readonly accessKeyId: string
  /** a secret; knowing the token does not give it */
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expires: UnixSeconds
}

/**
 * New temporary credentials under a signing key.
 * @param policy narrows them further
 * @throws Refusal key_malformed for claims that the format does not have
 */
export function mintSession(
  claims: Omit<FirstBlock, 'kid' | 'aud'>,
  signingKey: SigningKey,
  mac: Mac,
  policy?: Block,
): SessionCredentials {
  const minted = mintKey({ ...claims, aud: 'sigv4' }, signingKey, mac)
  const sessionToken = policy === undefined ? minted : narrowKey(minted, policy, mac)
  return credentialsOf(sessionToken, claims.jti, claims.exp as UnixSeconds, signingKey, mac)
}

const credentialsOf = (
  sessionToken: string,
  accessKeyId: string,
  expires: UnixSeconds,
  { secret }: SigningKey,
  mac: Mac,
): SessionCredentials => ({
  accessKeyId,
  secretAccessKey: sessionSecretOf(secret, sessionToken, mac),
  sessionToken,
  expires,
})

/** What a caller of STS asks for. */
export interface SessionRequest {
  readonly now: UnixSeconds
  readonly duration: Seconds
  /** the new access key's id */
  readonly id: string
  /** whom the credentials are for */
  readonly subject?: string
  /** of a session policy: only narrows */
  readonly policy?: Block
}

/** Who asks: verified, with the session token where it has one. */
export interface SessionCaller {
  readonly grant: Grant
  readonly sessionToken?: string
  /** that of `grant.kid` */
  readonly signingKey: SigningKey
}

/**
 * Temporary credentials that can do at most what their caller can: made under the caller's own
 * signing key and its ceiling, or by narrowing the caller's session token.
 * @throws Refusal key_malformed where a token can not be narrowed further
 */
export function sessionFor(
  { grant, sessionToken, signingKey }: SessionCaller,
  request: SessionRequest,
  mac: Mac,
): SessionCredentials {
  const { now, id, policy } = request
  const exp = expiryOf(grant, later(now, request.duration))
  const sub = request.subject === undefined ? {} : { sub: request.subject }
  const token =
    sessionToken === undefined
      ? mintKey(
          { jti: id, iat: now, exp, path: '/', methods: [...METHODS], aud: 'sigv4', ...sub },
          signingKey,
          mac,
        )
      : narrowKey(sessionToken, { jti: id, exp, ...sub }, mac)
  const narrowed = policy === undefined ? token : narrowKey(token, policy, mac)
  return credentialsOf(narrowed, id, exp, signingKey, mac)
}

/** Not beyond what the caller has; its last block is the request itself, which lives for minutes. */
const expiryOf = ({ blocks }: Grant, wanted: UnixSeconds): UnixSeconds =>
  Math.min(wanted, ...blocks.slice(0, -1).flatMap(({ exp }) => exp ?? [])) as UnixSeconds

/** STS: "from 900 seconds (15 minutes)"; an hour where nothing is stated. */
const LEAST_SECONDS = 900
const DEFAULT_SECONDS = 3600

/**
 * `DurationSeconds`.
 * @param most what this gateway allows
 * @throws Refusal request_malformed
 */
export function sessionDuration(text: string | undefined, most: Seconds): Seconds {
  if (text === undefined) return Math.min(DEFAULT_SECONDS, most) as Seconds
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value >= LEAST_SECONDS && value <= most) return seconds(value)
  throw new Refusal(
    'request_malformed',
    `DurationSeconds is a whole number from ${LEAST_SECONDS} to ${most}`,
  )
}
