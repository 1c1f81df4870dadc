import { BLOCK, blocksOf, checksum } from '../files/checksum.ts'
import {
  codeOf,
  contentOf,
  type FileDescriptor,
  type Files,
  ifThere,
  syncFolder,
} from '../files/files.ts'
import { freshName } from '../files/fresh-name.ts'
import type { Layout } from './layout.ts'
import type { Blob } from './schema.ts'

/** What staged blobs of one process share. */
export interface Staging {
  readonly files: Files
  readonly layout: Layout
  /** the instance that answers for what is staged */
  readonly owner: string
}

/**
 * A blob that is being written. Until the index names it, its file has a name in `staging/OWNER/`:
 * when the owner has died, the next start finds there, and only there, what may be left over, however
 * many blobs the store holds. A link, not a rename, gives it its place in `blobs/`, and the staging
 * name goes after the commit, so there is no moment at which neither staging nor the index know of
 * the file. All of that costs no fsync beyond the file's and its folder's: journals keep the order in
 * which names were made, and a staging name that outlives a power cut is removed at the next start.
 */
export class StagedBlob {
  readonly name = freshName()
  readonly #staging: Staging
  #file: FileDescriptor | undefined
  #size = 0
  readonly #sums: Uint8Array[] = []

  private constructor(staging: Staging) {
    this.#staging = staging
  }

  static async create(staging: Staging): Promise<StagedBlob> {
    const blob = new StagedBlob(staging)
    blob.#file = await staging.files.create(blob.#stagedPath)
    return blob
  }

  /**
   * Of a file that is there already, and gets its staging name from `place`.
   * @param seen is given all its bytes in order, once; they change when it returns
   */
  static async adopt(
    staging: Staging,
    place: (staged: string) => Promise<void>,
    seen: (bytes: Uint8Array) => void,
  ): Promise<StagedBlob> {
    const blob = new StagedBlob(staging)
    try {
      await place(blob.#stagedPath)
      blob.#file = staging.files.open(blob.#stagedPath)
      await blob.#readThrough(seen)
      return blob
    } catch (error) {
      await blob.remove()
      throw error
    }
  }

  /** Appends whole blocks; only the last batch may end within one. */
  async append(batch: readonly Uint8Array[]): Promise<void> {
    for (const block of blocksOf(batch)) this.#sums.push(checksum(block))
    let rest = batch
    while (rest.length > 0) {
      const written = await this.#staging.files.append(this.#open, rest)
      if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' })
      this.#size += written
      rest = without(rest, written)
    }
  }

  /** What was appended so far. */
  written(): AsyncGenerator<Uint8Array> {
    return contentOf(this.#staging.files, this.#stagedPath)
  }

  /** Durable under its name in `blobs/` when this resolves; nothing is appended afterwards. */
  async publish(): Promise<Blob> {
    const { files, layout } = this.#staging
    await files.link(this.#stagedPath, layout.blob(this.name))
    await files.sync(this.#open)
    await syncFolder(files, layout.folderOf(this.name))
    await this.#close()
    return { name: this.name, size: this.#size, sums: new Uint8Array(Buffer.concat(this.#sums)) }
  }

  /** Once the index names it. */
  async settle(): Promise<void> {
    await this.#attempt(this.#staging.files.unlink(this.#stagedPath))
  }

  /** When the index will never name it. The name in staging goes last: it knows of the other. */
  async remove(): Promise<void> {
    const { files, layout } = this.#staging
    await this.#attempt(this.#close())
    const isGone = await this.#attempt(ifThere(files.unlink(layout.blob(this.name))))
    if (isGone) await this.settle()
  }

  async #readThrough(seen: (bytes: Uint8Array) => void): Promise<void> {
    const { files } = this.#staging
    const buffer = Buffer.allocUnsafeSlow(BLOCK)
    for (;;) {
      const count = await files.read(this.#open, buffer, this.#size)
      if (count === 0) return
      const block = buffer.subarray(0, count)
      seen(block)
      this.#sums.push(checksum([block]))
      this.#size += count
      if (count < BLOCK) return
    }
  }

  get #stagedPath(): string {
    return this.#staging.layout.staged(this.#staging.owner, this.name)
  }

  get #open(): FileDescriptor {
    if (this.#file === undefined) throw new Error('this blob is closed')
    return this.#file
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) await this.#staging.files.close(file)
  }

  /** What can't be removed now, the next start removes. */
  async #attempt(removal: Promise<void>): Promise<boolean> {
    try {
      await removal
      return true
    } catch (error) {
      return codeOf(error) === 'ENOENT'
    }
  }
}

function without(chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let left = written
  const rest: Uint8Array[] = []
  for (const chunk of chunks) {
    if (left < chunk.length) rest.push(left > 0 ? chunk.subarray(left) : chunk)
    left = Math.max(0, left - chunk.length)
  }
  return rest
}
