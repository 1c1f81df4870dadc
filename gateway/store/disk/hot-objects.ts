import type { Located } from './schema.ts'

/** In bytes, of contents and checksums. */
const MOST_HELD = 16 * 1024 * 1024

/** What an entry takes beside these, in bytes. */
const OVERHEAD = 512

/** Objects as they were at one version of the index: good until anything in it changes. */
export class HotObjects {
  #objects = new Map<string, Located>()
  #version: unknown
  #held = 0

  /** Forgets everything if the version is another than the last. */
  get(path: string, version: unknown): Located | undefined {
    if (version === this.#version) return this.#objects.get(path)
    this.#version = version
    this.#objects = new Map()
    this.#held = 0
    return undefined
  }

  /** One that `get` did not have; of the version it was asked for, or a newer one. */
  add(path: string, object: Located): void {
    this.#objects.set(path, object)
    this.#held += weightOf(object)
    for (const [oldest, held] of this.#objects) {
      if (this.#held <= MOST_HELD) return
      this.#objects.delete(oldest)
      this.#held -= weightOf(held)
    }
  }
}

function weightOf({ content }: Located): number {
  if (content instanceof Uint8Array) return content.length + OVERHEAD
  return content.reduce((sum, { blob }) => sum + blob.sums.length + OVERHEAD, 0)
}
