/** Brings blobs, which never change, from one folder to another: nothing that is there is done twice. */
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { codeOf, type Files, ifThere, syncFolder } from '../files/files.ts'
import type { Layout } from './layout.ts'

/** `missing`: there is no such file of that size where it should come from. */
export type Brought = 'kept' | 'linked' | 'copied' | 'missing'

const stat = promisify(fs.stat)
const copyFile = promisify(fs.copyFile)
const rename = promisify(fs.rename)

/** What says that this file, or no file here, can be a link: the bytes are copied then. */
const NO_LINK = /^(EXDEV|EPERM|EMLINK|ENOTSUP|EOPNOTSUPP|ENOSYS)$/

export class BlobCopier {
  readonly #files: Files
  readonly #to: Layout
  readonly #touched = new Set<string>()
  #mayLink: boolean

  /** @param link whether files may be hard links to where they come from */
  constructor(files: Files, to: Layout, { link }: { readonly link: boolean }) {
    this.#files = files
    this.#to = to
    this.#mayLink = link
  }

  /** Under its name there is nothing or the whole file, at any moment. */
  async bring(from: string, name: string, size: number): Promise<Brought> {
    const to = this.#to.blob(name)
    const there = await sizeOf(to)
    if (there === size) return 'kept'
    if ((await sizeOf(from)) !== size) return 'missing'
    // cut short, by whatever: never by us
    if (there !== undefined) await this.#files.unlink(to)
    try {
      const how = (await this.#linked(from, to)) ? 'linked' : await this.#copied(from, to)
      this.#touched.add(this.#to.folderOf(name))
      return how
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && (await sizeOf(from)) === undefined) return 'missing'
      throw error
    }
  }

  /** When this resolves, all that was brought is durable. */
  async settle(): Promise<void> {
    for (const folder of this.#touched) await syncFolder(this.#files, folder)
    this.#touched.clear()
  }

  async #linked(from: string, to: string): Promise<boolean> {
    if (!this.#mayLink) return false
    try {
      await this.#files.link(from, to)
      return true
    } catch (error) {
      if (!NO_LINK.test(codeOf(error))) throw error
      if (codeOf(error) !== 'EMLINK') this.#mayLink = false
      return false
    }
  }

  /** A clone where the file system can. */
  async #copied(from: string, to: string): Promise<'copied'> {
    const unfinished = `${to}.part`
    await copyFile(from, unfinished, fs.constants.COPYFILE_FICLONE)
    const file = this.#files.open(unfinished)
    try {
      await this.#files.sync(file)
    } finally {
      await this.#files.close(file)
    }
    await rename(unfinished, to)
    return 'copied'
  }
}

/** Of a regular file; undefined where there is none. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : -1
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Removes what lies among the blobs and is not to be kept. */
export async function prune(
  files: Files,
  layout: Layout,
  isKept: (name: string) => boolean,
): Promise<void> {
  for (const fan of await files.names(layout.blobs)) {
    for (const name of await files.names(`${layout.blobs}/${fan}`)) {
      if (!isKept(name)) await ifThere(files.unlink(`${layout.blobs}/${fan}/${name}`))
    }
  }
}
