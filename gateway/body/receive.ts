/** An upload's bytes: read raw from the socket, counted, hashed, looked at, handed to the store. */
import type { IncomingMessage } from 'node:http'
import type { UploadLimits } from '../../key/clear.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Bytes } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import { Chunks } from '../../listener/chunks.ts'
import type { Writing } from '../store/store.ts'
import type { Transfer } from '../transfers.ts'
import { contradiction, SNIFFED_BYTES } from './media-type.ts'
import { noteChunk } from './scavenge.ts'

/**
 * As much is taken at once: hashing it keeps the event loop for a sixth of a millisecond, and whoever
 * else waits no longer than that. A store gathers more before it writes.
 */
export const BATCH_BYTES = 1 << 18

/** A body in batches: that of a request, or what a stage made of it. */
export interface BatchSource {
  /** At least so many bytes, or what is left; undefined at the end. @throws Refusal */
  next(least: number): Awaitable<readonly Uint8Array[] | undefined>
}

/** A body that can be ended from outside: whoever waits for its next batch gets the refusal. */
export interface Body extends BatchSource {
  fail(why: Refusal): void
}

/** The body of a request in batches; while one is being written, the next one gathers. */
export class BodyReader implements Body {
  readonly #incoming: IncomingMessage
  readonly #gathered = new Chunks()
  /** bytes that somebody waits for */
  #least = 0
  #ended = false
  #failure: Refusal | undefined
  #wake: () => void = () => {}

  constructor(incoming: IncomingMessage, onBytes: (count: number) => void) {
    this.#incoming = incoming
    incoming.on('data', (chunk: Buffer) => {
      this.#gathered.add(chunk)
      noteChunk(chunk.length)
      onBytes(chunk.length)
      if (this.#gathered.size >= BATCH_BYTES) incoming.pause()
      if (this.#gathered.size >= this.#least) this.#wake()
    })
    incoming.once('end', () => {
      this.#ended = true
      if (!incoming.complete) this.fail(BROKEN_OFF)
      this.#wake()
    })
    incoming.once('close', () => {
      if (!this.#ended) this.fail(BROKEN_OFF)
    })
    // the reason arrives with 'close'
    incoming.on('error', () => {})
    // the client went away while others were asked about the request
    if (incoming.destroyed) this.fail(BROKEN_OFF)
  }

  fail(why: Refusal): void {
    this.#failure ??= why
    this.#wake()
  }

  /**
   * At least so many bytes, or what is left; undefined at the end.
   * @throws Refusal incomplete_body, or what {@link fail} was told
   */
  next(least: number): Awaitable<readonly Uint8Array[] | undefined> {
    if (this.#failure === undefined && !this.#ended && this.#gathered.size < least) {
      this.#least = least
      return this.#woken().then(() => this.next(least))
    }
    if (this.#failure !== undefined) throw this.#failure
    if (this.#gathered.size === 0) return undefined
    const batch = this.#gathered.take()
    this.#incoming.resume()
    return batch
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** What has arrived and was not taken: for whoever keeps it though the body has failed. */
  rest(): readonly Uint8Array[] {
    return this.#gathered.take()
  }
}

const BROKEN_OFF = new Refusal(
  'incomplete_body',
  'the connection ended before the upload was whole; nothing was kept, send it again',
)

export interface Expected {
  /** declared media type */
  readonly type: string
  readonly limits: UploadLimits
  /** the largest upload of this gateway, whatever the key says */
  readonly most: Bytes
}

/** Looks at every byte that passes, and says at the end what they were. */
export interface ContentDigest {
  update(chunk: Uint8Array): void
  /** The SHA-256, in lower-case hex. @throws Refusal digest_mismatch, of what was stated */
  finish(): string
}

export interface Received {
  readonly size: Bytes
  /** lower-case hex */
  readonly sha256: string
}

/**
 * Takes a body to its end. Declared sizes are a courtesy, counted bytes are the law.
 * @throws Refusal of the first thing that does not hold; what was written is the caller's to discard
 */
export async function receive(
  body: BatchSource,
  upload: Writing,
  digest: ContentDigest,
  expected: Expected,
  transfer: Transfer,
): Promise<Received> {
  const most = Math.min(expected.most, expected.limits.most)
  let size = 0
  let least = SNIFFED_BYTES
  for (let batch = await body.next(least); batch !== undefined; batch = await body.next(least)) {
    if (size === 0 && expected.limits.types.length > 0) await checkContent(expected, batch)
    least = BATCH_BYTES
    for (const chunk of batch) {
      size += chunk.length
      digest.update(chunk)
    }
    if (size > most) throw tooLarge(most)
    await transfer.onOurTime(upload.write(batch))
  }
  if (size < expected.limits.least) throw tooSmall(size, expected.limits.least)
  const sha256 = digest.finish()
  checkPinned(sha256, expected.limits.sha256)
  return { size: size as Bytes, sha256 }
}

export const tooLarge = (most: number): Refusal =>
  new Refusal('too_large', `the upload has more than the ${most} bytes allowed; nothing was kept`)

export const tooSmall = (size: number, least: number): Refusal =>
  new Refusal('too_small', `the upload has ${size} bytes; the key expects at least ${least}`)

/** Only a key that restricts types asks for the content to be of the declared one. */
export async function checkContent(
  { type, limits }: Pick<Expected, 'type' | 'limits'>,
  batch: readonly Uint8Array[],
): Promise<void> {
  if (limits.types.length === 0) return
  const head = Buffer.concat(batch).subarray(0, SNIFFED_BYTES)
  const why = await contradiction(type, head)
  if (why !== undefined) {
    throw new Refusal(
      'type_mismatch',
      `${why}; declare the type that the content has, one that the key grants`,
    )
  }
}

/** @throws Refusal digest_mismatch */
export function checkPinned(sha256: string, pinned: readonly string[]): void {
  if (pinned.every((hash) => hash === sha256)) return
  throw new Refusal(
    'digest_mismatch',
    `the content has the SHA-256 ${sha256}, not the one that the key is for`,
  )
}
