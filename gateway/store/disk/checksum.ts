import { createXXHash64 } from 'hash-wasm'

/** A blob is checked block by block, so that a range costs no more than the blocks it touches. */
export const BLOCK = 256 * 1024

/** Bytes of one checksum. */
export const SUM = 8

/** xxh64: finds rotten bits at memory speed. It is no defence against forgery, nor meant as one. */
export type Checksum = (parts: readonly Uint8Array[]) => Uint8Array

/** One hasher for everybody: each use begins and ends within one call. */
export async function createChecksum(): Promise<Checksum> {
  const hasher = await createXXHash64()
  return (parts) => {
    hasher.init()
    for (const part of parts) hasher.update(part)
    return hasher.digest('binary')
  }
}

export const blockCount = (size: number): number => Math.ceil(size / BLOCK)
