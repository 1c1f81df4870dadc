import { BLOCK } from './checksum.ts'

/** Blocks that were written, for the next bytes: enough for a burst, more would only hold memory. */
const spare: Uint8Array[] = []
const MOST_SPARE = 32

/** What was taken out, in order. */
export interface Taken {
  readonly chunks: readonly Uint8Array[]
  /** To be called once nobody reads them any more: they are filled with other bytes then. */
  giveBack(): void
}

/**
 * Bytes on their way to the disk, copied into blocks that are used again and again. So the memory that
 * a chunk came in is free while it is young; kept until a block is full, V8 would count it among what
 * stays, and have to mark the whole heap to find out that it does not. And an upload in single bytes
 * takes no more memory than one in large chunks.
 */
export class Gatherer {
  /** all of them full but the last */
  #blocks: Uint8Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The chunk is the caller's again when this returns. */
  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const filled = this.#size % BLOCK
      const part = chunk.subarray(at, at + BLOCK - filled)
      this.#blockFor(filled).set(part, filled)
      at += part.length
      this.#size += part.length
    }
  }

  /** All that is gathered; it stays. */
  get chunks(): readonly Uint8Array[] {
    return this.#first(this.#size)
  }

  /**
   * Takes the first bytes out.
   * @param size a whole number of blocks, or all there is
   */
  take(size: number): Taken {
    const chunks = this.#first(size)
    const blocks = this.#blocks.splice(0, chunks.length)
    this.#size -= size
    return {
      chunks,
      giveBack: () => spare.push(...blocks.slice(0, MOST_SPARE - spare.length)),
    }
  }

  /** All of it, in memory of its own. */
  takeWhole(): Uint8Array {
    const whole = new Uint8Array(this.#size)
    let at = 0
    const { chunks, giveBack } = this.take(this.#size)
    for (const chunk of chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    giveBack()
    return whole
  }

  /** Somebody may still read what was gathered: the blocks are nobody's from now on. */
  clear(): void {
    this.#blocks = []
    this.#size = 0
  }

  #blockFor(filled: number): Uint8Array {
    const last = this.#blocks.at(-1)
    if (filled > 0 && last !== undefined) return last
    const fresh = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK)
    this.#blocks.push(fresh)
    return fresh
  }

  #first(size: number): readonly Uint8Array[] {
    const whole = Math.floor(size / BLOCK)
    const rest = size % BLOCK
    const last = this.#blocks[whole]?.subarray(0, rest)
    return [...this.#blocks.slice(0, whole), ...(rest > 0 && last !== undefined ? [last] : [])]
  }
}
