import type { ObjectInfo, OpenObject } from './store.ts'

/** An object whose bytes are in memory. */
export class ContentObject implements OpenObject {
  readonly info: ObjectInfo
  readonly #content: Uint8Array

  constructor(info: ObjectInfo, content: Uint8Array) {
    this.info = info
    this.#content = content
  }

  near(position: number): Uint8Array {
    return position === 0 ? this.#content : this.#content.subarray(position)
  }

  read(into: Uint8Array, position: number): number {
    const part = this.near(position).subarray(0, into.length)
    into.set(part)
    return part.length
  }

  /** Nothing is held but memory. */
  close(): void {}
}
