/** The in-memory twin of the disk store: for tests, and for gateways that keep nothing. */
import type { ObjectPath } from '../../../key/object-path.ts'
import { bytes, type UnixSeconds } from '../../../key/units.ts'
import { holds } from '../condition.ts'
import { ContentObject } from '../content-object.ts'
import type { BucketRegister, FullStore, MetaChange } from '../full-store.ts'
import { listing } from '../listing.ts'
import { changedMeta, copied, meant, withMeta } from '../meta.ts'
import type { Multipart } from '../multipart.ts'
import type { CopiedObject, CopyConditions, CopyConflict } from '../object-copy.ts'
import type {
  Committed,
  Conflict,
  Listing,
  ListQuery,
  NewObject,
  ObjectInfo,
  OpenObject,
  Upload,
  WriteCondition,
} from '../store.ts'
import { MemoryBuckets } from './buckets.ts'
import { conflictWith, Entries, isWithin } from './entries.ts'
import { MemoryMultipart } from './multipart.ts'
import { MemoryUpload } from './upload.ts'

export class MemoryStore implements FullStore {
  readonly multipart: Multipart
  readonly buckets: BucketRegister
  readonly #entries: Entries

  constructor({ now }: { now: () => UnixSeconds }) {
    this.#entries = new Entries(now)
    const multipart = new MemoryMultipart(this.#entries, now)
    this.multipart = multipart
    this.buckets = new MemoryBuckets(this.#entries, (name) => multipart.abortIn(name))
  }

  head(path: ObjectPath): ObjectInfo | undefined {
    return this.#entries.get(path)?.info
  }

  open(path: ObjectPath): OpenObject | undefined {
    const entry = this.#entries.get(path)
    return entry && new ContentObject(entry.info, entry.content)
  }

  upload(path: ObjectPath): Upload {
    return new MemoryUpload((content, as: NewObject, condition) => {
      const info = withMeta({ path, size: bytes(content.length), ...as }, meant(as.meta))
      return this.#entries.put({ info, content }, condition)
    })
  }

  async delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    const existing = this.head(path)
    if (!holds(condition, existing)) return conflictWith(existing)
    return this.#entries.delete(path)
  }

  async copy(
    from: ObjectPath,
    to: ObjectPath,
    as: CopiedObject,
    { source, target }: CopyConditions = {},
  ): Promise<Committed | CopyConflict> {
    const entry = this.#entries.get(from)
    if (entry === undefined || !holds(source, entry.info)) {
      return { ...conflictWith(entry?.info), of: 'source' }
    }
    const { content } = entry
    const outcome = this.#entries.put({ info: copied(entry.info, to, as), content }, target)
    return outcome.done ? outcome : { ...outcome, of: 'target' }
  }

  async setMeta(
    path: ObjectPath,
    change: MetaChange,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict> {
    const entry = this.#entries.get(path)
    if (entry === undefined) return { done: false }
    const info = withMeta(entry.info, changedMeta(entry.info.meta, change))
    return this.#entries.put({ info, content: entry.content }, condition)
  }

  list(query: ListQuery): Listing {
    const sorted = this.#entries.sorted().map(({ meta: _, ...listed }) => listed)
    return listing(query, (from, below) => sorted.filter(({ path }) => isWithin(path, from, below)))
  }

  trouble(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    this.#entries.clear()
  }
}
