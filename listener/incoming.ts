/**
 * A request whose body may come in single bytes. Of 64 KiB that are read, a client can make eleven
 * thousand chunks; each would be handed on by itself, and 32 times as much is read before anybody
 * else has a turn. And where a body waits to be read, Node looks at its bytes alone, so that 16 KiB
 * of it would take 9 MiB.
 */
import { IncomingMessage } from 'node:http'
import { Chunks, SMALL_BYTES } from './chunks.ts'

/** When so many small chunks came in a turn of the event loop, nothing more is read before the next. */
const MOST_IN_TURN = 1024

export class Incoming extends IncomingMessage {
  #hasBegun = false
  #held: Chunks | undefined
  #heldCount = 0

  /**
   * Hands a chunk on, a small one at the end of the turn with all that came after it. The first is
   * not held: most bodies that are small have no other.
   * @returns false to have no more read until what is there was handed on
   */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk !== null && chunk.length < SMALL_BYTES && this.#hasBegun) return this.#hold(chunk)
    this.#hasBegun = true
    this.#handOn()
    return super.push(chunk, encoding)
  }

  override destroy(error?: Error): this {
    // what has arrived has arrived: an upload that can be resumed goes on after it
    this.#handOn()
    return super.destroy(error)
  }

  #hold(chunk: Buffer): boolean {
    if (this.#held === undefined) {
      this.#held = new Chunks()
      setImmediate(() => this.#handOn())
    }
    this.#held.add(chunk)
    this.#heldCount += 1
    return this.#heldCount < MOST_IN_TURN && this.readableLength < this.readableHighWaterMark
  }

  #handOn(): void {
    if (this.#held === undefined) return
    const chunks = this.#held.take()
    this.#held = undefined
    this.#heldCount = 0
    if (this.destroyed) return
    for (const chunk of chunks) super.push(chunk)
  }
}
