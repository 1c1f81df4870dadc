/** AWS's published vectors, and what verifies them. */
import { readFileSync } from 'node:fs'
import { nodeHashing } from '../../key/dialects/node-sigv4.ts'
import { dateKeyOf, type Scope, type SigV4Signer } from '../../key/dialects/sigv4.ts'
import { addressesOf } from '../../key/dialects/sigv4-address.ts'
import { claimSigV4, type SigV4Request } from '../../key/dialects/sigv4-claim.ts'
import {
  type SigV4Verified,
  type VerifyOptions,
  verifySigV4,
} from '../../key/dialects/sigv4-verify.ts'
import type { Signer } from '../../key/signer.ts'

export interface RequestVector {
  readonly name: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly canonicalRequest: string
  readonly stringToSign: string
  readonly signature: string
}

interface Link {
  readonly sha256: string
  readonly stringToSign: string
  readonly signature: string
}

export interface BodyVector {
  readonly name: string
  readonly seed: string
  readonly dateTime: string
  readonly scope: Scope
  readonly chunks: readonly (Link & { readonly size: number })[]
  readonly trailer?: Link & { readonly text: string }
}

export interface SigV4Vectors {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly requests: readonly RequestVector[]
  readonly bodies: readonly BodyVector[]
  readonly post: {
    readonly policy: string
    readonly json: string
    readonly signature: string
    readonly fields: readonly (readonly [name: string, value: string])[]
  }
}

export const vectors = JSON.parse(
  readFileSync(new URL('../vectors/sigv4.json', import.meta.url), 'utf8'),
) as SigV4Vectors

export const vectorKey = dateKeyOf(vectors.secretAccessKey, nodeHashing.mac)

/** The vectors' access key, whose secret is not one of ours. */
export const vectorSigner = (over: Partial<Signer> = {}): SigV4Signer => ({
  signer: {
    kid: vectors.accessKeyId,
    status: 'active',
    begin: () => new Uint8Array(32),
    ...over,
  },
  dateKey: vectorKey,
  sessionDateKey: () => vectorKey,
})

export const lookupVector = (kid: string): SigV4Signer | undefined =>
  kid === vectors.accessKeyId ? vectorSigner() : undefined

export const requestOf = ({ method, target, headers }: RequestVector): SigV4Request => ({
  method,
  target,
  rawHeaders: headers.flat(),
})

/** Verifies as the gateway does where no public URL is configured. */
export function verified(
  request: SigV4Request,
  over: Partial<VerifyOptions> = {},
): SigV4Verified | undefined {
  const claimed = claimSigV4(request)
  const host = claimed?.headers.get('host')?.[0]
  return (
    claimed &&
    verifySigV4(claimed, {
      lookup: lookupVector,
      hashing: nodeHashing,
      addresses: addressesOf({ publicUrls: [], host }),
      service: 's3',
      ...over,
    })
  )
}
