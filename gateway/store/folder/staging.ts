/**
 * Where uploads lie until they get their names: in the folder itself, since a rename works within one
 * file system only. `.valetkey/NOTES-INSTANCE-NAME/`, where NOTES names the database of notes and
 * INSTANCE the process, so that every process removes what dead ones of its own data folder left,
 * and nothing else.
 */
import { mkdirSync } from 'node:fs'
import type { Instance } from '../../../database/instance.ts'
import { blocksOf, checksum } from '../files/checksum.ts'
import { codeOf, contentOf, type FileDescriptor, ifThere } from '../files/files.ts'
import { freshName } from '../files/fresh-name.ts'
import { type FolderFiles, unlessAbsent } from './files.ts'
import { RESERVED } from './names.ts'
import { entryOf, held, type OpenFolder } from './tree.ts'

export class Staging {
  readonly files: FolderFiles
  /** `.valetkey` */
  readonly top: OpenFolder
  readonly #own: OpenFolder
  readonly #ownName: string

  private constructor(files: FolderFiles, top: OpenFolder, own: OpenFolder, ownName: string) {
    this.files = files
    this.top = top
    this.#own = own
    this.#ownName = ownName
  }

  /**
   * Removes what dead processes left.
   * @param notes the name of the database of notes
   * @throws an error of node:fs, ENOTDIR where something else has the name
   */
  static async open(
    files: FolderFiles,
    root: OpenFolder,
    notes: string,
    instance: Pick<Instance, 'id' | 'isAlive'>,
  ): Promise<Staging> {
    const top = openTop(files, root)
    try {
      const ownName = `${notes}-${instance.id}-${freshName()}`
      const path = entryOf(top, ownName)
      // made by us, so that it is nobody else's, whoever made the one above
      mkdirSync(path, { mode: 0o700 })
      const staging = new Staging(files, top, held(files.openFolder(path), path), ownName)
      await staging.#recover(notes, instance)
      return staging
    } catch (error) {
      files.closeNow(top.file)
      throw error
    }
  }

  async create(): Promise<StagedFile> {
    const name = freshName()
    const path = entryOf(this.#own, name)
    return new StagedFile(
      this.files,
      path,
      `${this.#ownName}/${name}`,
      await this.files.create(path),
    )
  }

  /** What is still there is for the next start. */
  async close(): Promise<void> {
    this.files.closeNow(this.#own.file)
    await this.files.removeFolder(entryOf(this.top, this.#ownName)).catch(() => {})
    this.files.closeNow(this.top.file)
  }

  async #recover(notes: string, instance: Pick<Instance, 'isAlive'>): Promise<void> {
    for (const name of await this.files.names(this.top.path)) {
      const [of, id] = name.split('-')
      if (of !== notes || id === undefined || instance.isAlive(id)) continue
      const path = entryOf(this.top, name)
      const file = unlessAbsent(() => this.files.openFolder(path))
      // a link, say, which we never made
      if (file === undefined) continue
      try {
        await this.#empty(held(file, path))
      } finally {
        this.files.closeNow(file)
      }
      await ifThere(this.files.removeFolder(path))
    }
  }

  async #empty(folder: OpenFolder): Promise<void> {
    for (const name of await this.files.names(folder.path)) {
      await ifThere(this.files.unlink(entryOf(folder, name)))
    }
  }
}

/** For the owner only: what is half written is nobody else's to read. */
function openTop(files: FolderFiles, root: OpenFolder): OpenFolder {
  const path = entryOf(root, RESERVED)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  return held(files.openFolder(path), path)
}

/** A file that is being written, apart from all others. */
export class StagedFile {
  readonly path: string
  /** where it is, beneath `.valetkey` */
  readonly name: string
  readonly #files: FolderFiles
  #file: FileDescriptor | undefined
  readonly #sums: Uint8Array[] = []

  constructor(files: FolderFiles, path: string, name: string, file: FileDescriptor) {
    this.#files = files
    this.path = path
    this.name = name
    this.#file = file
  }

  /** @throws where it is closed */
  get file(): FileDescriptor {
    if (this.#file === undefined) throw new Error('this file is closed')
    return this.#file
  }

  /** The checksums of its blocks, one after the other. */
  get sums(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#sums))
  }

  /** Appends whole blocks; only the last batch may end within one. */
  async append(batch: readonly Uint8Array[]): Promise<void> {
    for (const block of blocksOf(batch)) this.#sums.push(checksum(block))
    let rest = batch
    while (rest.length > 0) {
      const written = await this.#files.append(this.file, rest)
      if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' })
      rest = without(rest, written)
    }
  }

  /** What was appended so far. */
  written(): AsyncGenerator<Uint8Array> {
    return contentOf(this.#files, this.path)
  }

  /** Takes its staging name away; the file goes with it, unless it got another name. */
  async remove(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    // what can't be removed now, the next start removes
    if (file !== undefined) await this.#files.close(file).catch(() => {})
    await this.#files.unlink(this.path).catch(() => {})
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
