/**
 * Whether a SigV4 signature is ours, and the grant that it then is. Nothing else about a request is
 * said before its signature is good: not whether its access key exists, nor whether it expired.
 */
import type { Block } from '../claims.ts'
import { type KeyText, parseKey } from '../format.ts'
import { Refusal } from '../refusal.ts'
import { type Grant, grantOfForeign, kidOf, verifySessionToken, withBlock } from '../sign.ts'
import type { Signer } from '../signer.ts'
import {
  canonicalRequest,
  type DateKey,
  type Hashing,
  reencodedPath,
  type SigV4Signer,
  sameSignature,
  signature,
  signingKeyOf,
  stringToSign,
} from './sigv4.ts'
import { type ChunkChain, chunkChain } from './sigv4-chunks.ts'
import { isStreaming, type SigV4Claimed, STREAMING } from './sigv4-claim.ts'

/** How the gateway may have been addressed, as the client saw it. */
export interface Address {
  /** as in the header Host: `files.example.com`, `127.0.0.1:8080` */
  readonly host: string
  /** what a proxy in front of us has taken off the path, without a slash at its end; or empty */
  readonly prefix: string
}

export interface VerifyOptions {
  /** of the access key id, or of the signing key that a session token names */
  readonly lookup: (kid: string) => SigV4Signer | undefined
  readonly hashing: Hashing
  /** see {@link addressesOf}; tried in this order */
  readonly addresses: readonly Address[]
  readonly service: 's3' | 'sts'
  /** lower-case hex; stands in where a request states no payload hash, as those to STS do */
  readonly bodySha256?: string
}

/** What the body must turn out to be. */
export type PayloadExpectation =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'sha256'; readonly sha256: string }
  | {
      /** aws-chunked; the seed signature has been found good */
      readonly kind: 'streaming'
      readonly trailer: boolean
      /** of signed chunks: starts the chain of their signatures */
      readonly chain?: () => ChunkChain
    }

export interface SigV4Verified {
  readonly grant: Grant
  readonly payload: PayloadExpectation
  /**
   * The address that was signed for. A bucket in the host name is that of this host, never that of
   * another header, which nobody has signed.
   */
  readonly host: string
  /** `x-amz-*` headers out of the query, signed: to be honoured as if they were headers */
  readonly hoisted: ReadonlyMap<string, string>
}

/**
 * Order of the refusals: the form (already read), the signature, then all else. Whether the time is
 * right, the access key revoked, or the method allowed is asked of the grant afterwards, as of any.
 * @throws Refusal signature_invalid; then key_malformed, header_not_granted
 */
export function verifySigV4(claimed: SigV4Claimed, options: VerifyOptions): SigV4Verified {
  const { hashing, lookup, service } = options
  const token = claimed.sessionToken === undefined ? undefined : parseKey(claimed.sessionToken)
  const signer = lookup(token === undefined ? claimed.accessKeyId : kidOf(token))
  const dateKey = dateKeyFor(claimed, signer)
  const signingKey = signingKeyOf(dateKey ?? nobody(hashing), claimed.scope, hashing.mac)
  const address = addressSigned(claimed, signingKey, options)
  const isOurs = address !== undefined && claimed.scope.service === service
  if (!isOurs || dateKey === undefined || signer === undefined) throw invalid()
  const grant = grantFor(claimed, signer.signer, token, hashing)
  checkUnsigned(claimed)
  return {
    grant,
    payload: payloadOf(claimed, signingKey, hashing),
    host: address.host,
    hoisted: claimed.hoisted,
  }
}

const invalid = (): Refusal =>
  new Refusal(
    'signature_invalid',
    'the request was not signed with an access key of this gateway, or was altered; check the secret access key, the host and the path that were signed',
  )

function dateKeyFor(claimed: SigV4Claimed, signer: SigV4Signer | undefined): DateKey | undefined {
  return claimed.sessionToken === undefined
    ? signer?.dateKey
    : signer?.sessionDateKey(claimed.sessionToken)
}

/** An access key that nobody has takes as long to refuse as one that is there. */
const nobody =
  ({ mac }: Hashing): DateKey =>
  (date) =>
    mac(new Uint8Array(47), date)

/** More ways to have been addressed than this are not tried. */
const MAX_TRIES = 32

/** The first address for which the signature is good. */
function addressSigned(
  claimed: SigV4Claimed,
  signingKey: Uint8Array,
  { hashing, addresses, bodySha256 }: VerifyOptions,
): Address | undefined {
  const payloadHash = claimed.payloadHash ?? bodySha256
  if (payloadHash === undefined) return undefined
  const tries = addresses.flatMap((address) =>
    pathsOf(claimed.path, address.prefix).flatMap((path) =>
      headersOf(claimed, address.host).map((headers) => ({ address, path, headers })),
    ),
  )
  const { method, query, dateTime, scope } = claimed
  return tries.slice(0, MAX_TRIES).find(({ path, headers }) => {
    const canonical = canonicalRequest({ method, path, query, headers, payloadHash })
    const toSign = stringToSign(dateTime, scope, canonical, hashing)
    return sameSignature(signature(signingKey, toSign, hashing.mac), claimed.signature)
  })?.address
}

/** As it was sent, and as a client would have encoded it; with and without what a proxy took off. */
function pathsOf(raw: string, prefix: string): readonly string[] {
  const paths = [raw, reencodedPath(raw)]
  return [...new Set([...paths, ...(prefix === '' ? [] : paths.map((path) => prefix + path))])]
}

type SignedFields = readonly (readonly [name: string, values: readonly string[]])[]

/** None where a signed header is missing. Text beyond ASCII is read as Latin-1, then as UTF-8. */
function headersOf(
  { headers, signedHeaders }: SigV4Claimed,
  host: string,
): readonly SignedFields[] {
  if (signedHeaders.some((name) => !headers.has(name) && name !== 'host')) return []
  const asSent = signedHeaders.map(
    (name) => [name, name === 'host' ? [host] : (headers.get(name) ?? [])] as const,
  )
  const isAscii = asSent.every(([, values]) => values.every((value) => !/[\x80-\xff]/.test(value)))
  if (isAscii) return [asSent]
  return [asSent, asSent.map(([name, values]) => [name, values.map(utf8Of)] as const)]
}

/** A header's bytes, which Node hands over one character each, as UTF-8. */
const utf8Of = (latin1: string): string =>
  new TextDecoder().decode(Uint8Array.from(latin1, (character) => character.charCodeAt(0)))

// ── after the signature was found good ──────────────────────────────────────

/** "HeadersNotSigned": an unsigned one could make the request another, as x-amz-copy-source does. */
function checkUnsigned({ headers, signedHeaders, hoisted }: SigV4Claimed): void {
  const present = [...headers.keys()].filter((name) => name.startsWith('x-amz-'))
  const unsigned = present.find((name) => !signedHeaders.includes(name))
  if (unsigned !== undefined) {
    throw new Refusal(
      'header_not_granted',
      `the header "${unsigned.slice(0, 64)}" was not signed: sign every x-amz-* header that is sent`,
    )
  }
  const twice = present.find((name) => hoisted.has(name))
  if (twice === undefined) return
  throw new Refusal('key_malformed', `"${twice}" is there both as a header and in the query`)
}

/** Requests and URLs made this long ahead of our clock are taken: clocks differ. */
const AHEAD_SECONDS = 900
/** How old a request signed in its header may be. */
const HEADER_LIFE_SECONDS = 900
/** What a block's `nbf` is given anyway. */
const LEEWAY_SECONDS = 60

function grantFor(
  claimed: SigV4Claimed,
  signer: Signer,
  token: KeyText | undefined,
  hashing: Hashing,
): Grant {
  const own = blockOf(claimed)
  const id = idOf(claimed, hashing)
  if (token === undefined) {
    const ids = [claimed.accessKeyId, ...(id === claimed.accessKeyId ? [] : [id])]
    return grantOfForeign(signer, own, { id, ids, issuedAt: claimed.signedAt })
  }
  const grant = verifySessionToken(token, signer, hashing.mac)
  if (grant.blocks.findLast(({ jti }) => jti !== undefined)?.jti !== claimed.accessKeyId) {
    throw invalid()
  }
  return withBlock(grant, own, id)
}

function blockOf({ form, signedAt, expires, responses }: SigV4Claimed): Block {
  const life = form === 'query' ? (expires ?? 0) : HEADER_LIFE_SECONDS
  return {
    nbf: Math.max(0, signedAt - AHEAD_SECONDS + LEEWAY_SECONDS),
    exp: signedAt + life,
    ...(responses.size > 0 && { respond: Object.fromEntries(responses) }),
  }
}

/**
 * A presigned URL is revoked by itself under the start of its signature's hash: the signature is a
 * secret, and ids are logged.
 */
const idOf = ({ form, accessKeyId, signature }: SigV4Claimed, { sha256 }: Hashing): string =>
  form === 'query' ? presignedId(signature, sha256) : accessKeyId

/** The id of a presigned URL, or of a POST policy, by its signature. */
export const presignedId = (signature: string, sha256: Hashing['sha256']): string =>
  sha256(signature).slice(0, 32)

function payloadOf(
  { payloadHash = '', scope, dateTime, signature: seed }: SigV4Claimed,
  signingKey: Uint8Array,
  hashing: Hashing,
): PayloadExpectation {
  if (!isStreaming(payloadHash)) {
    const isHash = /^[0-9a-f]{64}$/.test(payloadHash)
    return isHash ? { kind: 'sha256', sha256: payloadHash } : { kind: 'unsigned' }
  }
  const { signed, trailer } = STREAMING[payloadHash]
  const signing = { dateTime, scope, signingKey, seed }
  const chain = () => chunkChain(signing, hashing)
  return { kind: 'streaming', trailer, ...(signed && { chain }) }
}
