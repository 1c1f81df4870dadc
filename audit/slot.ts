/**
 * A slot: what one process at a time appends to, day by day and over restarts, so that all that was
 * ever written to it is one chain of seals. Its lock is dropped by the operating system with the
 * process, and the next one goes on where it ended.
 */
import type { KeyObject } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Slot } from '../database/lock.ts'
import { Batch } from './batch.ts'
import { type AuditFile, auditFile, auditFiles } from './names.ts'
import { tailOf } from './tail.ts'

/** A file of the slot that ends with its last seal. */
export interface OpenFile {
  readonly file: AuditFile
  readonly handle: FileHandle
  /** of the last seal */
  seq: number
  seal: string
  /** in bytes, up to and with the last seal */
  length: number
}

/** What the first record of a file says of the one before it in its slot. */
export interface Begun {
  readonly file: string
  /** null: this is the first one */
  readonly after: {
    readonly file: string
    /** null where that file has none at all */
    readonly seq: number | null
    readonly seal: string | null
    /** bytes behind that seal, as a crash leaves them */
    readonly torn: number
  } | null
}

/** After it nobody knows what is on the disk, and a second fsync would say that all is well. */
export class NotSynced extends Error {}

/** @throws NotSynced */
export async function datasync(handle: FileHandle): Promise<void> {
  try {
    await handle.datasync()
  } catch (cause) {
    throw new NotSynced('an fsync of the audit failed', { cause })
  }
}

/**
 * Goes on with the newest file of the slot where it is of that day and whole, else begins one that
 * names it. A day that lies before the newest file's is taken for that one: the clock was set back.
 * @param record the first record of a new file, as a line
 */
export async function openIn(
  { folder, number }: Slot,
  day: string,
  key: KeyObject,
  record: (begun: Begun) => string,
): Promise<OpenFile> {
  const newest = auditFiles(folder).findLast(({ slot }) => slot === number)
  if (newest === undefined) return begin(folder, auditFile(day, number, 0), null, key, record)
  const { seal, torn, length } = tailOf(join(folder, newest.name))
  const isSameDay = newest.day >= day
  if (isSameDay && torn === 0 && seal !== undefined) {
    const handle = await open(join(folder, newest.name), 'a')
    return { file: newest, handle, seq: seal.seq, seal: seal.seal, length }
  }
  const next = isSameDay
    ? auditFile(newest.day, number, newest.part + 1)
    : auditFile(day, number, 0)
  await syncFile(join(folder, newest.name))
  const after = { file: newest.name, seq: seal?.seq ?? null, seal: seal?.seal ?? null, torn }
  return begin(folder, next, after, key, record)
}

/** Named when its first record and the seal over that are on the disk: no file is ever without. */
async function begin(
  folder: string,
  file: AuditFile,
  after: Begun['after'],
  key: KeyObject,
  record: (begun: Begun) => string,
): Promise<OpenFile> {
  const seq = (after?.seq ?? -1) + 1
  const batch = new Batch()
  batch.add(record({ file: file.name, after }), 0)
  const { bytes, seal } = batch.sealed(key, after?.seal ?? '', seq)
  const unnamed = join(folder, `.${file.name}.new`)
  await rm(unnamed, { force: true })
  const handle = await open(unnamed, 'ax', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
    await rename(unnamed, join(folder, file.name))
    await syncFolder(folder)
    return { file, handle, seq, seal, length: bytes.length }
  } catch (error) {
    await handle.close()
    await rm(unnamed, { force: true })
    throw error
  }
}

/** A seal that is named must not be lost any more: it would look like an end that was cut off. */
async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await datasync(handle)
  } finally {
    await handle.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
