/** Digests that a client states of what it uploads, and that must hold of what arrived. */
import { createHash, type Hash } from 'node:crypto'
import { Refusal } from '../../key/refusal.ts'
import type { Headers } from '../request.ts'

/** RFC 9530 algorithms that we compute, with what node:crypto calls them. RFC 1864 is MD5. */
const ALGORITHMS = { 'sha-256': 'sha256', 'sha-512': 'sha512', md5: 'md5' } as const
type Algorithm = keyof typeof ALGORITHMS

const DIGEST_BYTES = { 'sha-256': 32, 'sha-512': 64, md5: 16 } as const satisfies Record<
  Algorithm,
  number
>

interface StatedDigest {
  readonly algorithm: Algorithm
  readonly header: string
  readonly value: Buffer
}

/**
 * Content-MD5 (RFC 1864), Content-Digest and Repr-Digest (RFC 9530). Without a content coding the
 * last two are of the same bytes. Algorithms that we don't know are ignored, as RFC 9530 §2 allows.
 * @throws Refusal request_malformed for a header that can't be read
 */
export function statedDigests(headers: Headers): readonly StatedDigest[] {
  const md5 = headers.get('content-md5')
  return [
    ...(md5 === undefined ? [] : [stated('Content-MD5', 'md5', md5.trim())]),
    ...['Content-Digest', 'Repr-Digest'].flatMap((header) =>
      dictionaryOf(header, headers.get(header.toLowerCase())),
    ),
  ]
}

/** The ETag of content, unless a protocol has its own: a strong validator made of the bytes alone. */
export const etagOf = (sha256: string): string => `"${sha256}"`

/** Hashes what passes; SHA-256 always, the rest where a client stated it. */
export class Digester {
  readonly #hashes: ReadonlyMap<Algorithm, Hash>
  readonly #stated: readonly StatedDigest[]

  constructor(digests: readonly StatedDigest[]) {
    this.#stated = digests
    const wanted = new Set<Algorithm>(['sha-256', ...digests.map(({ algorithm }) => algorithm)])
    this.#hashes = new Map(
      [...wanted].map((algorithm) => [algorithm, createHash(ALGORITHMS[algorithm])]),
    )
  }

  update(chunk: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(chunk)
  }

  /**
   * The SHA-256 as lower-case hex.
   * @throws Refusal digest_mismatch when a stated digest is another
   */
  finish(): string {
    const found = new Map([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest()]))
    const wrong = this.#stated.find(({ algorithm, value }) => !found.get(algorithm)?.equals(value))
    if (wrong !== undefined) {
      throw new Refusal(
        'digest_mismatch',
        `what arrived does not have the ${wrong.algorithm} digest that ${wrong.header} states; send it again`,
      )
    }
    return found.get('sha-256')?.toString('hex') ?? ''
  }
}

/** A dictionary of byte sequences, RFC 8941 §3.2 and §3.3.5: `sha-256=:…:, sha-512=:…:`. */
function dictionaryOf(header: string, text: string | undefined): readonly StatedDigest[] {
  if (text === undefined) return []
  return text.split(',').flatMap((member) => {
    const match = /^[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):[ \t]*$/.exec(member)
    if (match?.[1] === undefined || match[2] === undefined) {
      throw new Refusal('request_malformed', `${header} is a list such as sha-256=:BASE64:`)
    }
    return isKnown(match[1]) ? [stated(header, match[1], match[2])] : []
  })
}

const isKnown = (name: string): name is Algorithm => Object.hasOwn(ALGORITHMS, name)

function stated(header: string, algorithm: Algorithm, base64: string): StatedDigest {
  const value = Buffer.from(base64, 'base64')
  const size = DIGEST_BYTES[algorithm]
  if (value.length !== size || value.toString('base64') !== base64) {
    throw new Refusal(
      'request_malformed',
      `${header} states a ${algorithm} digest: ${size} bytes in base64`,
    )
  }
  return { algorithm, header, value }
}
