/** Makes an object of every file beneath a folder. */
import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { etagOf } from '../../gateway/body/digest.ts'
import { Gate, inLanes } from '../../gateway/store/lanes.ts'
import type { AdoptingUpload } from '../../gateway/store/maintenance.ts'
import type { ObjectInfo, Store, Upload } from '../../gateway/store/store.ts'
import { type ObjectPath, type Prefix, parseObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { secondsOf, type UnixSeconds } from '../../key/units.ts'
import type { DataFolder } from '../data-folder.ts'
import { DEFAULT_TYPE, typeOf } from '../media-type.ts'
import type { Tally } from '../status-line.ts'
import { type LeftOut, NotCarried, reasonOf } from './left-out.ts'
import { type Met, walk } from './walk.ts'

export interface ImportOptions {
  readonly store: Store
  /** absolute */
  readonly folder: string
  readonly prefix: Prefix
  /** absolute paths of folders that are not entered */
  readonly skip: ReadonlySet<string>
  readonly overwrite: boolean
  /** whether files become blobs as hard links */
  readonly link: boolean
  /** whether what is there already is compared by content, not by size and time */
  readonly checksum: boolean
  readonly now: () => UnixSeconds
  readonly signal: AbortSignal
  readonly onProgress: (done: Tally) => void
  /** by which each object is stored, so that it is on record */
  readonly changing?: DataFolder['changing']
}

export interface ImportResult {
  readonly imported: number
  readonly replaced: number
  /** there already */
  readonly unchanged: number
  /** in all of these */
  readonly bytes: number
  /** files that became blobs without a copy of their bytes */
  readonly linked: number
  readonly cloned: number
  readonly leftOut: readonly LeftOut[]
}

/** Uploads at a time: as many small objects share one flush of the index. */
const LANES = 64

/** Files of which more than their index row goes to the disk: each takes buffers, and an fsync. */
const MOST_LARGE = 8
const LARGE = 64 * 1024

const CHUNK = 1024 * 1024

/** @throws Refusal where the store takes no more; what the signal was aborted with */
export function importFolder(options: ImportOptions): Promise<ImportResult> {
  return new Import(options).run()
}

/** What the store says of itself; all else it says of one object. */
const ENDS_ALL: ReadonlySet<string> = new Set(['storage_full', 'unavailable', 'internal'])

type Outcome = 'imported' | 'replaced' | 'unchanged'

class Import {
  readonly #options: ImportOptions
  readonly #gate = new Gate(MOST_LARGE)
  readonly #counts = { imported: 0, replaced: 0, unchanged: 0, bytes: 0, linked: 0, cloned: 0 }
  readonly #leftOut: LeftOut[] = []
  #mayClone = true

  constructor(options: ImportOptions) {
    this.#options = options
  }

  async run(): Promise<ImportResult> {
    const { folder, skip, signal } = this.#options
    await inLanes(walk(folder, skip), LANES, async (met) => {
      signal.throwIfAborted()
      await this.#carry(met)
    })
    return { ...this.#counts, leftOut: this.#leftOut }
  }

  async #carry(met: Met): Promise<void> {
    try {
      if (met.reason !== undefined) throw new NotCarried(met.reason)
      const path = this.#pathOf(met.name)
      await this.#import(path, met)
    } catch (error) {
      if (error instanceof Refusal && ENDS_ALL.has(error.code)) throw error
      this.#options.signal.throwIfAborted()
      const reason = error instanceof Refusal ? error.detail : reasonOf(error, met.name)
      this.#leftOut.push({ name: met.name, reason })
    }
  }

  #pathOf(name: string): ObjectPath {
    return parseObjectPath(this.#options.prefix + name)
  }

  async #import(path: ObjectPath, met: Met): Promise<void> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    const file = await open(met.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stats = await file.stat()
      if (!stats.isFile()) throw new NotCarried('it is no regular file')
      const source = { path, file, from: met.path, stats, modified: this.#timeOf(stats) }
      const isLarge = stats.size > LARGE
      const outcome = await (isLarge
        ? this.#gate.through(() => this.#bring(source))
        : this.#bring(source))
      this.#counts[outcome] += 1
      this.#counts.bytes += stats.size
      const { imported, replaced, unchanged, bytes } = this.#counts
      this.#options.onProgress({ count: imported + replaced + unchanged, bytes })
    } finally {
      await file.close()
    }
  }

  /** RFC 9110, 8.8.2.1: a Last-Modified is never later than now. */
  #timeOf({ mtimeMs }: Stats): UnixSeconds {
    return Math.min(secondsOf(Math.max(0, mtimeMs)), this.#options.now()) as UnixSeconds
  }

  async #bring(source: Source): Promise<Outcome> {
    const { store, overwrite } = this.#options
    const there = await store.head(source.path)
    if (there !== undefined && (await this.#isSame(there, source))) return 'unchanged'
    if (there !== undefined && !overwrite) throw TAKEN
    const upload = await store.upload(source.path)
    try {
      const sha256 = await this.#pass(upload, source)
      await checkUnchanged(source)
      const { modified, path } = source
      const type = typeOf(path) ?? DEFAULT_TYPE
      const { changing = unrecorded } = this.#options
      const outcome = await changing({ act: 'PUT', path, about: { sha256 } }, () =>
        upload.commit(
          { type, sha256, etag: etagOf(sha256), modified },
          overwrite ? undefined : { absent: true },
        ),
      )
      if (!outcome.done) throw TAKEN
      return outcome.created ? 'imported' : 'replaced'
    } finally {
      await upload.discard()
    }
  }

  async #isSame(there: ObjectInfo, source: Source): Promise<boolean> {
    if (there.size !== source.stats.size) return false
    if (!this.#options.checksum && there.modified === source.modified) return true
    const hash = createHash('sha256')
    for await (const chunk of this.#chunks(source)) hash.update(chunk)
    return hash.digest('hex') === there.sha256
  }

  /** @returns the SHA-256 of all that passed */
  async #pass(upload: Upload, source: Source): Promise<string> {
    const adopted = await this.#adopted(upload, source)
    if (adopted !== undefined) return adopted
    const hash = createHash('sha256')
    for await (const chunk of this.#chunks(source)) {
      hash.update(chunk)
      await upload.write([chunk])
    }
    return hash.digest('hex')
  }

  async #adopted(upload: Upload, { from, file, stats }: Source): Promise<string | undefined> {
    const how = this.#options.link ? 'link' : 'clone'
    if (stats.size <= LARGE || !canAdopt(upload)) return undefined
    if (how === 'clone' && !this.#mayClone) return undefined
    const hash = createHash('sha256')
    const adoptable = { path: from, descriptor: file.fd, dev: stats.dev, ino: stats.ino }
    const isAdopted = await upload.adopt(adoptable, how, (bytes) => hash.update(bytes))
    if (isAdopted) this.#counts[how === 'link' ? 'linked' : 'cloned'] += 1
    // a file system that can not clone one can clone none
    else this.#mayClone = false
    return isAdopted ? hash.digest('hex') : undefined
  }

  /** In memory of their own: the store keeps what it is given. */
  async *#chunks({ file, stats }: Source): AsyncGenerator<Uint8Array> {
    for (let position = 0; ; ) {
      this.#options.signal.throwIfAborted()
      // one more than there should be, to see the end, and to notice a file that grows
      const room = Math.max(1, Math.min(CHUNK, stats.size - position + 1))
      const buffer = Buffer.allocUnsafeSlow(room)
      const { bytesRead } = await file.read(buffer, 0, room, position)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
      if (bytesRead < room && position === stats.size) return
    }
  }
}

interface Source {
  readonly path: ObjectPath
  readonly file: FileHandle
  readonly from: string
  readonly stats: Stats
  readonly modified: UnixSeconds
}

const unrecorded: DataFolder['changing'] = (_, make) => make()

const TAKEN = new NotCarried('another object is there: --overwrite replaces it')

async function checkUnchanged({ file, stats }: Source): Promise<void> {
  const { size, mtimeMs } = await file.stat()
  if (size === stats.size && mtimeMs === stats.mtimeMs) return
  throw new NotCarried('it changed while it was read')
}

const canAdopt = (upload: Upload): upload is AdoptingUpload => 'adopt' in upload
