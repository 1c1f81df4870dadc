/** Open files of blobs, kept for the next reader. Blobs never change, so neither do their bytes. */
import { codeOf, type FileDescriptor, type Files } from '../files/files.ts'
import type { Layout } from './layout.ts'

/** How many are kept open though nobody reads them. */
const MOST_IDLE = 256

/** In bytes, of all spans that are in memory. */
const MOST_NEAR = 32 * 1024 * 1024

/** Readers look at `name`, `file`, `warm` and `near`; the rest is the cache's own. */
export interface OpenBlob {
  readonly name: string
  readonly file: FileDescriptor
  /** blocks read since it was opened, one bit each: the kernel has these in memory */
  warm: number
  /** spans that were read more than once since then, verified, by their numbers: not to be changed */
  readonly near: Map<number, Uint8Array>
  readers: number
  /** the round in which its last reader left */
  idleSince: number
  /** its file is being unlinked: to be closed with the last reader */
  isGone: boolean
}

export class Descriptors {
  readonly #files: Files
  readonly #layout: Layout
  readonly #open = new Map<string, OpenBlob>()
  /** those without a reader, longest idle first */
  readonly #idle = new Set<OpenBlob>()
  readonly #closing = new Set<Promise<void>>()
  #near = 0
  #round = 0
  #isClosed = false

  constructor(files: Files, layout: Layout) {
    this.#files = files
    this.#layout = layout
  }

  /**
   * To be released as often as it was acquired.
   * @throws the error of `open`, ENOENT where the file is gone
   */
  acquire(name: string): OpenBlob {
    const entry = this.#open.get(name) ?? this.#opened(name)
    entry.readers += 1
    this.#idle.delete(entry)
    return entry
  }

  /** The path of a blob: absolute. */
  fileOf(name: string): string {
    return this.#layout.blob(name)
  }

  /** For one more reader, who has it from another. */
  retain(entry: OpenBlob): void {
    entry.readers += 1
  }

  /**
   * Keeps a copy of a span for whoever reads it next, for as long as the file is open. Where there is
   * no room left it isn't: what nobody reads any more makes room by itself.
   */
  bringNear(entry: OpenBlob, span: number, bytes: Uint8Array): void {
    const isKept = this.#open.get(entry.name) === entry
    if (!isKept || entry.near.has(span) || this.#near + bytes.length > MOST_NEAR) return
    const copy = Buffer.allocUnsafeSlow(bytes.length)
    copy.set(bytes)
    entry.near.set(span, copy)
    this.#near += copy.length
  }

  release(entry: OpenBlob): void {
    entry.readers -= 1
    if (entry.readers > 0) return
    if (entry.isGone || this.#isClosed) {
      this.#close(entry)
      return
    }
    entry.idleSince = this.#round
    this.#idle.add(entry)
    if (this.#idle.size > MOST_IDLE) this.#closeLongestIdle()
  }

  /** The file is being unlinked: nobody will ask for it again, and its space is wanted back. */
  drop(name: string): void {
    const entry = this.#open.get(name)
    if (entry === undefined) return
    this.#open.delete(name)
    entry.isGone = true
    if (this.#idle.delete(entry)) this.#close(entry)
  }

  /**
   * Closes what nobody has read since the last call: another process may have unlinked it, and its
   * space comes back only when all have closed it.
   */
  closeIdle(): void {
    for (const entry of this.#idle) if (entry.idleSince < this.#round) this.#evict(entry)
    this.#round += 1
  }

  /** What is being read is closed with its last reader. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const entry of this.#idle) this.#evict(entry)
    await Promise.all(this.#closing)
  }

  #opened(name: string): OpenBlob {
    const file = this.#openNow(name)
    const near = new Map<number, Uint8Array>()
    const entry = { name, file, warm: 0, near, readers: 0, idleSince: this.#round, isGone: false }
    this.#open.set(name, entry)
    return entry
  }

  /** Where there are no more to be had, those that nobody reads are given back, for the next attempt. */
  #openNow(name: string): FileDescriptor {
    try {
      return this.#files.open(this.#layout.blob(name))
    } catch (error) {
      if (/^E[MN]FILE$/.test(codeOf(error))) for (const entry of this.#idle) this.#evict(entry)
      throw error
    }
  }

  #closeLongestIdle(): void {
    for (const entry of this.#idle) {
      this.#evict(entry)
      return
    }
  }

  #evict(entry: OpenBlob): void {
    this.#idle.delete(entry)
    this.#open.delete(entry.name)
    this.#close(entry)
  }

  /** Not at once: closing the last descriptor of a large unlinked file takes a while. */
  #close(entry: OpenBlob): void {
    for (const bytes of entry.near.values()) this.#near -= bytes.length
    entry.near.clear()
    const closing = this.#files.close(entry.file).then(
      () => {},
      // nothing was written through it, so nothing can be lost
      () => {},
    )
    this.#closing.add(closing)
    closing.finally(() => this.#closing.delete(closing))
  }
}

/** What one reader has open of the cache. */
export class OpenBlobs {
  readonly #descriptors: Descriptors
  readonly #most: number
  readonly #open = new Map<string, OpenBlob>()

  /** @param most the earliest opened are released beyond that */
  constructor(descriptors: Descriptors, most = Number.POSITIVE_INFINITY) {
    this.#descriptors = descriptors
    this.#most = most
  }

  /**
   * All, or none of them.
   * @throws the error of `open`, ENOENT where a file is gone
   */
  acquireAll(names: readonly string[]): void {
    try {
      for (const name of names) this.get(name)
    } catch (error) {
      this.releaseAll()
      throw error
    }
  }

  /**
   * Good until the next is asked for, or retained.
   * @throws the error of `open`, ENOENT where the file is gone
   */
  get(name: string): OpenBlob {
    const known = this.#open.get(name)
    if (known !== undefined) return known
    const opened = this.#descriptors.acquire(name)
    this.#open.set(name, opened)
    if (this.#open.size > this.#most) this.#releaseEarliest()
    return opened
  }

  /** As `get`, where it is open. */
  peek(name: string): OpenBlob | undefined {
    return this.#open.get(name)
  }

  releaseAll(): void {
    for (const opened of this.#open.values()) this.#descriptors.release(opened)
    this.#open.clear()
  }

  #releaseEarliest(): void {
    for (const [name, opened] of this.#open) {
      this.#open.delete(name)
      this.#descriptors.release(opened)
      return
    }
  }
}
