import { createRequire } from 'node:module'

/**
 * Required, as its own loader is: for an import Node searches that loader for exports first, and what
 * it compiles for that stays, 2 MiB in each of the two threads that come here.
 */
const { Xxh64, xxh64 } = createRequire(import.meta.url)(
  '@node-rs/xxhash',
) as typeof import('@node-rs/xxhash')

/** A blob is checked block by block, so that a range costs no more than the blocks it touches. */
export const BLOCK = 256 * 1024

/** Bytes of one checksum. */
export const SUM = 8

/**
 * xxh64, big-endian: finds rotten bits at memory speed. It is no defence against forgery, nor meant
 * as one.
 */
export function checksum(parts: readonly Uint8Array[]): Uint8Array {
  const sum = Buffer.allocUnsafe(SUM)
  sum.writeBigUInt64BE(sumOf(parts))
  return sum
}

/** Whether those bytes have that checksum. */
export const hasChecksum = (bytes: Uint8Array, sum: Uint8Array): boolean =>
  sum.length === SUM && Buffer.compare(checksum([bytes]), sum) === 0

function sumOf(parts: readonly Uint8Array[]): bigint {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return xxh64(only)
  const hasher = new Xxh64()
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

export const blockCount = (size: number): number => Math.ceil(size / BLOCK)

/** The batch cut into blocks, each a list of parts; nothing is copied. */
export function* blocksOf(batch: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let block: Uint8Array[] = []
  let room = BLOCK
  for (const chunk of batch) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + room)
      block.push(part)
      at += part.length
      room -= part.length
      if (room > 0) continue
      yield block
      block = []
      room = BLOCK
    }
  }
  if (block.length > 0) yield block
}
