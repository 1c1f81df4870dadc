/**
 * What changes the names in a folder: run on the writer's thread, whose lock on the database keeps
 * all processes of ours from changing any other name meanwhile. So nobody of us changes a file
 * between the look at it and the change; other programs can, in the moment between the two calls.
 */
import type { ObjectPath } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { holds } from '../condition.ts'
import { codeOf } from '../files/files.ts'
import type { ObjectInfo, WriteCondition } from '../store.ts'
import { type ChangeFiles, type Status, unlessAbsent } from './files.ts'
import { described, type FindNote, fileIdentity } from './notes.ts'
import { entryOf, type OpenFolder } from './tree.ts'

/** A name, in a folder that is held open while the change is made. */
export interface Target {
  readonly path: ObjectPath
  readonly key: string
  readonly folder: OpenFolder
  readonly name: string
  readonly now: UnixSeconds
  readonly condition: WriteCondition | undefined
}

export interface Placement extends Target {
  /** the file that is to get the name, in the same file system */
  readonly staged: string
}

export type Changed =
  | {
      readonly done: true
      /** whether an object was there */
      readonly existed: boolean
      /** the file that was there */
      readonly gone: Gone | undefined
    }
  | { readonly done: false; readonly existing: ObjectInfo | undefined }
  /** what is there is no file, and not ours to change */
  | { readonly blocked: 'folder' | 'special' }
  /** another program has put something there at this very moment */
  | { readonly outrun: true }

export interface Gone {
  /** the id of the note that was on it */
  readonly note: number | undefined
}

interface Found {
  readonly status: Status | undefined
  readonly existing: ObjectInfo | undefined
  readonly note: number | undefined
}

/** Gives a staged file its name, if the condition holds. */
export function place(files: ChangeFiles, find: FindNote, job: Placement): Changed {
  const there = found(files, find, job)
  const { status, existing } = there
  if (status !== undefined && !status.isFile()) return blockedBy(status)
  if (!holds(job.condition, existing)) return { done: false, existing }
  const to = entryOf(job.folder, job.name)
  if (status === undefined && job.condition !== undefined) {
    if (!created(files, job.staged, to)) return { outrun: true }
  } else files.renameNow(job.staged, to)
  return changed(there)
}

/**
 * Removes a file, if the condition holds.
 * @param only the identity that it must have
 */
export function remove(
  files: ChangeFiles,
  find: FindNote,
  job: Target & { readonly only: string | undefined },
): Changed {
  const there = found(files, find, job)
  const { status, existing } = there
  const isMeant = job.only === undefined || (status && fileIdentity(status)) === job.only
  if (!status?.isFile() || !isMeant) {
    return holds(job.condition, undefined)
      ? { done: true, existed: false, gone: undefined }
      : { done: false, existing: undefined }
  }
  if (!holds(job.condition, existing)) return { done: false, existing }
  unlessAbsent(() => files.unlinkNow(entryOf(job.folder, job.name)))
  return changed(there)
}

function found(files: ChangeFiles, find: FindNote, job: Target): Found {
  const status = files.look(entryOf(job.folder, job.name))
  const note = status && find(job.key, fileIdentity(status))?.id
  return { status, existing: described(status, { ...job, find }), note }
}

const changed = ({ status, existing, note }: Found): Changed => ({
  done: true,
  existed: existing !== undefined,
  gone: status && { note },
})

const blockedBy = (status: Status): Changed => ({
  blocked: status.isDirectory() ? 'folder' : 'special',
})

/** The errors of file systems that know no second names, such as FAT's. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Only if nothing has the name yet; false where something has. */
function created(files: ChangeFiles, staged: string, to: string): boolean {
  try {
    files.linkNow(staged, to)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (!NO_LINKS.has(codeOf(error))) throw error
    files.renameNow(staged, to)
  }
  return true
}
