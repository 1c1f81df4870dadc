/** The SHA-256 of content that comes in several requests, perhaps to several processes. */
import type { IHasher } from 'hash-wasm'
import { wasm } from './checksums.ts'
import type { ContentDigest } from './receive.ts'

/** node:crypto hashes four times as fast, but can not put what it has hashed so far into words. */
export class ResumableDigest implements ContentDigest {
  readonly #hasher: IHasher

  private constructor(hasher: IHasher) {
    this.#hasher = hasher
  }

  /**
   * @param state what {@link state} gave; absent at the beginning
   * @throws Error for a state of another version of the library
   */
  static async start(state?: string): Promise<ResumableDigest> {
    const hasher = await wasm().createSHA256()
    hasher.init()
    if (state !== undefined) hasher.load(Buffer.from(state, 'base64url'))
    return new ResumableDigest(hasher)
  }

  /** Whether a state is one that this version of the library has written. */
  static async reads(state: string): Promise<boolean> {
    try {
      await ResumableDigest.start(state)
      return true
    } catch {
      return false
    }
  }

  update(chunk: Uint8Array): void {
    this.#hasher.update(chunk)
  }

  /** What was hashed so far, as text. */
  get state(): string {
    return Buffer.from(this.#hasher.save()).toString('base64url')
  }

  finish(): string {
    return this.#hasher.digest('hex')
  }
}
