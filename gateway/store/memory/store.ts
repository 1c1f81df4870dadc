/** The in-memory twin of the disk store: for tests, and for gateways that keep nothing. */
import type { ObjectPath } from '../../../key/object-path.ts'
import { bytes, type UnixSeconds } from '../../../key/units.ts'
import { compareBytes } from '../byte-order.ts'
import { holds } from '../condition.ts'
import { ContentObject } from '../content-object.ts'
import { listing } from '../listing.ts'
import type {
  Committed,
  Conflict,
  Listing,
  ListQuery,
  NewObject,
  ObjectInfo,
  OpenObject,
  Store,
  Upload,
  WriteCondition,
} from '../store.ts'

interface Entry {
  readonly info: ObjectInfo
  readonly content: Uint8Array
}

export class MemoryStore implements Store {
  readonly #now: () => UnixSeconds
  readonly #entries = new Map<ObjectPath, Entry>()

  constructor({ now }: { now: () => UnixSeconds }) {
    this.#now = now
  }

  head(path: ObjectPath): ObjectInfo | undefined {
    return this.#entry(path)?.info
  }

  open(path: ObjectPath): OpenObject | undefined {
    const entry = this.#entry(path)
    return entry && new ContentObject(entry.info, entry.content)
  }

  upload(path: ObjectPath): Upload {
    return new MemoryUpload((content, as, condition) => this.#put(path, content, as, condition))
  }

  async delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    const existing = this.head(path)
    if (!holds(condition, existing)) return conflictWith(existing)
    return this.#entries.delete(path)
  }

  list(query: ListQuery): Listing {
    const sorted = [...this.#entries.keys()]
      .flatMap((path) => this.head(path) ?? [])
      .sort((a, b) => compareBytes(a.path, b.path))
    return listing(query, (from, below) =>
      sorted.filter(
        ({ path }) =>
          compareBytes(path, from) >= 0 && (below === undefined || compareBytes(path, below) < 0),
      ),
    )
  }

  trouble(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    this.#entries.clear()
  }

  #entry(path: ObjectPath): Entry | undefined {
    const entry = this.#entries.get(path)
    if (entry?.info.expires === undefined || entry.info.expires > this.#now()) return entry
    this.#entries.delete(path)
    return undefined
  }

  #put(
    path: ObjectPath,
    content: Uint8Array,
    as: NewObject,
    condition: WriteCondition | undefined,
  ): Committed | Conflict {
    const existing = this.head(path)
    if (!holds(condition, existing)) return conflictWith(existing)
    const info = { path, size: bytes(content.length), ...as }
    this.#entries.set(path, { info, content })
    return { done: true, info, created: existing === undefined }
  }
}

type Put = (
  content: Uint8Array,
  as: NewObject,
  condition: WriteCondition | undefined,
) => Committed | Conflict

class MemoryUpload implements Upload {
  readonly #put: Put
  #chunks: Uint8Array[] | undefined = []

  constructor(put: Put) {
    this.#put = put
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#chunks === undefined) throw new Error('this upload has ended')
    this.#chunks.push(...chunks)
  }

  async commit(as: NewObject, condition?: WriteCondition): Promise<Committed | Conflict> {
    if (this.#chunks === undefined) throw new Error('this upload has ended')
    const content = Buffer.concat(this.#chunks)
    this.#chunks = undefined
    return this.#put(content, as, condition)
  }

  async discard(): Promise<void> {
    this.#chunks = undefined
  }
}

const conflictWith = (existing: ObjectInfo | undefined): Conflict =>
  existing === undefined ? { done: false } : { done: false, existing }
