/** How objects are opened, so that they can be read to their end whoever replaces or deletes them. */
import type { ObjectPath } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import { ContentObject } from '../content-object.ts'
import { codeOf } from '../files/files.ts'
import { asRefusal } from '../files/health.ts'
import { Damaged, type OpenObject } from '../store.ts'
import { BlobObject, type Keep, type Reading } from './blob-object.ts'
import type { IndexReader } from './index-reader.ts'
import type { Pins, Taken } from './pins.ts'
import type { Located, Piece } from './schema.ts'

/** Of so many files a reader opens all at once. */
const FEW_BLOBS = 16

interface OpeningOptions {
  readonly index: Pick<IndexReader, 'locate' | 'isPinned' | 'forgetVersion'>
  readonly reading: Reading
  readonly pins: Pick<Pins, 'take'>
  readonly now: () => UnixSeconds
}

export class Opening {
  readonly #options: OpeningOptions

  constructor(options: OpeningOptions) {
    this.#options = options
  }

  /** @throws Damaged where a file is missing that the index names; Refusal */
  open(path: ObjectPath): Awaitable<OpenObject | undefined> {
    return this.#opened(path, undefined)
  }

  /** @param before what was found the time before, when its files were gone */
  #opened(path: ObjectPath, before: Located | undefined): Awaitable<OpenObject | undefined> {
    const found = this.#locate(path)
    if (found === undefined) return undefined
    const { info, content } = found
    if (content instanceof Uint8Array) return new ContentObject(info, content)
    if (isOfMany(content)) return this.#pinned(path)
    try {
      return new BlobObject(this.#options.reading, info, content)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw asRefusal(error)
      if (before !== undefined && isSameContent(before, found)) {
        throw new Damaged(`${path}: a blob is missing; restore it from a backup`, { cause: error })
      }
      // another process has replaced the object meanwhile, perhaps in this very turn
      this.#options.index.forgetVersion()
      return this.#opened(path, found)
    }
  }

  /** Looked up again once it is pinned: what was pinned may be another object by then. */
  async #pinned(path: ObjectPath): Promise<OpenObject | undefined> {
    const { index, reading } = this.#options
    for (;;) {
      const found = this.#locate(path)
      if (found === undefined || !isMany(found)) return this.#opened(path, undefined)
      const taken = await this.#taken(found.oid)
      if (taken === 'unpinnable') return new BlobObject(reading, found.info, found.content, NOTHING)
      const now = this.#locate(path)
      if (
        taken !== undefined &&
        now?.oid === found.oid &&
        isMany(now) &&
        index.isPinned(taken.pin, now.oid)
      ) {
        return new BlobObject(reading, now.info, now.content, taken)
      }
      taken?.forget()
      taken?.release()
    }
  }

  /**
   * Where nothing can be written, on a full disk for instance, reading goes on without: should the
   * object be removed all the same, a reader that is not through finds it damaged there.
   */
  async #taken(oid: number): Promise<Taken | 'unpinnable' | undefined> {
    try {
      return await this.#options.pins.take(oid)
    } catch {
      return 'unpinnable'
    }
  }

  #locate(path: ObjectPath): Located | undefined {
    return this.#options.index.locate(path, this.#options.now())
  }
}

const NOTHING: Keep = { release: () => {} }

type LocatedInMany = Located & { readonly content: readonly Piece[] }

const isMany = (found: Located): found is LocatedInMany =>
  !(found.content instanceof Uint8Array) && isOfMany(found.content)

const isOfMany = (pieces: readonly Piece[]): boolean =>
  pieces.length > FEW_BLOBS && new Set(pieces.map(({ blob }) => blob.name)).size > FEW_BLOBS

function isSameContent(a: Located, b: Located): boolean {
  const names = ({ content }: Located): string =>
    content instanceof Uint8Array ? '' : content.map(({ blob }) => blob.name).join()
  return names(a) === names(b)
}
