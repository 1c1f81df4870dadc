/**
 * S3's checksums of what is uploaded, computed as it streams and compared with what was stated.
 * Source: "Checking object integrity for data uploads in Amazon S3".
 */
import { createHash } from 'node:crypto'
import * as zlib from 'node:zlib'
import type { IHasher } from 'hash-wasm'
import { Refusal } from '../../key/refusal.ts'
import { onDemand } from '../on-demand.ts'

/** CRC32C in the reflected form that hash-wasm takes. */
const CASTAGNOLI = 0x82f63b78
/** CRC64-NVME, reflected. */
const NVME = '9a6c9329ac4bc9b5'

interface Hasher {
  readonly update: (data: Uint8Array) => void
  /** big-endian bytes */
  readonly digest: () => Uint8Array
}

const ofWasm = (hasher: IHasher): Hasher => ({
  update: (data) => void hasher.update(data),
  digest: () => hasher.digest('binary'),
})

/** For the checksums that Node has not, or can't set aside. */
export const wasm = onDemand<typeof import('hash-wasm')>('hash-wasm')

const ofNode = (algorithm: string): Hasher => {
  const hash = createHash(algorithm)
  return { update: (data) => void hash.update(data), digest: () => hash.digest() }
}

/** Node has CRC-32 from 20.15 and 22.2 on, and faster than anything else here. */
function crc32(): Hasher {
  let value = 0
  return {
    update(data) {
      value = zlib.crc32(data, value)
    },
    digest() {
      const out = Buffer.alloc(4)
      out.writeUInt32BE(value)
      return out
    },
  }
}

const ALGORITHMS = {
  crc32: { bytes: 4, make: async () => crc32() },
  crc32c: { bytes: 4, make: async () => ofWasm(await wasm().createCRC32(CASTAGNOLI)) },
  crc64nvme: { bytes: 8, make: async () => ofWasm(await wasm().createCRC64(NVME)) },
  sha1: { bytes: 20, make: async () => ofNode('sha1') },
  sha256: { bytes: 32, make: async () => ofNode('sha256') },
} as const satisfies Record<
  string,
  { readonly bytes: number; readonly make: () => Promise<Hasher> }
>

export type ChecksumAlgorithm = keyof typeof ALGORITHMS
export const CHECKSUM_ALGORITHMS = Object.keys(ALGORITHMS) as readonly ChecksumAlgorithm[]

/** What the header and the trailer of a checksum are called. */
export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm}`

const isAlgorithm = (text: string): text is ChecksumAlgorithm => Object.hasOwn(ALGORITHMS, text)

/** What an upload states of its checksums. */
export interface StatedChecksums {
  /** base64; undefined: comes in the trailer, or is only to be computed */
  readonly values: ReadonlyMap<ChecksumAlgorithm, string | undefined>
}

export interface ChecksumSources {
  /** header fields of the request by lower-case name */
  readonly header: (name: string) => string | undefined
  /** `x-amz-*` parameters of a presigned URL */
  readonly hoisted: ReadonlyMap<string, string>
  /** lower-case names that the trailer will hold */
  readonly trailers: readonly string[]
}

/** Of S3 as well, and none that we compute: one that nobody compares would only seem to protect. */
const UNSUPPORTED = ['md5', 'sha512', 'xxhash3', 'xxhash64', 'xxhash128']

/**
 * The checksums to compute, with the values stated for them so far. Where the client presigned
 * before it had the body, AWS's SDKs state the checksum of nothing: see {@link isPlaceholder}.
 * @throws Refusal request_malformed
 */
export function statedChecksums({ header, hoisted, trailers }: ChecksumSources): StatedChecksums {
  const other = UNSUPPORTED.map((name) => `x-amz-checksum-${name}`).find(
    (name) => hoisted.has(name) || header(name) !== undefined || trailers.includes(name),
  )
  if (other !== undefined) {
    throw new Refusal(
      'request_malformed',
      `${other} is not supported; state one of ${CHECKSUM_ALGORITHMS.join(', ')}`,
    )
  }
  const values = new Map<ChecksumAlgorithm, string | undefined>()
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const name = checksumHeader(algorithm)
    const value = hoisted.get(name) ?? header(name)
    if (value !== undefined) values.set(algorithm, checkedValue(algorithm, value.trim()))
    else if (trailers.includes(name)) values.set(algorithm, undefined)
  }
  const asked =
    header('x-amz-sdk-checksum-algorithm') ?? hoisted.get('x-amz-sdk-checksum-algorithm')
  const algorithm = (asked ?? '').toLowerCase()
  if (isAlgorithm(algorithm) && !values.has(algorithm)) values.set(algorithm, undefined)
  return { values }
}

/** @throws Refusal request_malformed */
function checkedValue(algorithm: ChecksumAlgorithm, text: string): string {
  const value = Buffer.from(text, 'base64')
  const { bytes } = ALGORITHMS[algorithm]
  if (value.length === bytes && value.toString('base64') === text) return text
  throw new Refusal('request_malformed', `the ${algorithm} checksum is ${bytes} bytes in base64`)
}

/** The checksums of nothing, which presigned URLs state where the body was not known yet. */
const OF_NOTHING: Readonly<Record<ChecksumAlgorithm, string>> = {
  crc32: 'AAAAAA==',
  crc32c: 'AAAAAA==',
  crc64nvme: 'AAAAAAAAAAA=',
  sha1: '2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  sha256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
}

/** A checksum in the query of a presigned URL that is that of nothing. */
export const isPlaceholder = (
  algorithm: ChecksumAlgorithm,
  hoisted: ReadonlyMap<string, string>,
): boolean => hoisted.get(checksumHeader(algorithm)) === OF_NOTHING[algorithm]

export type Checksums = Readonly<Partial<Record<ChecksumAlgorithm, string>>>

/** Computes checksums of what passes. */
export class Checksummer {
  readonly #hashers: ReadonlyMap<ChecksumAlgorithm, Hasher>
  readonly #stated: StatedChecksums['values']
  readonly #hoisted: ReadonlyMap<string, string>
  #size = 0

  private constructor(
    hashers: ReadonlyMap<ChecksumAlgorithm, Hasher>,
    stated: StatedChecksums['values'],
    hoisted: ReadonlyMap<string, string>,
  ) {
    this.#hashers = hashers
    this.#stated = stated
    this.#hoisted = hoisted
  }

  /** @param also algorithms to compute without being asked */
  static async start(
    { values }: StatedChecksums,
    hoisted: ReadonlyMap<string, string> = new Map(),
    also: readonly ChecksumAlgorithm[] = [],
  ): Promise<Checksummer> {
    const wanted = [...new Set([...values.keys(), ...also])]
    const hashers = await Promise.all(
      wanted.map(async (name) => [name, await ALGORITHMS[name].make()] as const),
    )
    return new Checksummer(new Map(hashers), values, hoisted)
  }

  update(data: Uint8Array): void {
    this.#size += data.length
    for (const hasher of this.#hashers.values()) hasher.update(data)
  }

  /**
   * What was computed, in base64.
   * @param trailers of the body, by lower-case name
   * @throws Refusal digest_mismatch, request_malformed
   */
  finish(trailers: ReadonlyMap<string, string> = new Map()): Checksums {
    const found: Partial<Record<ChecksumAlgorithm, string>> = {}
    for (const [algorithm, hasher] of this.#hashers) {
      const value = Buffer.from(hasher.digest()).toString('base64')
      const inTrailer = trailers.get(checksumHeader(algorithm))
      for (const stated of [this.#expected(algorithm), inTrailer]) {
        if (stated === undefined || checkedValue(algorithm, stated) === value) continue
        throw new Refusal(
          'digest_mismatch',
          `what arrived does not have the ${algorithm} checksum that was stated; send it again`,
        )
      }
      found[algorithm] = value
    }
    return found
  }

  #expected(algorithm: ChecksumAlgorithm): string | undefined {
    const ignored = this.#size > 0 && isPlaceholder(algorithm, this.#hoisted)
    return ignored ? undefined : this.#stated.get(algorithm)
  }
}
