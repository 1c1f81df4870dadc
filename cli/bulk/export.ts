/** Writes every object beneath a prefix to a file. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Instance } from '../../database/instance.ts'
import { isEntryName } from '../../gateway/store/files/entry-name.ts'
import { Gate, inLanes } from '../../gateway/store/lanes.ts'
import { Damaged, type ObjectInfo, type OpenObject, type Store } from '../../gateway/store/store.ts'
import type { ObjectPath, Prefix } from '../../key/object-path.ts'
import { linkOnce } from '../into-file.ts'
import type { Tally } from '../status-line.ts'
import { Folders } from './folders.ts'
import type { GroupSync } from './group-sync.ts'
import { type LeftOut, NotCarried, reasonOf } from './left-out.ts'

export interface ExportOptions {
  readonly store: Store
  readonly instance: Pick<Instance, 'id' | 'isAlive'>
  readonly prefix: Prefix
  /** absolute, and there */
  readonly folder: string
  readonly overwrite: boolean
  /** whether what is there already is compared by content, not by size and time */
  readonly checksum: boolean
  /** of the file system of the folder; absent: each file is synced by itself */
  readonly groupSync?: GroupSync | undefined
  readonly signal: AbortSignal
  readonly onProgress: (done: Tally) => void
}

export interface ExportResult {
  readonly exported: number
  /** there already */
  readonly unchanged: number
  /** in all of these */
  readonly bytes: number
  readonly leftOut: readonly LeftOut[]
}

/** Files at a time: so many small ones share a sync. */
const LANES = 128
/** Files at a time of those that take a buffer and a sync for themselves. */
const MOST_LARGE = 8
/** In bytes. */
const LARGE = 256 * 1024
const PAGE = 1000
const CHUNK = 1024 * 1024

/** In bytes of UTF-8, on nearly all file systems. */
const LONGEST_NAME = 255

/** What is being written lies there, in a folder for each process. */
const UNFINISHED = '.valetkey-export'

/**
 * When this resolves, every file that was written, and its name, is durable; killed at any moment
 * before, each file is whole or not there.
 */
export function exportPrefix(options: ExportOptions): Promise<ExportResult> {
  return new Export(options).run()
}

class Export {
  readonly #options: ExportOptions
  readonly #folders: Folders
  readonly #unfinished: string
  readonly #gate = new Gate(MOST_LARGE)
  readonly #leftOut: LeftOut[] = []
  readonly #counts = { exported: 0, unchanged: 0, bytes: 0 }
  #started = 0

  constructor(options: ExportOptions) {
    this.#options = options
    this.#folders = new Folders(options.folder)
    this.#unfinished = join(options.folder, UNFINISHED, options.instance.id)
  }

  async run(): Promise<ExportResult> {
    await this.#tidy()
    await new Folders(this.#options.folder).make([UNFINISHED, this.#options.instance.id])
    try {
      await inLanes(this.#objects(), LANES, (path) => this.#carry(path))
      await this.#folders.sync()
    } finally {
      await rm(this.#unfinished, { recursive: true, force: true })
      await rmdir(join(this.#options.folder, UNFINISHED)).catch(() => {})
    }
    return { ...this.#counts, leftOut: this.#leftOut }
  }

  /** What processes that were killed have left. */
  async #tidy(): Promise<void> {
    const { folder, instance } = this.#options
    const unfinished = join(folder, UNFINISHED)
    const there = await lstat(unfinished).catch(() => undefined)
    if (there?.isDirectory() !== true) return
    for (const id of await readdir(unfinished)) {
      const isOurs = /^[0-9a-f]{16}$/.test(id)
      if (isOurs && !instance.isAlive(id)) await rm(join(unfinished, id), { recursive: true })
    }
  }

  async *#objects(): AsyncGenerator<ObjectPath> {
    const { store, prefix, signal } = this.#options
    let after: string | undefined
    do {
      signal.throwIfAborted()
      const page = await store.list({ prefix, limit: PAGE, ...(after !== undefined && { after }) })
      for (const { path } of page.objects) yield path
      after = page.next
    } while (after !== undefined)
  }

  async #carry(path: ObjectPath): Promise<void> {
    const { store, signal, prefix } = this.#options
    signal.throwIfAborted()
    try {
      const segments = segmentsOf(path.slice(prefix.length))
      const object = await store.open(path)
      // deleted meanwhile
      if (object === undefined) return
      try {
        const bring = (): Promise<void> => this.#bring(object, segments)
        await (object.info.size > LARGE ? this.#gate.through(bring) : bring())
      } finally {
        object.close()
      }
    } catch (error) {
      signal.throwIfAborted()
      const reason = error instanceof Damaged ? error.message : reasonOf(error, path)
      this.#leftOut.push({ name: path, reason })
    }
  }

  async #bring(object: OpenObject, segments: readonly string[]): Promise<void> {
    const name = segments.at(-1) as string
    const target = join(await this.#folders.make(segments.slice(0, -1)), name)
    const isThere = await this.#isThere(target, object)
    if (!isThere) await this.#write(target, object)
    this.#counts[isThere ? 'unchanged' : 'exported'] += 1
    this.#counts.bytes += object.info.size
    const { exported, unchanged, bytes } = this.#counts
    this.#options.onProgress({ count: exported + unchanged, bytes })
  }

  /** @throws NotCarried where something is there that may not be replaced */
  async #isThere(target: string, { info }: OpenObject): Promise<boolean> {
    const found = await lstat(target).catch(ignoringAbsence)
    if (found === undefined) return false
    if (found.isDirectory()) throw new NotCarried('a folder has its name')
    if (!found.isFile()) throw new NotCarried('something that is no regular file has its name')
    if (found.size === info.size) {
      const isOfTime = Math.floor(found.mtimeMs / 1000) === info.modified
      if (isOfTime && !this.#options.checksum) return true
      if ((await digestOf(target)) === info.sha256) return true
    }
    if (this.#options.overwrite) return false
    throw new NotCarried('another file is there: --overwrite replaces it')
  }

  /** Under another name, whole and synced; only then does it get its own. */
  async #write(target: string, object: OpenObject): Promise<void> {
    this.#started += 1
    const unfinished = join(this.#unfinished, String(this.#started))
    try {
      await this.#fill(unfinished, object)
      if (this.#options.overwrite) await rename(unfinished, target)
      else if (!(await linkOnce(unfinished, target))) {
        throw new NotCarried('another file has come there meanwhile')
      }
    } finally {
      await rm(unfinished, { force: true })
    }
  }

  async #fill(unfinished: string, object: OpenObject): Promise<void> {
    const { groupSync, signal } = this.#options
    const isShared = groupSync !== undefined && object.info.size <= LARGE
    const file = await open(unfinished, 'wx')
    try {
      await copyInto(file, object, signal)
      await file.utimes(object.info.modified, object.info.modified)
      if (!isShared) await file.sync()
    } finally {
      await file.close()
    }
    if (isShared) await groupSync.settle()
  }
}

/** @throws NotCarried for what a file system can't hold */
function segmentsOf(name: string): readonly string[] {
  const segments = name.split('/')
  if (!segments.every((segment) => isEntryName(segment))) {
    throw new NotCarried('a file system can not hold its name')
  }
  if (segments.some((segment) => Buffer.byteLength(segment) > LONGEST_NAME)) {
    throw new NotCarried(`a part of its name is longer than ${LONGEST_NAME} bytes`)
  }
  if (segments[0] === UNFINISHED) throw new NotCarried('its name is one that export itself uses')
  return segments
}

/** @throws Damaged where the bytes are not those that were stored */
async function copyInto(file: FileHandle, object: OpenObject, signal: AbortSignal): Promise<void> {
  const { size, sha256, path }: ObjectInfo = object.info
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, size))
  for (let position = 0; position < size; ) {
    signal.throwIfAborted()
    const length = await object.read(buffer, position)
    if (length === 0) throw new Damaged(`${path} ends after ${position} of ${size} bytes`)
    const chunk = buffer.subarray(0, length)
    hash.update(chunk)
    for (let from = 0; from < length; ) {
      from += (await file.write(chunk, from, length - from, position + from)).bytesWritten
    }
    position += length
  }
  if (sha256 !== undefined && hash.digest('hex') !== sha256) {
    throw new Damaged(`${path} does not have its SHA-256 any more`)
  }
}

async function digestOf(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const hash = createHash('sha256')
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk)
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

function ignoringAbsence(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
