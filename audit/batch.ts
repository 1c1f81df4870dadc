/** Lines that are gathered, in a buffer that is used again: what a record costs is its copy into it. */
import type { KeyObject } from 'node:crypto'
import { beginMac, openingOf } from './seal.ts'

const FIRST_SIZE = 64 * 1024
/** A larger one, of a burst, is given up afterwards. */
const MOST_KEPT = 1 << 20
/** For the line of the seal. */
const SEAL_ROOM = 128

export class Batch {
  /** in bytes, without a seal */
  length = 0
  /** lines */
  count = 0
  /** when the first of them was added, in milliseconds since 1970; infinite where there is none */
  since = Number.POSITIVE_INFINITY
  #buffer = Buffer.allocUnsafeSlow(FIRST_SIZE)

  /**
   * @param line ASCII, ended
   * @param now milliseconds since 1970
   */
  add(line: string, now: number): void {
    this.#makeRoom(line.length)
    this.since = Math.min(this.since, now)
    this.length += this.#buffer.write(line, this.length, 'latin1')
    this.count += 1
  }

  /** Puts the lines of another one in front. */
  prepend(before: Batch): void {
    this.#makeRoom(before.length)
    this.#buffer.copy(this.#buffer, before.length, 0, this.length)
    before.#buffer.copy(this.#buffer, 0, 0, before.length)
    this.length += before.length
    this.count += before.count
    this.since = Math.min(this.since, before.since)
  }

  /**
   * The lines and their seal, valid until the batch is changed.
   * @param before the seal before; empty where there is none
   */
  sealed(
    key: KeyObject,
    before: string,
    seq: number,
  ): { readonly bytes: Uint8Array; readonly seal: string } {
    const end = this.length + this.#write(openingOf({ seq, count: this.count }), this.length)
    const seal = beginMac(key, before).update(this.#buffer.subarray(0, end)).digest('base64url')
    return { bytes: this.#buffer.subarray(0, end + this.#write(`${seal}"}\n`, end)), seal }
  }

  clear(): void {
    this.length = 0
    this.count = 0
    this.since = Number.POSITIVE_INFINITY
    if (this.#buffer.length > MOST_KEPT) this.#buffer = Buffer.allocUnsafeSlow(FIRST_SIZE)
  }

  #write(text: string, at: number): number {
    return this.#buffer.write(text, at, 'latin1')
  }

  #makeRoom(more: number): void {
    const needed = this.length + more + SEAL_ROOM
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.length)
    this.#buffer = larger
  }
}
