/**
 * Tokens of OpenID Connect providers that are configured: whether one is good now, and for what
 * path. A token says which provider made it; only one that is configured is asked for its keys.
 */
import { readFileSync } from 'node:fs'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { pathFromTemplate } from '../key/dialects/web-identity.ts'
import { Refusal } from '../key/refusal.ts'
import type { UnixSeconds } from '../key/units.ts'
import { type Identities, invalidToken, type WebIdentity } from './identities.ts'

export interface IdentityProvider {
  /** exactly as tokens state it in `iss` */
  readonly issuer: string
  /** a token is for one of these */
  readonly audiences: readonly string[]
  /** its public keys: an https URL, or a file that holds a JWK set */
  readonly jwks: { readonly url: string } | { readonly file: string }
  /** `users/${sub}/` */
  readonly path: string
}

/** Signatures by a private key alone: with a shared secret, whoever verifies could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
/** Longer ones are not read. */
const MAX_TOKEN_LENGTH = 20_000
const CLOCK_TOLERANCE_SECONDS = 60

export class WebIdentities implements Identities {
  readonly #providers: ReadonlyMap<string, IdentityProvider>
  readonly #keys: ReadonlyMap<string, JWTVerifyGetKey>

  /** @throws Error for a file of keys that can't be read, or a URL that is not https */
  constructor(providers: readonly IdentityProvider[]) {
    this.#providers = new Map(providers.map((provider) => [provider.issuer, provider]))
    this.#keys = new Map(providers.map((provider) => [provider.issuer, keysOf(provider)]))
  }

  async verify(token: string, now: UnixSeconds): Promise<WebIdentity> {
    const issuer = issuerOf(token)
    const provider = this.#providers.get(issuer)
    const keys = this.#keys.get(issuer)
    if (provider === undefined || keys === undefined) throw invalidToken()
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer,
      audience: [...provider.audiences],
      currentDate: new Date(now * 1000),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'sub'],
    }).catch(refused)
    return identityOf(provider, payload)
  }
}

function issuerOf(token: string): string {
  try {
    const issuer = token.length > MAX_TOKEN_LENGTH ? undefined : decodeJwt(token).iss
    if (issuer !== undefined) return issuer
  } catch {
    // said below, as of every token that is none
  }
  throw invalidToken()
}

function identityOf(
  { issuer, audiences, path }: IdentityProvider,
  payload: JWTPayload,
): WebIdentity {
  const stated = [payload.aud ?? []].flat()
  return {
    issuer,
    audience: audiences.find((audience) => stated.includes(audience)) ?? '',
    subject: payload.sub ?? '',
    path: pathFromTemplate(path, payload),
    expires: payload.exp as UnixSeconds,
  }
}

/** A provider's keys are fetched when they are needed, kept, and fetched anew for one not known. */
function keysOf({ jwks, issuer }: IdentityProvider): JWTVerifyGetKey {
  if ('file' in jwks) {
    return createLocalJWKSet(JSON.parse(readFileSync(jwks.file, 'utf8')) as JSONWebKeySet)
  }
  const url = new URL(jwks.url)
  const isLocal = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) {
    return createRemoteJWKSet(url, { timeoutDuration: 5000 })
  }
  throw new Error(`the keys of ${issuer} are fetched over https only: ${jwks.url}`)
}

function refused(error: unknown): never {
  if (error instanceof errors.JWTExpired) {
    throw new Refusal('key_expired', 'the token has expired; get a new one')
  }
  // a bare JOSEError is an answer that is no set of keys
  const isUnanswered = !(error instanceof errors.JOSEError) || error.code === 'ERR_JOSE_GENERIC'
  if (isUnanswered || error instanceof errors.JWKSTimeout) {
    throw new Refusal('unavailable', 'the identity provider does not answer; try again', {
      cause: error,
    })
  }
  throw invalidToken(error)
}
