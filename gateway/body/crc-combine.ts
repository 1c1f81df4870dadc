/**
 * The CRC of two texts one after the other, from their CRCs and the length of the second: how the
 * checksum of an object follows from those of its parts. Polynomials over GF(2), bits reflected, as
 * in zlib's `crc32_combine`.
 */

interface Crc {
  readonly width: bigint
  /** reflected, without its highest term */
  readonly polynomial: bigint
}

const CRCS = {
  crc32: { width: 32n, polynomial: 0xedb88320n },
  crc32c: { width: 32n, polynomial: 0x82f63b78n },
  crc64nvme: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, Crc>

export type CombinableCrc = keyof typeof CRCS

export const isCombinable = (name: string): name is CombinableCrc => Object.hasOwn(CRCS, name)

/** a * b modulo the polynomial; the highest bit stands for x^0. */
function multiplied(a: bigint, b: bigint, { width, polynomial }: Crc): bigint {
  let product = 0n
  let factor = b
  for (let bit = 1n << (width - 1n); bit !== 0n; bit >>= 1n) {
    if (a & bit) product ^= factor
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n
  }
  return product
}

/** x^(8 * bytes) modulo the polynomial: what so many bytes behind a text do to its CRC. */
function shiftOf(bytes: number, crc: Crc): bigint {
  let power = 1n << (crc.width - 1n)
  let square = 1n << (crc.width - 2n)
  for (let exponent = 8n * BigInt(bytes); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) power = multiplied(power, square, crc)
    square = multiplied(square, square, crc)
  }
  return power
}

export interface CrcOfPart {
  /** base64, big-endian */
  readonly value: string
  /** in bytes */
  readonly size: number
}

/** The CRC of all parts, one after the other, in base64. */
export function combinedCrc(name: CombinableCrc, parts: readonly CrcOfPart[]): string {
  const crc = CRCS[name]
  const shifts = new Map<number, bigint>()
  let combined = 0n
  for (const { value, size } of parts) {
    const shift = shifts.get(size) ?? shiftOf(size, crc)
    shifts.set(size, shift)
    const next = BigInt(`0x${Buffer.from(value, 'base64').toString('hex')}`)
    combined = multiplied(shift, combined, crc) ^ next
  }
  const hex = combined.toString(16).padStart(Number(crc.width) / 4, '0')
  return Buffer.from(hex, 'hex').toString('base64')
}
