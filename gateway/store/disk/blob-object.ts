import type { Awaitable } from '../../../ledger/ledger.ts'
import { andThen } from '../../awaitable.ts'
import { BLOCK, blockCount, hasChecksum, SUM } from '../files/checksum.ts'
import { codeOf, type Files } from '../files/files.ts'
import { asRefusal } from '../files/health.ts'
import { Damaged, type ObjectInfo, type OpenObject } from '../store.ts'
import { type Descriptors, type OpenBlob, OpenBlobs } from './descriptors.ts'
import type { Blob, Piece } from './schema.ts'

/** What readers of one process share. */
export interface Reading {
  readonly files: Files
  readonly descriptors: Descriptors
}

/** A piece, and where in the object it begins. */
interface Part extends Piece {
  readonly offset: number
}

/** What keeps the files of an object in their places, until it is released. */
export interface Keep {
  release(): void
}

/** One verified block, for readers that begin or end within it. */
interface Verified {
  readonly blob: Blob
  readonly block: number
  readonly bytes: Uint8Array
}

/** As many blocks as a number has bits are remembered to be warm. */
const MOST_WARM = 32

/** What is kept in memory at once: as much as is sent in one write. */
const SPAN = 2 * BLOCK

/** Blocks for readers that begin or end within one, kept for the next such reader. */
const spare: Uint8Array[] = []
const MOST_SPARE = 16

/** How many files a reader has open at a time where something else keeps them. */
const MOST_OPEN = 4

/**
 * An object whose content is in blobs. All of them are open from the start, so that it can be read
 * to its end whoever unlinks them; or something else keeps them, and each is opened when it is read.
 * Bytes are handed out in verified blocks only: whole blocks are read to where they are wanted,
 * others are read aside and copied.
 */
export class BlobObject implements OpenObject {
  readonly info: ObjectInfo
  readonly #reading: Reading
  readonly #parts: readonly Part[]
  readonly #blobs: OpenBlobs
  readonly #keep: Keep | undefined
  #aside: Verified | undefined
  #isClosed = false

  /**
   * @param keep released when this is closed; absent: nothing keeps the files, all are opened now
   * @throws the error of `open`, ENOENT where a file is gone
   */
  constructor(reading: Reading, info: ObjectInfo, pieces: readonly Piece[], keep?: Keep) {
    this.info = info
    this.#reading = reading
    this.#parts = partsOf(pieces)
    this.#keep = keep
    this.#blobs = new OpenBlobs(reading.descriptors, keep === undefined ? undefined : MOST_OPEN)
    if (keep === undefined) this.#blobs.acquireAll(pieces.map(({ blob }) => blob.name))
  }

  get file(): string | undefined {
    const [only, more] = this.#parts
    if (only === undefined || more !== undefined || only.length !== only.blob.size) return undefined
    return this.#reading.descriptors.fileOf(only.blob.name)
  }

  near(position: number): Uint8Array | undefined {
    const { blob, offset, start, length } = this.#partAt(position)
    const at = start + position - offset
    const bytes = this.#blobs.peek(blob.name)?.near.get(Math.floor(at / SPAN))
    const from = at % SPAN
    return bytes?.subarray(from, from + offset + length - position)
  }

  read(into: Uint8Array, position: number): Awaitable<number> {
    const length = Math.max(0, Math.min(into.length, this.info.size - position))
    return this.#fill(into.subarray(0, length), position, 0)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#blobs.releaseAll()
    this.#keep?.release()
    this.#setAside(undefined)
  }

  /** Stays synchronous for as long as its steps do. */
  #fill(into: Uint8Array, position: number, filled: number): Awaitable<number> {
    let done = filled
    while (done < into.length) {
      const step = this.#step(into.subarray(done), position + done)
      if (typeof step !== 'number') {
        return step.then((count) => this.#fill(into, position, done + count))
      }
      done += step
    }
    return done
  }

  /** Reads as many whole blocks as one part has, or what is wanted of one block. */
  #step(into: Uint8Array, position: number): Awaitable<number> {
    if (this.#isClosed) throw new Error('this object is closed')
    const part = this.#partAt(position)
    const start = part.start + position - part.offset
    const wanted = into.subarray(0, part.offset + part.length - position)
    const whole = wholeBlocks(part.blob, start, wanted.length)
    if (whole === 0) return this.#copyOfBlock(part, start, wanted)
    const read = this.#load(part.blob, start / BLOCK, wanted.subarray(0, whole))
    return andThen(read, () => whole)
  }

  #partAt(position: number): Part {
    let from = 0
    let below = this.#parts.length
    while (below - from > 1) {
      const middle = (from + below) >>> 1
      if ((this.#parts[middle]?.offset ?? 0) <= position) from = middle
      else below = middle
    }
    const part = this.#parts[from]
    if (part === undefined) throw new RangeError(`an object has no position ${position}`)
    return part
  }

  #copyOfBlock({ blob }: Part, start: number, into: Uint8Array): Awaitable<number> {
    const block = Math.floor(start / BLOCK)
    const copy = ({ bytes }: Verified): number => {
      const from = start - block * BLOCK
      const wanted = bytes.subarray(from, from + into.length)
      into.set(wanted)
      return wanted.length
    }
    const aside = this.#aside
    if (aside?.block === block && aside.blob === blob) return copy(aside)
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK)
    const bytes = buffer.subarray(0, Math.min(BLOCK, blob.size - block * BLOCK))
    return andThen(this.#load(blob, block, bytes), () => {
      const verified = { blob, block, bytes }
      // first, so that nobody else has been given the buffer
      const count = copy(verified)
      this.#setAside(this.#isClosed ? undefined : verified)
      return count
    })
  }

  #setAside(verified: Verified | undefined): void {
    const before = this.#aside
    this.#aside = verified
    if (before !== undefined && spare.length < MOST_SPARE) {
      spare.push(new Uint8Array(before.bytes.buffer))
    }
  }

  /**
   * Reads whole blocks and verifies them. What was read since the file was opened is in the kernel's
   * memory and read at once, and what is read at once is worth keeping; for the disk somebody else
   * waits.
   */
  #load(blob: Blob, block: number, into: Uint8Array): Awaitable<void> {
    const { files, descriptors } = this.#reading
    const open = this.#openOf(blob, block)
    const bits = warmBits(block, blockCount(into.length))
    const verify = (count: number): void => {
      this.#verify(blob, block, into, count)
      open.warm |= bits
    }
    const unreadable = (error: unknown): never => {
      throw this.#damaged(blob, block, 'can not be read', error)
    }
    if (bits === 0 || (open.warm & bits) !== bits) {
      descriptors.retain(open)
      return files
        .read(open.file, into, block * BLOCK)
        .finally(() => descriptors.release(open))
        .then(verify, unreadable)
    }
    let count = 0
    try {
      count = files.readNow(open.file, into, block * BLOCK)
    } catch (error) {
      unreadable(error)
    }
    verify(count)
    if (isSpan(blob, block, into.length)) {
      descriptors.bringNear(open, (block * BLOCK) / SPAN, into)
    }
  }

  #openOf(blob: Blob, block: number): OpenBlob {
    try {
      return this.#blobs.get(blob.name)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw this.#damaged(blob, block, 'is missing', error)
      throw asRefusal(error)
    }
  }

  #verify(blob: Blob, first: number, into: Uint8Array, count: number): void {
    for (let at = 0; at < into.length; at += BLOCK) {
      const block = first + at / BLOCK
      const bytes = into.subarray(at, at + BLOCK)
      if (at + bytes.length > count) throw this.#damaged(blob, block, 'is cut short')
      const sum = blob.sums.subarray(block * SUM, (block + 1) * SUM)
      if (!hasChecksum(bytes, sum)) {
        throw this.#damaged(blob, block, 'is not what was written')
      }
    }
  }

  #damaged({ name }: Blob, block: number, what: string, cause?: unknown): Damaged {
    return new Damaged(
      `${this.info.path}: block ${block} of blob ${name} ${what}; restore it from a backup or upload the object again`,
      { cause },
    )
  }
}

function partsOf(pieces: readonly Piece[]): readonly Part[] {
  let end = 0
  return pieces.map((piece) => {
    const offset = end
    end += piece.length
    return { ...piece, offset }
  })
}

/** How many of the wanted bytes are whole blocks; 0 where the first of them isn't. */
function wholeBlocks(blob: Blob, start: number, wanted: number): number {
  if (start % BLOCK !== 0) return 0
  const toEnd = blob.size - start
  return wanted >= toEnd ? toEnd : wanted - (wanted % BLOCK)
}

/** Whether those whole blocks are all of a span, and nothing else. */
const isSpan = (blob: Blob, block: number, length: number): boolean =>
  (block * BLOCK) % SPAN === 0 && length === Math.min(SPAN, blob.size - block * BLOCK)

/** The bits of a run of blocks; none where a run ends beyond what is remembered. */
function warmBits(first: number, count: number): number {
  if (first + count > MOST_WARM) return 0
  return count === MOST_WARM ? -1 : ((1 << count) - 1) << first
}
