/** Buckets whose objects end by themselves, however long whoever uploads them would keep them. */
import { bucketOf, type ObjectPath } from '../../key/object-path.ts'
import { later, type Seconds, type UnixSeconds } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { BucketRegister, FullStore, MetaChange } from './full-store.ts'
import type { CompletedObject, Multipart, MultipartRef, PartList } from './multipart.ts'
import type { CopiedObject, CopyConditions, CopyConflict } from './object-copy.ts'
import type {
  Committed,
  Conflict,
  Listing,
  ListQuery,
  NewObject,
  ObjectInfo,
  OpenObject,
  Trouble,
  Upload,
  WriteCondition,
} from './store.ts'

/** How long objects are kept, by the bucket's name. */
export type Lifetimes = ReadonlyMap<string, Seconds>

type Ending = <As extends { readonly expires?: UnixSeconds }>(path: ObjectPath, as: As) => As

/**
 * A store in which what comes into some buckets expires after a time, counted from when it came: by
 * an upload, in parts or whole, or as a copy. What was there before stays as it is.
 */
export class RetainingStore implements FullStore {
  readonly multipart: Multipart
  readonly buckets: BucketRegister
  readonly #store: FullStore
  readonly #ending: Ending

  constructor(store: FullStore, lifetimes: Lifetimes, now: () => UnixSeconds) {
    this.#store = store
    this.#ending = endingBy(lifetimes, now)
    this.multipart = withEndings(store.multipart, this.#ending)
    this.buckets = store.buckets
  }

  head(path: ObjectPath): Awaitable<ObjectInfo | undefined> {
    return this.#store.head(path)
  }

  open(path: ObjectPath): Awaitable<OpenObject | undefined> {
    return this.#store.open(path)
  }

  /** The upload itself, so that what else it can do it still can. */
  async upload(path: ObjectPath): Promise<Upload> {
    const upload = await this.#store.upload(path)
    const commit = upload.commit.bind(upload)
    upload.commit = (as: NewObject, condition?: WriteCondition) =>
      commit(this.#ending(path, as), condition)
    return upload
  }

  delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    return this.#store.delete(path, condition)
  }

  copy(
    from: ObjectPath,
    to: ObjectPath,
    as: CopiedObject,
    conditions?: CopyConditions,
  ): Promise<Committed | CopyConflict> {
    return this.#store.copy(from, to, this.#ending(to, as), conditions)
  }

  setMeta(
    path: ObjectPath,
    change: MetaChange,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict> {
    return this.#store.setMeta(path, change, condition)
  }

  list(query: ListQuery): Awaitable<Listing> {
    return this.#store.list(query)
  }

  trouble(): Awaitable<Trouble | undefined> {
    return this.#store.trouble()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

/** The earlier of what is stated and what the bucket allows. */
const endingBy =
  (lifetimes: Lifetimes, now: () => UnixSeconds): Ending =>
  (path, as) => {
    const ttl = lifetimes.get(bucketOf(path))
    if (ttl === undefined) return as
    const end = later(now(), ttl)
    return as.expires !== undefined && as.expires < end ? as : { ...as, expires: end }
  }

const withEndings = (multipart: Multipart, ending: Ending): Multipart => ({
  create: (path, as, limits) => multipart.create(path, as, limits),
  find: (ref) => multipart.find(ref),
  part: (ref, number) => multipart.part(ref, number),
  copyPart: (ref, number, source, as, condition) =>
    multipart.copyPart(ref, number, source, as, condition),
  bytesBeside: (ref, number) => multipart.bytesBeside(ref, number),
  lastPart: (ref) => multipart.lastPart(ref),
  parts: (ref, query) => multipart.parts(ref, query),
  read: (ref, parts) => multipart.read(ref, parts),
  complete: (ref: MultipartRef, parts: PartList, as: CompletedObject, condition?: WriteCondition) =>
    multipart.complete(ref, parts, ending(ref.path, as), condition),
  recall: (ref) => multipart.recall(ref),
  abort: (ref) => multipart.abort(ref),
  list: (query) => multipart.list(query),
})
