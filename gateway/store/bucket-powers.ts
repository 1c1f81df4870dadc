/** The powers of several stores as one: the shared store has them, a bucket's own store has not. */
import { bucketOf, type ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Bytes, UnixSeconds } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import { compareBytes } from './byte-order.ts'
import { copyPartThrough } from './copy-through.ts'
import type { Bucket, BucketRegister, FullStore } from './full-store.ts'
import type {
  CompletedObject,
  Multipart,
  MultipartFailure,
  MultipartInfo,
  MultipartListing,
  MultipartQuery,
  MultipartRef,
  NamedPart,
  NewMultipart,
  NewPart,
  OpenLimit,
  PartCommitted,
  PartCondition,
  PartInfo,
  PartList,
  PartListing,
  PartQuery,
  PartSource,
  PartUpload,
} from './multipart.ts'
import type { CopyConflict } from './object-copy.ts'
import type { Committed, Conflict, Store, WriteCondition } from './store.ts'

/** Stores by the names of their buckets. */
export type OwnStores = ReadonlyMap<string, Store>

/** @param what is not done there, and what to do instead */
export function refuseOwn(own: OwnStores, path: ObjectPath, what: string): void {
  const bucket = bucketOf(path)
  if (!own.has(bucket)) return
  throw new Refusal('method_not_allowed', `the bucket "${bucket}" is a folder of files: ${what}`)
}

/** An upload in parts can be begun in shared buckets only, so that there are none in others. */
export class BucketsMultipart implements Multipart {
  readonly #shared: FullStore
  readonly #own: OwnStores

  constructor(shared: FullStore, own: OwnStores) {
    this.#shared = shared
    this.#own = own
  }

  async create(
    path: ObjectPath,
    as: NewMultipart,
    limits?: readonly OpenLimit[],
  ): Promise<MultipartInfo> {
    refuseOwn(this.#own, path, 'it takes no uploads in parts; send the object in one request')
    return this.#shared.multipart.create(path, as, limits)
  }

  find(ref: MultipartRef): Awaitable<MultipartInfo | undefined> {
    return this.#isOwn(ref) ? undefined : this.#shared.multipart.find(ref)
  }

  part(ref: MultipartRef, number: number): Awaitable<PartUpload | undefined> {
    return this.#isOwn(ref) ? undefined : this.#shared.multipart.part(ref, number)
  }

  async copyPart(
    ref: MultipartRef,
    number: number,
    source: PartSource,
    as: NewPart,
    condition?: Pick<PartCondition, 'most'>,
  ): Promise<PartCommitted | CopyConflict | MultipartFailure> {
    if (this.#isOwn(ref)) return NO_SUCH_UPLOAD
    const { multipart } = this.#shared
    const store = this.#own.get(bucketOf(source.path))
    if (store === undefined) return multipart.copyPart(ref, number, source, as, condition)
    return copyPartThrough(store, source, { multipart, ref, number }, as, condition)
  }

  bytesBeside(ref: MultipartRef, number: number): Awaitable<Bytes | undefined> {
    return this.#isOwn(ref) ? undefined : this.#shared.multipart.bytesBeside(ref, number)
  }

  lastPart(ref: MultipartRef): Awaitable<PartInfo | undefined> {
    return this.#isOwn(ref) ? undefined : this.#shared.multipart.lastPart(ref)
  }

  parts(ref: MultipartRef, query: PartQuery): Awaitable<PartListing | undefined> {
    return this.#isOwn(ref) ? undefined : this.#shared.multipart.parts(ref, query)
  }

  read(ref: MultipartRef, parts: readonly NamedPart[]): AsyncIterable<Uint8Array> {
    return this.#shared.multipart.read(ref, parts)
  }

  async complete(
    ref: MultipartRef,
    parts: PartList,
    as: CompletedObject,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict | MultipartFailure> {
    if (this.#isOwn(ref)) return NO_SUCH_UPLOAD
    return this.#shared.multipart.complete(ref, parts, as, condition)
  }

  recall(ref: MultipartRef): Awaitable<string | undefined> {
    return this.#isOwn(ref) ? undefined : this.#shared.multipart.recall(ref)
  }

  async abort(ref: MultipartRef): Promise<boolean> {
    return !this.#isOwn(ref) && this.#shared.multipart.abort(ref)
  }

  /** Uploads to a bucket that has got a store of its own meanwhile are seen, and end by themselves. */
  list(query: MultipartQuery): Awaitable<MultipartListing> {
    return this.#shared.multipart.list(query)
  }

  #isOwn({ path }: MultipartRef): boolean {
    return this.#own.has(bucketOf(path))
  }
}

const NO_SUCH_UPLOAD: MultipartFailure = { done: false, failed: 'no_such_upload' }

/** Buckets with a store of their own exist for as long as the configuration names them. */
export class BucketsRegister implements BucketRegister {
  readonly #shared: FullStore
  readonly #own: OwnStores

  constructor(shared: FullStore, own: OwnStores) {
    this.#shared = shared
    this.#own = own
  }

  async list(): Promise<readonly Bucket[]> {
    const shared = await this.#shared.buckets.list()
    const others = shared.filter(({ name }) => !this.#own.has(name))
    const own = [...this.#own.keys()].map((name) => ({ name }))
    return [...others, ...own].sort((a, b) => compareBytes(a.name, b.name))
  }

  find(name: string): Awaitable<Bucket | undefined> {
    return this.#own.has(name) ? { name } : this.#shared.buckets.find(name)
  }

  async create(name: string, now: UnixSeconds): Promise<boolean> {
    return !this.#own.has(name) && this.#shared.buckets.create(name, now)
  }

  async remove(name: string): Promise<'removed' | 'not found' | 'not empty'> {
    if (!this.#own.has(name)) return this.#shared.buckets.remove(name)
    throw new Refusal(
      'method_not_allowed',
      `the bucket "${name}" is named in the configuration; remove it there`,
    )
  }
}
