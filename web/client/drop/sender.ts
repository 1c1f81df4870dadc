/** One file to the gateway: small ones in one request, larger ones resumably. */
import { type ObjectPath, targetOf } from '../../../key/object-path.ts'
import type { Item, Source, Stored } from './item.ts'
import { FIRST_PIECE, nextPiece, SMALLEST_PIECE, Tus, type TusUpload } from './tus.ts'
import { Trouble, troubleOf, type Wire } from './wire.ts'

/** Up to here one request is sooner through, and little is lost when it has to be sent again. */
export const DIRECT_MOST = 1 << 20

/** For requests that nobody waits for, in milliseconds. */
const PATIENCE = 30_000

/** What a sender tells while it works, besides what it writes into the item. */
export interface Listener {
  /** bytes of the file that were handed to the network so far, those from before included */
  onSent(bytes: number): void
  /** bytes of the file that the server has */
  onKept(bytes: number): void
  /** the resumable upload that holds the file from now on; undefined: none */
  onUpload(id: string | undefined): void
  /** another path, where the present one is taken; undefined where there can't be one */
  rename(): string | undefined
}

export class Sender {
  readonly #wire: Wire
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #tus: Tus
  readonly #now: () => number
  /** more at once is not let through by a proxy in between */
  #largest = Number.POSITIVE_INFINITY

  /**
   * @param base URL of the gateway, without a slash at its end
   * @param now milliseconds of a clock that only goes on
   */
  constructor(wire: Wire, base: string, key: string, now: () => number) {
    this.#wire = wire
    this.#base = base
    this.#headers = { Authorization: `Bearer ${key}` }
    this.#tus = new Tus(wire, `${base}/-/tus/`, this.#headers)
    this.#now = now
  }

  /**
   * Sends an item until all of it is there, from where it was left.
   * @throws Trouble; the signal's reason where it was called off
   */
  async send(item: Item, listener: Listener, signal: AbortSignal): Promise<Stored> {
    const { source } = item
    if (source === undefined) throw new Trouble('file_missing')
    try {
      return await this.#underFreshName(item, source, listener, signal)
    } catch (error) {
      if (error instanceof Trouble && error.code === 'network') await checkReadable(source)
      throw error
    }
  }

  /** How many bytes of an upload are there; undefined where that can not be said now. */
  async find(
    upload: string,
    signal = AbortSignal.timeout(PATIENCE),
  ): Promise<number | 'gone' | undefined> {
    try {
      const found = await this.#tus.find(upload, signal)
      return found?.offset ?? 'gone'
    } catch {
      return undefined
    }
  }

  /** Gives up what the server holds of an item; that it could not be told is no matter. */
  async forget(upload: string): Promise<void> {
    await this.#tus.drop(upload, AbortSignal.timeout(PATIENCE)).catch(() => {})
  }

  async #underFreshName(
    item: Item,
    source: Source,
    listener: Listener,
    signal: AbortSignal,
  ): Promise<Stored> {
    for (;;) {
      try {
        const sha256 =
          item.size <= DIRECT_MOST && item.upload === undefined
            ? await this.#whole(item, source, listener, signal)
            : await this.#resumably(item, source, listener, signal)
        return { path: item.path, size: item.size, sha256 }
      } catch (error) {
        if (!(error instanceof Trouble) || error.code !== 'object_exists') throw error
        const path = listener.rename()
        if (path === undefined) throw error
        item.path = path
        listener.onUpload(undefined)
        listener.onKept(0)
      }
    }
  }

  async #whole(
    item: Item,
    source: Source,
    listener: Listener,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const answer = await this.#wire({
      method: 'PUT',
      url: `${this.#base}${targetOf(item.path as ObjectPath)}`,
      headers: { ...this.#headers, 'Content-Type': item.type },
      body: source.slice(0, source.size),
      onSent: listener.onSent,
      signal,
    })
    if (answer.status >= 300) throw troubleOf(answer)
    const { sha256 } = JSON.parse(answer.text) as { readonly sha256?: string }
    return sha256
  }

  async #resumably(
    item: Item,
    source: Source,
    listener: Listener,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    let upload: TusUpload | undefined =
      item.upload === undefined ? undefined : await this.#tus.find(item.upload, signal)
    if (upload === undefined) {
      listener.onUpload(await this.#tus.create(item.path, item.size, item.type, signal))
      upload = { offset: 0, sha256: undefined }
    }
    let piece = FIRST_PIECE
    while (upload.offset < item.size) {
      listener.onKept(upload.offset)
      const began = this.#now()
      piece = Math.min(piece, this.#largest)
      const next = await this.#append(item, source.slice(upload.offset, upload.offset + piece), {
        offset: upload.offset,
        listener,
        signal,
      })
      if (next === undefined) continue
      upload = next
      piece = nextPiece(piece, this.#now() - began)
    }
    listener.onKept(item.size)
    return upload.sha256
  }

  /** Undefined where the piece was too large for a proxy in between: smaller ones may pass. */
  async #append(
    item: Item,
    body: Blob,
    { offset, listener, signal }: { offset: number; listener: Listener; signal: AbortSignal },
  ): Promise<TusUpload | undefined> {
    const onSent = (bytes: number): void => listener.onSent(offset + bytes)
    try {
      return await this.#tus.append(item.upload ?? '', offset, body, onSent, signal)
    } catch (error) {
      const isTooLarge = error instanceof Trouble && error.code === 'http_413'
      if (!isTooLarge || body.size <= SMALLEST_PIECE) throw error
      this.#largest = SMALLEST_PIECE
      return undefined
    }
  }
}

/**
 * A file that changed, or lies on a stick that was pulled, fails like a broken network does.
 * @throws Trouble file_unreadable
 */
async function checkReadable(source: Source): Promise<void> {
  try {
    await source.slice(0, 1).arrayBuffer()
  } catch {
    throw new Trouble('file_unreadable')
  }
}
