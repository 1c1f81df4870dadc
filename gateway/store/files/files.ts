/**
 * The calls on the file system that the disk store makes: one seam, so that a test can let each of
 * them fail in turn. Errors are those of node:fs, with their `code`.
 */
import * as fs from 'node:fs'
import { promisify } from 'node:util'

/** An open file, as the operating system numbers it. */
export type FileDescriptor = number

export interface Space {
  /** bytes that we may still use */
  readonly free: number
  readonly total: number
}

export interface Files {
  /**
   * Made with its parents, readable by the owner only; may be there already.
   * @returns the topmost folder that was missing
   */
  makeFolder(path: string): Promise<string | undefined>
  names(folder: string): Promise<readonly string[]>
  /** A new file, to be written, readable by the owner only. */
  create(path: string): Promise<FileDescriptor>
  /** At once: what it needs is in the kernel's memory nearly always. */
  open(path: string): FileDescriptor
  /** Appends; returns how many bytes were taken. */
  append(file: FileDescriptor, chunks: readonly Uint8Array[]): Promise<number>
  /** Fills `into`, unless the file ends before; returns how many bytes there were. */
  read(file: FileDescriptor, into: Uint8Array, position: number): Promise<number>
  readNow(file: FileDescriptor, into: Uint8Array, position: number): number
  sync(file: FileDescriptor): Promise<void>
  close(file: FileDescriptor): Promise<void>
  /** A second name for a file. */
  link(from: string, to: string): Promise<void>
  /** A new file that shares the blocks of another; fails where the file system can't. */
  clone(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** An empty one. */
  removeFolder(path: string): Promise<void>
  space(path: string): Promise<Space>
}

const copyFile = promisify(fs.copyFile)
const mkdir = promisify(fs.mkdir)
const open = promisify(fs.open)
const statfs = promisify(fs.statfs)

const readOnce = (
  file: FileDescriptor,
  into: Uint8Array,
  offset: number,
  position: number,
): Promise<number> =>
  new Promise((resolve, reject) => {
    fs.read(file, into, offset, into.length - offset, position, (error, count) =>
      error ? reject(error) : resolve(count),
    )
  })

async function readFully(
  file: FileDescriptor,
  into: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0
  while (done < into.length) {
    const count = await readOnce(file, into, done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

export const nodeFiles: Files = {
  makeFolder: (path) => mkdir(path, { recursive: true, mode: 0o700 }),
  names: promisify(fs.readdir) as (folder: string) => Promise<string[]>,
  create: (path) => open(path, 'wx', 0o600),
  open: (path) => fs.openSync(path, 'r'),
  append: (file, chunks) =>
    new Promise((resolve, reject) => {
      fs.writev(file, chunks, (error, written) => (error ? reject(error) : resolve(written)))
    }),
  read: readFully,
  readNow: (file, into, position) => {
    let done = 0
    while (done < into.length) {
      const count = fs.readSync(file, into, done, into.length - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  },
  sync: promisify(fs.fsync),
  close: promisify(fs.close),
  link: promisify(fs.link),
  clone: (from, to) => copyFile(from, to, fs.constants.COPYFILE_FICLONE_FORCE),
  unlink: promisify(fs.unlink),
  removeFolder: promisify(fs.rmdir),
  space: async (path) => {
    const { bavail, bsize, blocks } = await statfs(path)
    return { free: bavail * bsize, total: blocks * bsize }
  },
}

export const codeOf = (error: unknown): string =>
  String((error as { code?: unknown } | undefined)?.code ?? '')

/** Runs a removal; that there is nothing to remove is as good. */
export async function ifThere(removal: Promise<void>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

export async function syncFolder(files: Files, path: string): Promise<void> {
  const folder = files.open(path)
  try {
    await files.sync(folder)
  } finally {
    await files.close(folder)
  }
}

/** What is read at once where a file is read from its beginning to its end. */
const CHUNK = 256 * 1024

/** All bytes of a file, in chunks of their own memory. */
export async function* contentOf(files: Files, path: string): AsyncGenerator<Uint8Array> {
  const file = files.open(path)
  try {
    for (let position = 0; ; ) {
      const chunk = new Uint8Array(CHUNK)
      const count = await files.read(file, chunk, position)
      if (count === 0) return
      yield chunk.subarray(0, count)
      position += count
    }
  } finally {
    await files.close(file)
  }
}
