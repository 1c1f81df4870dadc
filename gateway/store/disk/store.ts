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
import { andThen } from '../../awaitable.ts'
import { type Files, nodeFiles, syncFolder } from '../files/files.ts'
import { Health } from '../files/health.ts'
import type { BucketRegister, FullStore, MetaChange } from '../full-store.ts'
import { listing } from '../listing.ts'
import type { AdoptingUpload } from '../maintenance.ts'
import { meant, withMeta } from '../meta.ts'
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
  Trouble,
  WriteCondition,
} from '../store.ts'
import { DiskBuckets } from './buckets.ts'
import { Descriptors } from './descriptors.ts'
import { Garbage } from './garbage.ts'
import { answered, IndexReader } from './index-reader.ts'
import type { StoreJobs } from './jobs.ts'
import { Layout, makeFolders } from './layout.ts'
import { DiskMultipart } from './multipart.ts'
import type { DoneWith } from './object-jobs.ts'
import { Opening } from './opening.ts'
import { Pins } from './pins.ts'
import { recover } from './recovery.ts'
import type { Blob } from './schema.ts'
import { DiskUpload } from './upload.ts'
import { conflictWith, occasionOf, refusing, type Workings } from './workings.ts'

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

/** More in one transaction would keep other writers waiting: an upload may be of many parts. */
const MOST_SWEPT = { sweep: 1000, sweepUploads: 10 }

export class DiskStore implements FullStore {
  readonly multipart: Multipart
  readonly buckets: BucketRegister
  readonly #workings: Workings
  readonly #opening: Opening
  readonly #timer: NodeJS.Timeout
  #tidying: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  private constructor(workings: Workings) {
    this.#workings = workings
    this.#opening = new Opening({ ...workings, reading: workings })
    this.multipart = new DiskMultipart(workings)
    this.buckets = new DiskBuckets(workings)
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
      return new DiskStore(await assemble(options, files, layout, writer))
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  head(path: ObjectPath): ObjectInfo | undefined {
    const { index, now } = this.#workings
    return index.head(path, now())
  }

  open(path: ObjectPath): Awaitable<OpenObject | undefined> {
    return this.#opening.open(path)
  }

  upload(path: ObjectPath): Awaitable<AdoptingUpload> {
    const { health } = this.#workings
    return andThen(
      health.check(),
      () =>
        new DiskUpload(this.#workings, health, (content, as, condition) =>
          this.#put(path, content, as, condition),
        ),
    )
  }

  async delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    const { writer, garbage } = this.#workings
    const change = { path, condition, ...occasionOf(this.#workings) }
    const outcome = await refusing(writer.run('delete', change))
    if (!outcome.done) return conflictWith(outcome.existing)
    garbage.collect(outcome.garbage)
    return outcome.existed
  }

  async copy(
    from: ObjectPath,
    to: ObjectPath,
    as: CopiedObject,
    conditions: CopyConditions = {},
  ): Promise<Committed | CopyConflict> {
    const { health, writer } = this.#workings
    await health.check()
    const job = { from, to, as, conditions, ...occasionOf(this.#workings) }
    const outcome = await refusing(writer.run('copy', job))
    if (outcome.done) return this.#committed(outcome)
    return { ...conflictWith(outcome.existing), of: outcome.of }
  }

  async setMeta(
    path: ObjectPath,
    change: MetaChange,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict> {
    const job = { path, change, condition, ...occasionOf(this.#workings) }
    const outcome = await refusing(this.#workings.writer.run('setMeta', job))
    return outcome.done ? this.#committed(outcome) : conflictWith(outcome.existing)
  }

  list(query: ListQuery): Listing {
    const { index, now } = this.#workings
    const at = now()
    return listing(query, (from, below) => index.scan(from, below, at))
  }

  trouble(): Awaitable<Trouble | undefined> {
    return this.#workings.health.trouble()
  }

  /** Removes objects and uploads that have expired by then; returns how many that were. */
  async sweep(now: UnixSeconds): Promise<number> {
    const { index } = this.#workings
    const hasUploads = answered(() => index.uploads.hasExpired(now))
    const objects = index.hasExpired(now) ? await this.#sweep('sweep', now) : 0
    return objects + (hasUploads ? await this.#sweep('sweepUploads', now) : 0)
  }

  async #sweep(job: 'sweep' | 'sweepUploads', now: UnixSeconds): Promise<number> {
    const { writer, garbage, owner } = this.#workings
    const most = MOST_SWEPT[job]
    const swept = await refusing(writer.run(job, { now, owner, most }))
    garbage.collect(swept.garbage)
    const isMore = swept.removed === most
    return swept.removed + (isMore ? await this.#sweep(job, now) : 0)
  }

  /** Finishes what was asked so far. Objects that are open can be read to their end. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { files, layout, writer, index, descriptors, garbage, pins, owner } = this.#workings
    clearInterval(this.#timer)
    await this.#tidying
    await pins.close()
    // what stays on the list of garbage, or in staging, is for the next start
    await garbage.settle().catch(() => {})
    await writer.close()
    index.close()
    await descriptors.close()
    await files.removeFolder(layout.stagingOf(owner)).catch(() => {})
  }

  async #put(
    path: ObjectPath,
    content: Uint8Array | Blob,
    as: NewObject,
    condition: WriteCondition | undefined,
  ): Promise<Committed | Conflict> {
    const { writer, garbage } = this.#workings
    const size = content instanceof Uint8Array ? content.length : content.size
    const info = withMeta({ path, size: bytes(size), ...as }, meant(as.meta))
    const job = { path, info, content, condition, ...occasionOf(this.#workings) }
    const outcome = await writer.run('put', job)
    if (!outcome.done) return conflictWith(outcome.existing)
    garbage.collect(outcome.garbage)
    return { done: true, info, created: !outcome.existed }
  }

  #committed({ info, existed, garbage }: DoneWith): Committed {
    this.#workings.garbage.collect(garbage)
    return { done: true, info, created: !existed }
  }

  #tidy(): void {
    const { descriptors, garbage, pins, now } = this.#workings
    descriptors.closeIdle()
    // what keeps the index from being written, `trouble` says; the next round tries again
    this.#tidying = this.#tidying
      .then(() => this.sweep(now()))
      .then(() => pins.releaseIdle())
      .then(() => garbage.settle())
      .catch(() => {})
  }
}

async function assemble(
  { folder, instance, now, reserve }: DiskStoreOptions,
  unguarded: Files,
  layout: Layout,
  writer: Writer<StoreJobs>,
): Promise<Workings> {
  const owner = instance.id
  const indexFailure = () => writer.failure
  const health = new Health({ files: unguarded, folder, now, reserve, indexFailure })
  const files = health.guarded(unguarded)
  const descriptors = new Descriptors(files, layout)
  const forget = (names: readonly string[]): Promise<void> => writer.run('forget', names)
  const garbage = new Garbage({ files, layout, descriptors, forget })
  const pins = new Pins({
    pin: (oid) => writer.run('pin', { oid, owner }),
    unpin: async (pin) => garbage.collect(await writer.run('unpin', { pin, owner })),
  })
  const index = new IndexReader(layout.index)
  writer.onWritten(index.forgetVersion)
  const unpin = (dead: readonly string[]) => writer.run('unpinAll', { dead, owner })
  try {
    await recover({ files, layout, index, garbage, unpin, instance })
  } catch (error) {
    index.close()
    throw error
  }
  const parts = { files, layout, writer, index, health, descriptors, garbage, pins }
  return { ...parts, owner, now }
}
