/**
 * A bucket that is a folder of plain files, which other programs read and write too. Files are
 * replaced by a rename, so whoever has one open keeps what it was; what files can't carry is noted
 * beside (`notes.ts`). `docs/folder-buckets.md` says what differs from the store on disk.
 */
import { constants, existsSync, mkdirSync, openSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from '../../../database/instance.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import { codeOf } from '../files/files.ts'
import {
  type Conflict,
  Damaged,
  type Listing,
  type ListQuery,
  type ObjectInfo,
  type OpenObject,
  type Store,
  type Trouble,
  type Upload,
  type WriteCondition,
} from '../store.ts'
import { startOf, walkedListing } from '../walked-listing.ts'
import { Busy } from './busy.ts'
import { isWithin } from './config.ts'
import { Changing, opened } from './file-object.ts'
import { type FolderFiles, folderFiles, type Status, unlessAbsent } from './files.ts'
import { findablePlace, RESERVED } from './names.ts'
import { NoteReader } from './note-reader.ts'
import { fileIdentity } from './notes.ts'
import { refusalOf } from './refusals.ts'
import { entryOf, folderIdentity, held, type OpenFolder, Tree } from './tree.ts'
import { Walk } from './walk.ts'
import { Writing } from './writing.ts'

export interface FolderStoreOptions {
  readonly bucket: string
  /** an existing folder */
  readonly folder: string
  readonly readOnly: boolean
  /** where we keep what files can't carry; made if missing, and never within `folder` */
  readonly data: string
  readonly instance: Pick<Instance, 'id' | 'isAlive'>
  readonly now: () => UnixSeconds
  /** free space below which uploads are refused; absent: 5 % of the disk, at least 1 GiB */
  readonly reserve?: Bytes
  /** absent: the real ones */
  readonly files?: FolderFiles
}

/** How often expired objects are looked for, in milliseconds. */
const TIDY_INTERVAL = 10_000

/** How often a small file is read anew when another program writes to it at the same time. */
const MOST_READS = 3

interface Parts {
  readonly root: OpenFolder
  readonly tree: Tree
  readonly files: FolderFiles
  readonly notes: NoteReader
  readonly busy: Busy
  /** undefined where nothing is written */
  readonly writing: Writing | undefined
}

export class FolderStore implements Store {
  readonly #bucket: string
  readonly #parts: Parts
  readonly #timer: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  private constructor(bucket: string, parts: Parts) {
    this.#bucket = bucket
    this.#parts = parts
    if (parts.writing === undefined) return
    // what keeps it from tidying up, `trouble` says; the next round tries again
    this.#timer = setInterval(() => this.tidy().catch(() => {}), TIDY_INTERVAL).unref()
  }

  /**
   * Removes what dead processes left.
   * @throws Error where the folder can't be served, with what to do; DatabaseError
   */
  static async open(options: FolderStoreOptions): Promise<FolderStore> {
    const files = options.files ?? folderFiles
    const root = openRoot(options)
    try {
      return new FolderStore(options.bucket, await assemble(options, files, root))
    } catch (error) {
      files.closeNow(root.file)
      throw error
    }
  }

  head(path: ObjectPath): ObjectInfo | undefined {
    return this.#found(path, (folder, name, key) =>
      this.#parts.notes.infoNow(path, key, () => this.#parts.tree.look(folder, name)),
    )
  }

  open(path: ObjectPath): OpenObject | undefined {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.#found(path, (folder, name, key) => this.#opened(path, key, folder, name))
      } catch (error) {
        if (!(error instanceof Damaged)) throw error
        if (attempt < MOST_READS) continue
        if (!(error instanceof Changing)) throw error
        throw new Refusal('unavailable', 'another program is writing to this file; try again', {
          cause: error,
        })
      }
    }
  }

  async upload(path: ObjectPath): Promise<Upload> {
    const writing = this.#writing(path)
    return refusing(this.#parts.busy.run(() => writing.upload(path)))
  }

  async delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    const writing = this.#writing(path)
    return refusing(this.#parts.busy.run(() => writing.delete(path, condition)))
  }

  list(query: ListQuery): Promise<Listing> {
    return refusing(this.#parts.busy.run(() => this.#list(query)))
  }

  trouble(): Awaitable<Trouble | undefined> {
    return this.#parts.writing?.trouble()
  }

  /** Removes what has expired, and notes on files that are no more. */
  async tidy(): Promise<void> {
    const { busy, writing } = this.#parts
    if (writing !== undefined) await refusing(busy.run(() => writing.tidy()))
  }

  /** Finishes what was asked so far. Objects that are open can be read to their end. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { busy, writing, notes, files, root } = this.#parts
    clearInterval(this.#timer)
    await busy.close()
    await writing?.close()
    notes.close()
    files.closeNow(root.file)
  }

  /** Asks for a file where it would be; undefined where there is no such place. */
  #found<T>(
    path: ObjectPath,
    ask: (folder: OpenFolder, name: string, key: string) => T | undefined,
  ): T | undefined {
    this.#parts.busy.check()
    const place = path.startsWith(`${this.#bucket}/`) ? findablePlace(path) : undefined
    if (place === undefined) return undefined
    try {
      return this.#parts.tree.within(place.folders, (folder) => ask(folder, place.name, place.key))
    } catch (error) {
      throw refusalOf(error)
    }
  }

  /** @throws Damaged where it changes while it is read */
  #opened(path: ObjectPath, key: string, folder: OpenFolder, name: string): OpenObject | undefined {
    const { files, notes, tree } = this.#parts
    const file = unlessAbsent(() => files.open(entryOf(folder, name)))
    if (file === undefined) return undefined
    let status: Status
    let info: ObjectInfo | undefined
    let sums: Uint8Array | undefined
    try {
      status = files.status(file)
      info = notes.info(path, key, status)
      if (info?.sha256 !== undefined) sums = notes.sums(key, status)
      if (info !== undefined && info.sha256 === undefined) {
        const there = tree.look(folder, name)
        // its note went with its name
        if (there === undefined || fileIdentity(there) !== fileIdentity(status)) {
          throw new Changing(`${path}: the file was replaced while it was opened; try again`)
        }
      }
    } catch (error) {
      files.closeNow(file)
      throw error
    }
    if (info !== undefined) return opened({ files, info, file, status, sums })
    files.closeNow(file)
    return undefined
  }

  async #list(query: ListQuery): Promise<Listing> {
    const { tree, files, notes } = this.#parts
    const bucket = this.#bucket
    const walk = new Walk({
      tree,
      files,
      bucket,
      prefix: query.prefix,
      from: startOf(query),
      describe: (path, status) => notes.info(path, path.slice(bucket.length + 1), status),
    })
    try {
      return await walkedListing(query, walk)
    } finally {
      walk.close()
    }
  }

  /** @throws Refusal where this bucket takes no such change */
  #writing(path: ObjectPath): Writing {
    const { writing } = this.#parts
    if (!path.startsWith(`${this.#bucket}/`)) {
      throw new Refusal('path_malformed', `this is the bucket "${this.#bucket}" only`)
    }
    if (writing !== undefined) return writing
    throw new Refusal(
      'method_not_allowed',
      `the bucket "${this.#bucket}" is read-only by configuration: objects in it can be read and listed, not uploaded or deleted`,
    )
  }
}

/** The path may lead through symbolic links: the administrator chose it. */
function openRoot({ bucket, folder, data }: FolderStoreOptions): OpenFolder {
  const where = `the folder ${folder} of the bucket "${bucket}"`
  const root = rootAt(folder, where)
  if (process.platform === 'linux' && !existsSync(root.path)) {
    throw new Error(`${where} can't be served safely without /proc: mount it`)
  }
  mkdirSync(data, { recursive: true, mode: 0o700 })
  if (isWithin(realpathSync(folder), realpathSync(data))) {
    throw new Error(
      `${where} holds the gateway's own data, ${data}: choose another folder, or keep the data elsewhere`,
    )
  }
  return root
}

function rootAt(folder: string, where: string): OpenFolder {
  try {
    return held(openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY), folder)
  } catch (cause) {
    throw new Error(
      `${where} can't be opened (${codeOf(cause)}): make it, let this user read it, or correct the path`,
      { cause },
    )
  }
}

async function assemble(
  options: FolderStoreOptions,
  files: FolderFiles,
  root: OpenFolder,
): Promise<Parts> {
  const { bucket, readOnly, data, instance, now, reserve } = options
  const database = join(data, 'notes.db')
  const busy = new Busy()
  const notes = new NoteReader(database, now)
  try {
    const common = { root, files, notes, busy }
    if (readOnly) return { ...common, tree: readOnlyTree(files, root), writing: undefined }
    const writing = await Writing.open({ ...common, bucket, database, instance, now, reserve })
    return { ...common, tree: writing.tree, writing }
  } catch (error) {
    notes.close()
    throw error
  }
}

/** What was staged while the bucket was writable stays hidden. */
function readOnlyTree(files: FolderFiles, root: OpenFolder): Tree {
  const status = files.look(entryOf(root, RESERVED))
  return new Tree(files, { root, reserved: status && folderIdentity(status) })
}

async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw refusalOf(error)
  }
}
