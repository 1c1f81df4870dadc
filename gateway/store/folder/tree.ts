/**
 * Finds its way in a folder and never out of it. Each segment of a path is looked up in the open
 * folder before it, and is refused where it is a symbolic link, so whatever other programs rename or
 * link meanwhile, what we come to is a folder that was inside when we passed.
 *
 * Node has no `openat`, but on Linux `/proc/self/fd/N/NAME` is the same. Elsewhere the path is spelt
 * out and each segment checked in turn, which leaves a moment between the check of one and the next.
 */
import { isEntryName } from '../files/entry-name.ts'
import type { FileDescriptor } from '../files/files.ts'
import { type NameFiles, type Status, unlessAbsent } from './files.ts'

/** A folder held open. */
export interface OpenFolder {
  readonly file: FileDescriptor
  /** how what is in it is named, for as long as it is open */
  readonly path: string
}

/** What a tree is made of: plain, so that a thread can be told. */
export interface TreeParts {
  readonly root: OpenFolder
  /** a folder in the root that is treated as if it weren't there, under whatever name it is found */
  readonly reserved: string | undefined
}

const isAnchored = process.platform === 'linux'

export const held = (file: FileDescriptor, path: string): OpenFolder => ({
  file,
  path: isAnchored ? `/proc/self/fd/${file}` : path,
})

export const entryOf = (folder: OpenFolder, name: string): string => `${folder.path}/${name}`

/** Tells one folder from another, whatever their names. */
export const folderIdentity = ({ dev, ino }: Status): string => `${dev}.${ino}`

export class Tree {
  readonly parts: TreeParts
  readonly #files: NameFiles

  constructor(files: NameFiles, parts: TreeParts) {
    this.#files = files
    this.parts = parts
  }

  get root(): OpenFolder {
    return this.parts.root
  }

  /** A folder in an open one, to be closed by the caller; undefined where there is none. */
  child(parent: OpenFolder, name: string): OpenFolder | undefined {
    if (!isEntryName(name)) return undefined
    const path = entryOf(parent, name)
    const file = unlessAbsent(() => this.#files.openFolder(path))
    if (file === undefined) return undefined
    if (parent !== this.root || !this.#isReserved(file)) return held(file, path)
    this.#files.closeNow(file)
    return undefined
  }

  /** A folder by its names from the root on, to be closed by the caller; undefined where there is none. */
  open(names: readonly string[]): OpenFolder | undefined {
    let folder: OpenFolder | undefined = this.root
    for (const name of names) {
      let next: OpenFolder | undefined
      try {
        next = this.child(folder, name)
      } finally {
        this.close(folder)
      }
      if (next === undefined) return undefined
      folder = next
    }
    return folder
  }

  /** Does something in a folder, if it is there, and closes it. */
  within<T>(names: readonly string[], use: (folder: OpenFolder) => T): T | undefined {
    const folder = this.open(names)
    if (folder === undefined) return undefined
    try {
      return use(folder)
    } finally {
      this.close(folder)
    }
  }

  /** What is there under a name; undefined where there is nothing. */
  look(folder: OpenFolder, name: string): Status | undefined {
    if (!isEntryName(name)) return undefined
    return unlessAbsent(() => this.#files.look(entryOf(folder, name)))
  }

  /** The root stays open. */
  close(folder: OpenFolder): void {
    if (folder !== this.root) this.#files.closeNow(folder.file)
  }

  /** By what it is: where case makes no difference, it has many names. */
  #isReserved(file: FileDescriptor): boolean {
    const { reserved } = this.parts
    if (reserved === undefined) return false
    try {
      return folderIdentity(this.#files.status(file)) === reserved
    } catch (error) {
      this.#files.closeNow(file)
      throw error
    }
  }
}
