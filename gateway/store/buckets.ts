/** Several stores as one: some buckets have a store of their own, all others share one. */
import { bucketOf, type ObjectPath } from '../../key/object-path.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import { BucketsMultipart, BucketsRegister, type OwnStores, refuseOwn } from './bucket-powers.ts'
import { compareBytes } from './byte-order.ts'
import { copyThrough } from './copy-through.ts'
import type { BucketRegister, FullStore, MetaChange } from './full-store.ts'
import type { Multipart } from './multipart.ts'
import type { CopiedObject, CopyConditions, CopyConflict } from './object-copy.ts'
import type {
  Committed,
  Conflict,
  Listing,
  ListQuery,
  ObjectInfo,
  OpenObject,
  Store,
  Trouble,
  Upload,
  WriteCondition,
} from './store.ts'
import { type Candidate, type Cursor, walkedListing } from './walked-listing.ts'

export class Buckets implements FullStore {
  readonly multipart: Multipart
  readonly buckets: BucketRegister
  readonly #shared: FullStore
  readonly #own: OwnStores

  /**
   * @param shared what it holds in the buckets of `own` is not seen
   * @param own by the bucket's name
   */
  constructor(shared: FullStore, own: OwnStores) {
    this.#shared = shared
    this.#own = own
    this.multipart = new BucketsMultipart(shared, own)
    this.buckets = new BucketsRegister(shared, own)
  }

  head(path: ObjectPath): Awaitable<ObjectInfo | undefined> {
    return this.#of(path).head(path)
  }

  open(path: ObjectPath): Awaitable<OpenObject | undefined> {
    return this.#of(path).open(path)
  }

  upload(path: ObjectPath): Awaitable<Upload> {
    return this.#of(path).upload(path)
  }

  delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    return this.#of(path).delete(path, condition)
  }

  copy(
    from: ObjectPath,
    to: ObjectPath,
    as: CopiedObject,
    conditions?: CopyConditions,
  ): Promise<Committed | CopyConflict> {
    const source = { store: this.#of(from), path: from }
    const target = { store: this.#of(to), path: to }
    if (source.store === this.#shared && target.store === this.#shared) {
      return this.#shared.copy(from, to, as, conditions)
    }
    return copyThrough(source, target, as, conditions)
  }

  async setMeta(
    path: ObjectPath,
    change: MetaChange,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict> {
    refuseOwn(this.#own, path, 'what else is known of an object is not kept there')
    return this.#shared.setMeta(path, change, condition)
  }

  list(query: ListQuery): Awaitable<Listing> {
    // with a slash, the bucket is named
    if (query.prefix.includes('/')) return this.#of(query.prefix as ObjectPath).list(query)
    return walkedListing(query, new Merged(this.#cursors(query)))
  }

  /**
   * Of the shared store: one bucket's folder that is full is no reason to send all requests
   * elsewhere. Its own store refuses uploads to it.
   */
  trouble(): Awaitable<Trouble | undefined> {
    return this.#shared.trouble()
  }

  /** All of them, also when one fails. */
  async close(): Promise<void> {
    const all = [...this.#own.values(), this.#shared]
    const ended = await Promise.allSettled(all.map((store) => store.close()))
    for (const end of ended) if (end.status === 'rejected') throw end.reason
  }

  #of(path: ObjectPath): Store {
    return this.#own.get(bucketOf(path)) ?? this.#shared
  }

  #cursors(query: ListQuery): readonly Cursor[] {
    const own = [...this.#own].filter(([bucket]) => bucket.startsWith(query.prefix))
    return [
      new Pages(this.#shared, query, (path) => this.#own.has(bucketOf(path))),
      ...own.map(([, store]) => new Pages(store, query, () => false)),
    ]
  }
}

/** Sorts behind every name of a group, but those that begin with it themselves. */
const LAST_CHARACTER = '\u{10ffff}'

const FEW = 16

/** Goes through one store page by page. */
class Pages implements Cursor {
  readonly #store: Store
  readonly #query: ListQuery
  readonly #isHidden: (path: ObjectPath) => boolean
  #page: ObjectInfo[] = []
  #after: string | undefined
  #isLast = false
  #skipped: string | undefined

  constructor(store: Store, query: ListQuery, isHidden: (path: ObjectPath) => boolean) {
    this.#store = store
    this.#query = query
    this.#isHidden = isHidden
    this.#after = query.after
  }

  async next(): Promise<Candidate | undefined> {
    for (;;) {
      const info = this.#page.shift() ?? (await this.#turned())
      if (info === undefined) return undefined
      if (this.#skipped !== undefined && info.path.startsWith(this.#skipped)) continue
      if (!this.#isHidden(info.path)) return { path: info.path, info: () => info }
      this.skip(`${bucketOf(info.path)}/`)
    }
  }

  skip(prefix: string): void {
    this.#skipped = prefix
    const behind = prefix + LAST_CHARACTER
    const [next] = this.#page
    if (next !== undefined && compareBytes(next.path, behind) >= 0) return
    this.#page = this.#page.filter(({ path }) => compareBytes(path, behind) >= 0)
    if (this.#after === undefined || compareBytes(this.#after, behind) < 0) this.#after = behind
  }

  async #turned(): Promise<ObjectInfo | undefined> {
    while (!this.#isLast) {
      const { prefix, limit, delimiter } = this.#query
      const { objects, next } = await this.#store.list({
        prefix,
        // of a group, no more than the first is wanted
        limit: delimiter === undefined ? limit : Math.min(limit, FEW),
        ...(this.#after !== undefined && { after: this.#after }),
      })
      this.#isLast = next === undefined
      this.#after = next
      this.#page = [...objects]
      const first = this.#page.shift()
      if (first !== undefined) return first
    }
    return undefined
  }
}

/** Several cursors as one. */
class Merged implements Cursor {
  readonly #cursors: readonly Cursor[]
  /** where each of them is; absent: not asked yet */
  readonly #heads = new Map<Cursor, Candidate | undefined>()

  constructor(cursors: readonly Cursor[]) {
    this.#cursors = cursors
  }

  async next(): Promise<Candidate | undefined> {
    let first: Cursor | undefined
    let least: Candidate | undefined
    for (const cursor of this.#cursors) {
      if (!this.#heads.has(cursor)) this.#heads.set(cursor, await cursor.next())
      const head = this.#heads.get(cursor)
      if (head === undefined || (least && compareBytes(least.path, head.path) <= 0)) continue
      first = cursor
      least = head
    }
    if (first !== undefined) this.#heads.delete(first)
    return least
  }

  skip(prefix: string): void {
    for (const cursor of this.#cursors) {
      cursor.skip(prefix)
      if (this.#heads.get(cursor)?.path.startsWith(prefix)) this.#heads.delete(cursor)
    }
  }
}
