/**
 * The calls on the file system that a folder bucket makes: those of the disk store, and those that
 * tell files, folders and everything else apart and never follow a symbolic link. Errors are those of
 * node:fs, with their `code`.
 */
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import { codeOf, type FileDescriptor, type Files, nodeFiles } from '../files/files.ts'

/** What is there, exactly: inode numbers and times in nanoseconds exceed a float. */
export type Status = fs.BigIntStats

interface Entry {
  /** its bytes: a name need not be UTF-8 */
  readonly name: Buffer
  isFile(): boolean
  isDirectory(): boolean
}

/** At once: what these need is in the kernel's memory nearly always. */
export interface NameFiles {
  /** @throws ENOTDIR where it is no folder, a symbolic link to one included */
  openFolder(path: string): FileDescriptor
  /** Of the entry itself, not of what a symbolic link points to; undefined where there is none. */
  look(path: string): Status | undefined
  status(file: FileDescriptor): Status
  closeNow(file: FileDescriptor): void
}

/** On the writer's thread, which waits for the disk in our place. */
export interface ChangeFiles extends NameFiles {
  makeFolderNow(path: string): void
  syncNow(file: FileDescriptor): void
  /** A second name for a file. @throws EEXIST where the name is taken */
  linkNow(from: string, to: string): void
  /** Takes the place of whatever file is there. */
  renameNow(from: string, to: string): void
  unlinkNow(path: string): void
  /** An empty one. */
  removeFolderNow(path: string): void
}

export interface FolderFiles extends Files, NameFiles {
  entries(folder: string): Promise<AsyncIterable<Entry>>
  /** In whole seconds. */
  setModified(file: FileDescriptor, modified: number): Promise<void>
  setGroup(file: FileDescriptor, group: number): Promise<void>
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants

const futimes = promisify(fs.futimes)
const fchown = promisify(fs.fchown)
const open = promisify(fs.open)

const nameFiles: NameFiles = {
  openFolder: (path) => fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
  look: (path) => fs.lstatSync(path, { bigint: true, throwIfNoEntry: false }),
  status: (file) => fs.fstatSync(file, { bigint: true }),
  closeNow: fs.closeSync,
}

export const changeFiles: ChangeFiles = {
  ...nameFiles,
  makeFolderNow: (path) => fs.mkdirSync(path),
  syncNow: fs.fsyncSync,
  linkNow: fs.linkSync,
  renameNow: fs.renameSync,
  unlinkNow: fs.unlinkSync,
  removeFolderNow: fs.rmdirSync,
}

export const folderFiles: FolderFiles = {
  ...nodeFiles,
  ...nameFiles,
  // opening a pipe must not wait for a writer, nor a terminal become ours
  open: (path) => fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY),
  // like any other program's file: what the umask leaves of it
  create: (path) => open(path, 'wx', 0o666),
  entries: (folder) =>
    fs.promises.opendir(folder, { encoding: 'buffer' as BufferEncoding, bufferSize: 256 }) as never,
  setModified: (file, modified) => futimes(file, modified, modified),
  setGroup: (file, group) => fchown(file, -1, group),
}

/** The errors of looking for a file or folder where there is none that we would serve. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENAMETOOLONG', 'ENXIO', 'EILSEQ'])

const isAbsent = (error: unknown): boolean => ABSENT.has(codeOf(error))

/** The answer, or undefined where there is nothing that we would serve. */
export function unlessAbsent<T>(question: () => T): T | undefined {
  try {
    return question()
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
