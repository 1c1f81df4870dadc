/** Chunks up to this size are joined as they come. */
const SMALL = 16 * 1024

/**
 * Bytes on their way to the disk. Large chunks are kept as they are; small ones are joined, so that
 * an upload in single bytes takes no more memory than one in large chunks. Joined only with a
 * neighbour of similar size: a byte is copied a few times, not once for every chunk after it.
 */
export class Gatherer {
  #chunks: Uint8Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.length
    let last = chunk
    for (;;) {
      const before = this.#chunks.at(-1)
      if (before === undefined || before.length > 2 * last.length) break
      if (before.length + last.length > SMALL) break
      this.#chunks.pop()
      last = Buffer.concat([before, last])
    }
    if (last.length > 0) this.#chunks.push(last)
  }

  /** All that is gathered; it stays. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks
  }

  /** Takes the first bytes out. */
  take(size: number): readonly Uint8Array[] {
    const taken: Uint8Array[] = []
    let left = Math.min(size, this.#size)
    this.#size -= left
    while (left > 0) {
      const [chunk] = this.#chunks
      if (chunk === undefined) break
      if (chunk.length > left) this.#chunks[0] = chunk.subarray(left)
      else this.#chunks.shift()
      taken.push(chunk.subarray(0, left))
      left -= Math.min(left, chunk.length)
    }
    return taken
  }

  /** All of it, in memory of its own: a view on a pool would take the pool along to the writer. */
  takeWhole(): Uint8Array {
    const whole = new Uint8Array(this.#size)
    let at = 0
    for (const chunk of this.take(this.#size)) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }

  clear(): void {
    this.#chunks = []
    this.#size = 0
  }
}
