import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isEntryName } from '../../gateway/store/files/entry-name.ts'
import { syncFolder } from '../durable.ts'
import { NotCarried } from './left-out.ts'

/**
 * The folders beneath one, made as they are needed. A symbolic link is never followed: nothing is
 * written outside, whatever lies there.
 */
export class Folders {
  readonly #root: string
  readonly #made = new Map<string, Promise<string>>()

  /** @param root absolute, and there */
  constructor(root: string) {
    this.#root = root
  }

  /**
   * @param segments names of folders, each in the one before
   * @returns the absolute path of the last
   * @throws NotCarried where something else has one of these names, or none can have it
   */
  make(segments: readonly string[]): Promise<string> {
    const key = segments.join('/')
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const made = this.#make(segments)
    this.#made.set(key, made)
    return made
  }

  async #make(segments: readonly string[]): Promise<string> {
    const name = segments.at(-1)
    if (name === undefined) return this.#root
    // whoever asks has looked at it already; out of here leads no way all the same
    if (!isEntryName(name))
      throw new NotCarried('a part of its name is none that a folder can have')
    const path = join(await this.make(segments.slice(0, -1)), name)
    try {
      await mkdir(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (!(await lstat(path)).isDirectory()) {
        throw new NotCarried(`${segments.join('/')} is there, and is no folder`)
      }
    }
    return path
  }

  /** When this resolves, the names of all folders, and of what was put into them, are durable. */
  async sync(): Promise<void> {
    const paths = new Set([this.#root])
    for (const made of this.#made.values())
      await made.then(
        (path) => paths.add(path),
        () => {},
      )
    for (const path of paths) await syncFolder(path)
  }
}
