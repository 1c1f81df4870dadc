/**
 * What a body has brought and nobody has taken yet. To Node every chunk is an object with memory of
 * its own, 430 bytes beside what is in it, and a client may send a body in chunks of one byte.
 */

/** From here on a chunk is kept as it came; what is smaller is copied together with what follows. */
export const SMALL_BYTES = 4096
/** Each block is twice the one before, so that little takes little, up to as much as is worth it. */
const FIRST_BLOCK_BYTES = 512
const LAST_BLOCK_BYTES = 16 * 1024

export class Chunks {
  #chunks: Uint8Array[] = []
  #size = 0
  #block: Buffer | undefined
  /** what of the block is filled and among no chunks yet */
  #from = 0
  #to = 0
  #nextBlock = FIRST_BLOCK_BYTES

  /** in bytes */
  get size(): number {
    return this.#size
  }

  add(chunk: Uint8Array): void {
    // nobody copies what comes alone
    const isKept = chunk.length >= SMALL_BYTES || this.#size === 0
    this.#size += chunk.length
    if (isKept) {
      this.#endPiece()
      this.#chunks.push(chunk)
      return
    }
    const block = this.#roomFor(chunk.length)
    block.set(chunk, this.#to)
    this.#to += chunk.length
  }

  /** All there is, in order; none of it stays. */
  take(): readonly Uint8Array[] {
    this.#endPiece()
    const chunks = this.#chunks
    this.#chunks = []
    this.#size = 0
    return chunks
  }

  #endPiece(): void {
    if (this.#block === undefined || this.#from === this.#to) return
    this.#chunks.push(this.#block.subarray(this.#from, this.#to))
    this.#from = this.#to
  }

  #roomFor(length: number): Buffer {
    if (this.#block !== undefined && this.#to + length <= this.#block.length) return this.#block
    this.#endPiece()
    const block = Buffer.allocUnsafeSlow(Math.max(this.#nextBlock, length))
    this.#nextBlock = Math.min(2 * this.#nextBlock, LAST_BLOCK_BYTES)
    this.#block = block
    this.#from = 0
    this.#to = 0
    return block
  }
}
