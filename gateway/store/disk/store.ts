/**
 * The default store: an index in SQLite, small objects in it, the bytes of larger ones in files with
 * opaque names. Any number of processes may use one folder.
 */
import type { Instance } from '../../../database/instance.ts'
import { siblingModule } from '../../../database/sibling.ts'
import { startWriter, type Writer } from '../../../database/writer.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import { type Bytes, bytes, type UnixSeconds } from '../../../key/units.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import { ContentObject } from '../content-object.ts'
import { codeOf, type Files, nodeFiles, syncFolder } from '../files/files.ts'
import { asRefusal, Health } from '../files/health.ts'
import { listing } from '../listing.ts'
import {
  type Committed,
  type Conflict,
  Damaged,
  type Listing,
  type ListQuery,
  type NewObject,
  type ObjectInfo,
  type OpenObject,
  type Store,
  type Trouble,
  type Upload,
  type WriteCondition,
} from '../store.ts'
import { BlobObject } from './blob-object.ts'
import { type Checksum, createChecksum } from './checksum.ts'
import { Descriptors } from './descriptors.ts'
import { Garbage } from './garbage.ts'
import { IndexReader } from './index-reader.ts'
import type { Inline, Outcome, StoreJobs } from './jobs.ts'
import { Layout, makeFolders } from './layout.ts'
import { recover } from './recovery.ts'
import { type Blob, infoOf, type Located, type ObjectRow } from './schema.ts'
import type { Staging } from './staged-blob.ts'
import { DiskUpload } from './upload.ts'

export interface DiskStoreOptions {
  readonly folder: string
  readonly instance: Instance
  readonly now: () => UnixSeconds
  /** free space below which uploads are refused; absent: 5 % of the disk, at least 1 GiB */
  readonly reserve?: Bytes
  /** absent: the real ones */
  readonly files?: Files
}

/** How often expired objects and idle descriptors are looked for, in milliseconds. */
const TIDY_INTERVAL = 10_000

/** More in one transaction would keep other writers waiting. */
const MOST_SWEPT = 1000

/** What a store is made of, all of it started. */
interface Parts {
  readonly files: Files
  readonly layout: Layout
  readonly writer: Writer<StoreJobs>
  readonly index: IndexReader
  readonly health: Health
  readonly descriptors: Descriptors
  readonly garbage: Garbage
  readonly checksum: Checksum
}

export class DiskStore implements Store {
  readonly #parts: Parts
  readonly #staging: Staging
  readonly #owner: string
  readonly #now: () => UnixSeconds
  readonly #timer: NodeJS.Timeout
  #tidying: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  private constructor(parts: Parts, { instance, now }: DiskStoreOptions) {
    this.#parts = parts
    this.#owner = instance.id
    this.#staging = { ...parts, owner: instance.id }
    this.#now = now
    this.#timer = setInterval(() => this.#tidy(), TIDY_INTERVAL).unref()
  }

  /**
   * Makes the folder where it is missing, and removes what dead processes left in it.
   * @throws DatabaseError, or an error of node:fs, where the folder can't be used
   */
  static async open(options: DiskStoreOptions): Promise<DiskStore> {
    const files = options.files ?? nodeFiles
    const layout = new Layout(options.folder)
    await makeFolders(files, layout, options.instance.id)
    const jobs = siblingModule(import.meta.url, 'jobs')
    const writer = await startWriter<StoreJobs>(layout.index, jobs)
    try {
      // the name of the index, too, is durable from the start
      await syncFolder(files, layout.folder)
      const parts = await assemble(options, files, layout, writer)
      return new DiskStore(parts, options)
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  head(path: ObjectPath): ObjectInfo | undefined {
    return this.#parts.index.head(path, this.#now())
  }

  open(path: ObjectPath): OpenObject | undefined {
    return this.#opened(path, undefined)
  }

  async upload(path: ObjectPath): Promise<Upload> {
    const { health } = this.#parts
    await health.check()
    return new DiskUpload(this.#staging, health, (content, as, condition) =>
      this.#put(path, content, as, condition),
    )
  }

  async delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    const change = { path, condition, now: this.#now(), owner: this.#owner }
    const outcome = await refusing(this.#parts.writer.run('delete', change))
    if (!outcome.done) return conflictWith(outcome.existing)
    this.#parts.garbage.collect(outcome.garbage)
    return outcome.existed
  }

  list(query: ListQuery): Listing {
    const now = this.#now()
    return listing(query, (from, below) => this.#parts.index.scan(from, below, now))
  }

  trouble(): Awaitable<Trouble | undefined> {
    return this.#parts.health.trouble()
  }

  /** Removes what has expired by then; returns how many objects that were. */
  async sweep(now: UnixSeconds): Promise<number> {
    const { index, writer, garbage } = this.#parts
    if (!index.hasExpired(now)) return 0
    const job = { now, owner: this.#owner, most: MOST_SWEPT }
    const swept = await refusing(writer.run('sweep', job))
    garbage.collect(swept.garbage)
    const isMore = swept.removed === MOST_SWEPT
    return swept.removed + (isMore ? await this.sweep(now) : 0)
  }

  /** Finishes what was asked so far. Objects that are open can be read to their end. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { files, layout, writer, index, descriptors, garbage } = this.#parts
    clearInterval(this.#timer)
    await this.#tidying
    // what stays on the list of garbage, or in staging, is for the next start
    await garbage.settle().catch(() => {})
    await writer.close()
    index.close()
    await descriptors.close()
    await files.removeFolder(layout.stagingOf(this.#owner)).catch(() => {})
  }

  /** @param before what was found the time before, when its files were gone */
  #opened(path: ObjectPath, before: Located | undefined): OpenObject | undefined {
    const found = this.#parts.index.locate(path, this.#now())
    if (found === undefined) return undefined
    const { info, content } = found
    if (content instanceof Uint8Array) return new ContentObject(info, content)
    try {
      return new BlobObject(this.#parts, info, content)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw asRefusal(error)
      if (before !== undefined && isSameContent(before, found)) {
        throw new Damaged(`${path}: a blob is missing; restore it from a backup`, { cause: error })
      }
      // another process has replaced the object meanwhile
      return this.#opened(path, found)
    }
  }

  async #put(
    path: ObjectPath,
    content: Inline | Blob,
    as: NewObject,
    condition: WriteCondition | undefined,
  ): Promise<Committed | Conflict> {
    const size = 'bytes' in content ? content.bytes.length : content.size
    const info: ObjectInfo = { path, size: bytes(size), ...as }
    const job = { path, info, content, condition, now: this.#now(), owner: this.#owner }
    const outcome: Outcome = await this.#parts.writer.run('put', job)
    if (!outcome.done) return conflictWith(outcome.existing)
    this.#parts.garbage.collect(outcome.garbage)
    return { done: true, info, created: !outcome.existed }
  }

  #tidy(): void {
    const { descriptors, garbage } = this.#parts
    descriptors.closeIdle()
    // what keeps the index from being written, `trouble` says; the next round tries again
    this.#tidying = this.#tidying
      .then(() => this.sweep(this.#now()))
      .then(() => garbage.settle())
      .catch(() => {})
  }
}

async function assemble(
  { folder, instance, now, reserve }: DiskStoreOptions,
  unguarded: Files,
  layout: Layout,
  writer: Writer<StoreJobs>,
): Promise<Parts> {
  const indexFailure = () => writer.failure
  const health = new Health({ files: unguarded, folder, now, reserve, indexFailure })
  const files = health.guarded(unguarded)
  const descriptors = new Descriptors(files, layout)
  const forget = (names: readonly string[]): Promise<void> => writer.run('forget', names)
  const garbage = new Garbage({ files, layout, descriptors, forget })
  const checksum = await createChecksum()
  const index = new IndexReader(layout.index, checksum)
  try {
    await recover({ files, layout, index, garbage, instance })
  } catch (error) {
    index.close()
    throw error
  }
  return { files, layout, writer, index, health, descriptors, garbage, checksum }
}

const conflictWith = (existing: ObjectRow | undefined): Conflict =>
  existing === undefined ? { done: false } : { done: false, existing: infoOf(existing) }

function isSameContent(a: Located, b: Located): boolean {
  const names = ({ content }: Located): string =>
    content instanceof Uint8Array ? '' : content.map(({ blob }) => blob.name).join()
  return names(a) === names(b)
}

async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw asRefusal(error)
  }
}
