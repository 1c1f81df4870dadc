/**
 * Bodies signed as they stream: each chunk's signature continues the one before it, beginning with
 * that of the request (the seed). Source: "Signature Calculations for the Authorization Header:
 * Transferring Payload in Multiple Chunks", Amazon S3 API Reference.
 */
import { EMPTY_SHA256, type Hashing, type Scope, scopeText, signature } from './sigv4.ts'

/** What all signatures of one body have in common. */
export interface ChunkSigning {
  readonly dateTime: string
  readonly scope: Scope
  readonly signingKey: Uint8Array
  /** the signature of the request, which was found good */
  readonly seed: string
}

/** The signatures that are expected, one after the other. */
export interface ChunkChain {
  /** @param sha256 lower-case hex, of the chunk's data */
  readonly chunk: (sha256: string) => string
  /** @param sha256 lower-case hex, of the trailing header lines, each `name:value\n` */
  readonly trailer: (sha256: string) => string
}

/** Starts a chain; one for each reading of a body. */
export function chunkChain(signing: ChunkSigning, { mac }: Pick<Hashing, 'mac'>): ChunkChain {
  let previous = signing.seed
  const next = (toSign: string): string => {
    previous = signature(signing.signingKey, toSign, mac)
    return previous
  }
  return {
    chunk: (sha256) => next(chunkStringToSign(signing, previous, sha256)),
    trailer: (sha256) => next(trailerStringToSign(signing, previous, sha256)),
  }
}

export const chunkStringToSign = (
  { dateTime, scope }: Pick<ChunkSigning, 'dateTime' | 'scope'>,
  previous: string,
  sha256: string,
): string =>
  ['AWS4-HMAC-SHA256-PAYLOAD', dateTime, scopeText(scope), previous, EMPTY_SHA256, sha256].join(
    '\n',
  )

export const trailerStringToSign = (
  { dateTime, scope }: Pick<ChunkSigning, 'dateTime' | 'scope'>,
  previous: string,
  sha256: string,
): string => ['AWS4-HMAC-SHA256-TRAILER', dateTime, scopeText(scope), previous, sha256].join('\n')
