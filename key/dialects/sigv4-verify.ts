/**
 * Whether a SigV4 signature is ours, and the grant that it then is. Nothing else about a request is
 * said before its signature is good: not whether its access key exists, nor whether it expired.
 */
import type { Block } from '../claims.ts'
import { Refusal } from '../refusal.ts'
import type { Grant } from '../sign.ts'
import {
  canonicalRequest,
  type Hashing,
  reencodedPath,
  sameSignature,
  signature,
  stringToSign,
} from './sigv4.ts'
import { type ChunkChain, chunkChain } from './sigv4-chunks.ts'
import { isStreaming, type SigV4Claimed, STREAMING } from './sigv4-claim.ts'
import {
  invalidSignature,
  type Lookup,
  namedCredential,
  notBefore,
  presignedId,
} from './sigv4-credential.ts'

/** How the gateway may have been addressed, as the client saw it. */
export interface Address {
  /** as in the header Host: `files.example.com`, `127.0.0.1:8080` */
  readonly host: string
  /** what a proxy in front of us has taken off the path, without a slash at its end; or empty */
  readonly prefix: string
}

export interface VerifyOptions {
  readonly lookup: Lookup
  readonly hashing: Hashing
  /** see {@link addressesOf}; tried in this order */
  readonly addresses: readonly Address[]
  readonly service: 's3' | 'sts'
  /** lower-case hex; a request to STS signs the hash of its body, whether it states it or not */
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
  /** headers out of the query that are not there as such: signed, and to be honoured as if they were */
  readonly hoisted: ReadonlyMap<string, string>
}

/**
 * Order of the refusals: the form (already read), the signature, then all else. Whether the time is
 * right, the access key revoked, or the method allowed is asked of the grant afterwards, as of any.
 * @throws Refusal signature_invalid; then key_malformed, header_not_granted
 */
export function verifySigV4(claimed: SigV4Claimed, options: VerifyOptions): SigV4Verified {
  const { hashing } = options
  const credential = namedCredential(claimed, options.lookup, hashing)
  const { signingKey } = credential
  const address = addressSigned(claimed, signingKey, options)
  const isOurs = credential.isKnown && claimed.scope.service === options.service
  if (address === undefined || !isOurs) throw invalidSignature()
  const grant = credential.grant(blockOf(claimed), idOf(claimed, hashing))
  checkUnsigned(claimed)
  return {
    grant,
    payload: payloadOf(claimed, signingKey, hashing),
    host: address.host,
    hoisted: new Map([...claimed.hoisted].filter(([name]) => !claimed.headers.has(name))),
  }
}

/** More ways to have been addressed than this are not tried. */
const MAX_TRIES = 64

/** The first address for which the signature is good. */
function addressSigned(
  claimed: SigV4Claimed,
  signingKey: Uint8Array,
  { hashing, addresses, service, bodySha256 }: VerifyOptions,
): Address | undefined {
  const payloadHash = service === 'sts' ? bodySha256 : claimed.payloadHash
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

/**
 * None where a signed header is missing. One that is signed in the query as well need not be sent: it
 * can be only what stands there. Text beyond ASCII is read as Latin-1, then as UTF-8.
 */
function headersOf(
  { headers, signedHeaders, hoisted }: SigV4Claimed,
  host: string,
): readonly SignedFields[] {
  const fields = new Map<string, readonly string[]>([
    ...[...hoisted].map(([name, text]) => [name, [latin1Of(text)]] as const),
    ...headers,
    ['host', [host]],
  ])
  if (signedHeaders.some((name) => !fields.has(name))) return []
  const asSent = signedHeaders.map((name) => [name, fields.get(name) ?? []] as const)
  const isAscii = asSent.every(([, values]) => values.every((value) => !/[\x80-\xff]/.test(value)))
  if (isAscii) return [asSent]
  return [asSent, asSent.map(([name, values]) => [name, values.map(utf8Of)] as const)]
}

/** A header's bytes, which Node hands over one character each, as UTF-8. */
const utf8Of = (latin1: string): string =>
  new TextDecoder().decode(Uint8Array.from(latin1, (character) => character.charCodeAt(0)))

/** The other way round. */
const latin1Of = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('')

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
  const twice = [...hoisted].find(([name, text]) => {
    const values = headers.get(name)
    return values !== undefined && (values.length > 1 || values[0]?.trim() !== latin1Of(text))
  })
  if (twice === undefined) return
  throw new Refusal(
    'key_malformed',
    `"${twice[0]}" is there as a header and in the query, which say different things of it`,
  )
}

/** How old a request signed in its header may be. */
const HEADER_LIFE_SECONDS = 900

function blockOf({ form, signedAt, expires, responses }: SigV4Claimed): Block {
  const life = form === 'query' ? (expires ?? 0) : HEADER_LIFE_SECONDS
  return {
    nbf: notBefore(signedAt),
    exp: signedAt + life,
    ...(responses.size > 0 && { respond: Object.fromEntries(responses) }),
  }
}

const idOf = ({ form, accessKeyId, signature }: SigV4Claimed, hashing: Hashing): string =>
  form === 'query' ? presignedId(signature, hashing) : accessKeyId

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
