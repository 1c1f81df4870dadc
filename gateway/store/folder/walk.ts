/**
 * A walk through a folder in the byte order of whole paths, which is not that of folders: `a.txt`
 * comes before `a/b`. Names are kept as text of one character per byte: compact, and compared like
 * bytes.
 */
import { isUtf8 } from 'node:buffer'
import { type ObjectPath, parsePath } from '../../../key/object-path.ts'
import { codeOf } from '../files/files.ts'
import type { ObjectInfo } from '../store.ts'
import type { Candidate, Cursor } from '../walked-listing.ts'
import type { FolderFiles, Status } from './files.ts'
import { RESERVED } from './names.ts'
import type { OpenFolder, Tree } from './tree.ts'

/** How many names of one folder are kept; for more of them the folder is read again. */
const WINDOW = 4096

export interface WalkOptions {
  readonly tree: Tree
  readonly files: FolderFiles
  readonly bucket: string
  /** only what begins with this */
  readonly prefix: string
  /** nothing before this */
  readonly from: string
  readonly describe: (path: ObjectPath, status: Status | undefined) => ObjectInfo | undefined
  /** absent: a few thousand */
  readonly window?: number
}

/** A folder on the way. */
interface Level {
  readonly folder: OpenFolder
  /** the path up to here, in bytes, with its slash */
  readonly prefix: string
  /** the next names in bytes, last one first; a folder's with a slash behind */
  names: string[]
  /** from where on the folder is to be read again, in bytes; undefined: there is no more */
  rest: string | undefined
}

export class Walk implements Cursor {
  readonly #options: WalkOptions
  readonly #levels: Level[] = []
  readonly #prefix: string
  #from: string
  #hasBegun = false

  constructor(options: WalkOptions) {
    this.#options = options
    this.#prefix = bytesOf(options.prefix)
    const from = bytesOf(options.from)
    this.#from = from > this.#prefix ? from : this.#prefix
  }

  async next(): Promise<Candidate | undefined> {
    if (!this.#hasBegun) this.#begin()
    for (;;) {
      const level = this.#levels.at(-1)
      if (level === undefined) return undefined
      const name = await this.#nameIn(level)
      if (name === undefined) this.#leave()
      else if (this.#isPast(level.prefix + name)) return undefined
      else if (name.endsWith('/')) this.#enter(level, name)
      else {
        const candidate = this.#candidate(level, name)
        if (candidate !== undefined) return candidate
      }
    }
  }

  skip(prefix: string): void {
    const beyond = beyondAll(bytesOf(prefix))
    if (beyond > this.#from) this.#from = beyond
  }

  /** Lets go of the folders. */
  close(): void {
    while (this.#levels.length > 0) this.#leave()
  }

  /** At the deepest folder that holds all that is asked for. */
  #begin(): void {
    const { tree, bucket, prefix } = this.#options
    this.#hasBegun = true
    const top = `${bucket}/`
    if (!prefix.startsWith(top) && !top.startsWith(prefix)) return
    const names = prefix.slice(top.length).split('/').slice(0, -1)
    if (names[0] === RESERVED) return
    const folder = tree.open(names)
    const path = [bucket, ...names, ''].join('/')
    if (folder !== undefined) this.#levels.push(levelOf(folder, bytesOf(path)))
  }

  /** The next name in a folder that isn't wholly before where we are; undefined at its end. */
  async #nameIn(level: Level): Promise<string | undefined> {
    const from = within(level.prefix, this.#from)
    if (from === undefined) return undefined
    for (;;) {
      const name = level.names.pop()
      if (name !== undefined) {
        if (!isBefore(name, from)) return name
      } else if (level.rest === undefined) return undefined
      else await this.#fill(level, level.rest > from ? level.rest : from)
    }
  }

  async #fill(level: Level, from: string): Promise<void> {
    const names = new Smallest(this.#options.window ?? WINDOW)
    const isTop = level.prefix === bytesOf(`${this.#options.bucket}/`)
    for await (const entry of await this.#options.files.entries(level.folder.path)) {
      const isFolder = entry.isDirectory()
      if (!isFolder && !entry.isFile()) continue
      const name = entry.name.toString('latin1') + (isFolder ? '/' : '')
      if (isTop && (name === RESERVED || name === `${RESERVED}/`)) continue
      if (!isBefore(name, from)) names.add(name)
    }
    level.names = names.sorted().reverse()
    const [last] = level.names
    level.rest = names.isCut && last !== undefined ? behind(last) : undefined
  }

  /** What we may not look into, or what is gone again, is left out. */
  #enter(level: Level, name: string): void {
    const text = textOf(name.slice(0, -1))
    if (text === undefined || !isPath(`${textOf(level.prefix)}${text}/`)) return
    try {
      const folder = this.#options.tree.child(level.folder, text)
      if (folder !== undefined) this.#levels.push(levelOf(folder, level.prefix + name))
    } catch (error) {
      if (codeOf(error) !== 'EACCES') throw error
    }
  }

  #leave(): void {
    const level = this.#levels.pop()
    if (level !== undefined) this.#options.tree.close(level.folder)
  }

  #candidate({ folder, prefix }: Level, name: string): Candidate | undefined {
    const { tree, describe } = this.#options
    const text = textOf(name)
    const path = textOf(prefix + name)
    if (text === undefined || path === undefined || !isPath(path)) return undefined
    return { path, info: () => describe(path as ObjectPath, tree.look(folder, text)) }
  }

  #isPast(path: string): boolean {
    return path > this.#prefix && !path.startsWith(this.#prefix)
  }
}

const levelOf = (folder: OpenFolder, prefix: string): Level => ({
  folder,
  prefix,
  names: [],
  rest: '',
})

/** The smallest of many names, with room for twice as many as are wanted. */
class Smallest {
  readonly #most: number
  #names: string[] = []
  #bound: string | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** Whether there were more than are kept. */
  get isCut(): boolean {
    return this.#bound !== undefined
  }

  add(name: string): void {
    if (this.#bound !== undefined && name > this.#bound) return
    this.#names.push(name)
    if (this.#names.length >= 2 * this.#most) this.#cut()
  }

  sorted(): string[] {
    this.#cut()
    return this.#names
  }

  #cut(): void {
    this.#names.sort(byBytes)
    if (this.#names.length <= this.#most) return
    this.#names.length = this.#most
    this.#bound = this.#names.at(-1)
  }
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')

/** Undefined where the bytes are no text. */
function textOf(bytes: string): string | undefined {
  const buffer = Buffer.from(bytes, 'latin1')
  return isUtf8(buffer) ? buffer.toString() : undefined
}

/** Whether it is a path that an object or a prefix can have. */
function isPath(text: string): boolean {
  try {
    parsePath(text)
    return true
  } catch {
    return false
  }
}

/** Where `from` is in a folder: at its beginning, within, or, undefined, behind its end. */
function within(prefix: string, from: string): string | undefined {
  if (from.startsWith(prefix)) return from.slice(prefix.length)
  return from < prefix ? '' : undefined
}

/** Whether a file is before `from`, or a folder with all that is in it. */
const isBefore = (name: string, from: string): boolean =>
  name < from && !(name.endsWith('/') && from.startsWith(name))

/** The least text after a file, or after all that is in a folder. */
const behind = (name: string): string => (name.endsWith('/') ? beyondAll(name) : `${name}\0`)

/** The least text after all that begin with this: UTF-8 has no byte of 255, and no prefix is empty. */
const beyondAll = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
