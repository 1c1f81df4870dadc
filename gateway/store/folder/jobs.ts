/** What the writer thread does to notes and names. */
import type { Database } from '../../../database/open.ts'
import { codeOf } from '../files/files.ts'
import { type Changed, type Placement, place, remove, type Target } from './changes.ts'
import { changeFiles, type Status } from './files.ts'
import {
  type FindNote,
  fileIdentity,
  type Kept,
  NOTE_COLUMNS,
  type Note,
  type NoteKey,
  type StagedNote,
} from './notes.ts'
import { entryOf, type OpenFolder, Tree, type TreeParts } from './tree.ts'

export { migrations } from './notes.ts'

/** What these have done to names stays when a transaction is undone, and run again they would find it. */
export const outside = [
  'place',
  'remove',
  'makeFolders',
  'unmakeFolders',
] as const satisfies readonly (keyof FolderJobs)[]

/** What the operating system said, as plain data: the writer would take it for the database's. */
export interface Failed {
  readonly failed: {
    readonly code: string
    readonly message: string
    /** an fsync failed: nobody knows what is on the disk */
    readonly isSync: boolean
  }
}

type NewNote = StagedNote & Note & { readonly sums: Uint8Array }

interface InTree {
  readonly tree: TreeParts
  /** the folders from the top on */
  readonly names: readonly string[]
}

interface Review {
  readonly tree: TreeParts
  /** where files are staged */
  readonly staging: OpenFolder
  readonly after: number
  readonly most: number
}

type NoteRow = StagedNote & Kept

export type FolderJobs = ReturnType<typeof prepareJobs>

export function prepareJobs(db: Database) {
  const files = changeFiles
  const findNote = db.prepare<[string, string], Note & Kept>(
    `SELECT id, ${NOTE_COLUMNS} FROM notes WHERE key = ? AND file = ?`,
  )
  const addNote = db.prepare(
    `INSERT OR REPLACE INTO notes (key, file, staged, ${NOTE_COLUMNS}, sums)
     VALUES (@key, @file, @staged, @type, @etag, @sha256, @expires, @sums)`,
  )
  const removeNote = db.prepare<[number]>('DELETE FROM notes WHERE id = ?')
  const nextNotes = db.prepare<[number, number], NoteRow>(
    'SELECT id, key, file, staged FROM notes WHERE id > ? AND expires IS NULL ORDER BY id LIMIT ?',
  )
  const find: FindNote = (key, file) => findNote.get(key, file)

  return {
    ...prepareFolders(db),

    /** Returns its id. */
    note: (note: NewNote): number => Number(addNote.run(note).lastInsertRowid),

    place: (job: Placement): Changed | Failed => attempted(() => place(files, find, job)),

    remove: (job: Target & { only: string | undefined }): Changed | Failed =>
      attempted(() => remove(files, find, job)),

    /** Notes on files that are gone for good. */
    forget(ids: readonly number[]): void {
      for (const id of ids) removeNote.run(id)
    },

    /**
     * Forgets notes on files that other programs have changed or removed; returns where to go on,
     * 0 at the end. Those with an expiry wait for it: should a power cut bring the file back, it
     * must not be without.
     */
    review({ tree, staging, after, most }: Review): number {
      const notes = nextNotes.all(after, most)
      for (const note of notes) {
        const isStaged = files.look(entryOf(staging, note.staged)) !== undefined
        if (!isStaged && isStale(new Tree(files, tree), note)) removeNote.run(note.id)
      }
      return notes.length < most ? 0 : (notes.at(-1)?.id ?? 0)
    },
  }
}

function prepareFolders(db: Database) {
  const files = changeFiles
  const addMade = db.prepare<[string, string]>(
    'INSERT OR REPLACE INTO made (key, folder) VALUES (?, ?)',
  )
  const findMade = db.prepare<[string], string>('SELECT folder FROM made WHERE key = ?').pluck()
  const removeMade = db.prepare<[string]>('DELETE FROM made WHERE key = ?')

  return {
    /** Makes the folders that are missing, durably; all of them, or none. They are noted afterwards. */
    makeFolders: ({ tree, names }: InTree): Made | Failed =>
      attempted(() => makeFolders(new Tree(files, tree), names)),

    noteFolders(made: readonly MadeFolder[]): void {
      for (const { key, folder } of made) addMade.run(key, folder)
    },

    /** Removes folders that were made just now and could not be noted, as far as they are empty. */
    unmakeFolders({ tree, made }: { tree: TreeParts; made: readonly MadeFolder[] }): void {
      unmake(new Tree(files, tree), made)
    },

    /**
     * Removes a folder, and those above it, as far as we made them and they are empty. A note that
     * outlives its folder fits no other.
     */
    removeFolders({ tree, names }: InTree): void {
      for (let depth = names.length; depth > 0; depth -= 1) {
        const key = names.slice(0, depth).join('/')
        const folder = findMade.get(key)
        if (folder === undefined) return
        if (!isRemoved(new Tree(files, tree), names.slice(0, depth), folder)) return
        removeMade.run(key)
      }
    },
  }
}

/** A folder that we made. */
export interface MadeFolder {
  /** its path in the tree */
  readonly key: string
  /** the {@link madeIdentity} */
  readonly folder: string
}

export interface Made {
  /** from the top on */
  readonly made: readonly MadeFolder[]
  /** something that is no folder has the name of one */
  readonly isBlocked: boolean
}

function makeFolders(tree: Tree, names: readonly string[]): Made {
  const made: MadeFolder[] = []
  try {
    if (areMade(tree, names, (folder) => made.push(folder))) return { made, isBlocked: false }
  } catch (error) {
    unmake(tree, made)
    throw error
  }
  unmake(tree, made)
  return { made: [], isBlocked: true }
}

/** False where something else has one of the names. */
function areMade(
  tree: Tree,
  names: readonly string[],
  tell: (folder: MadeFolder) => void,
): boolean {
  let parent = tree.root
  try {
    for (const [at, name] of names.entries()) {
      if (tree.look(parent, name) === undefined) {
        const status = isMadeNow(parent, name) ? tree.look(parent, name) : undefined
        if (status !== undefined) {
          tell({ key: names.slice(0, at + 1).join('/'), folder: madeIdentity(status) })
        }
        syncNames(parent)
      }
      const folder = tree.child(parent, name)
      if (folder === undefined) return false
      tree.close(parent)
      parent = folder
    }
    return true
  } finally {
    tree.close(parent)
  }
}

/** False where another program was faster. */
function isMadeNow(parent: OpenFolder, name: string): boolean {
  try {
    changeFiles.makeFolderNow(entryOf(parent, name))
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function syncNames(folder: OpenFolder): void {
  try {
    changeFiles.syncNow(folder.file)
  } catch (cause) {
    throw new SyncError(cause)
  }
}

function unmake(tree: Tree, made: readonly MadeFolder[]): void {
  for (const { key, folder } of made.toReversed()) {
    try {
      isRemoved(tree, key.split('/'), folder)
    } catch {
      // no permission any more: what can't be removed stays
    }
  }
}

/** Inode numbers of removed folders come back soon; the time of birth doesn't. */
const madeIdentity = ({ ino, birthtimeNs }: Status): string => `${ino}.${birthtimeNs}`

/** Whether it is gone: it was the one that we made, and empty. */
function isRemoved(tree: Tree, names: readonly string[], folder: string): boolean {
  const name = names.at(-1) ?? ''
  const gone = tree.within(names.slice(0, -1), (parent) => {
    const status = tree.look(parent, name)
    if (status === undefined) return true
    if (!status.isDirectory() || madeIdentity(status) !== folder) return false
    try {
      changeFiles.removeFolderNow(entryOf(parent, name))
      return true
    } catch {
      // not empty, or no permission: it stays
      return false
    }
  })
  return gone ?? true
}

/** Whether what is at its place is certainly not the file that the note is on. */
function isStale(tree: Tree, { key, file }: NoteKey): boolean {
  const names = key.split('/')
  try {
    const there = tree.within(names.slice(0, -1), (folder) => {
      const status = tree.look(folder, names.at(-1) ?? '')
      return status && fileIdentity(status)
    })
    return there !== file
  } catch {
    // no permission to look
    return false
  }
}

class SyncError extends Error {
  readonly code: string

  constructor(cause: unknown) {
    super(`fsync of a folder failed: ${(cause as Error).message}`, { cause })
    this.code = codeOf(cause)
  }
}

function attempted<T>(work: () => T): T | Failed {
  try {
    return work()
  } catch (error) {
    const code = codeOf(error)
    if (!/^E[A-Z0-9]+$/.test(code)) throw error
    const { message } = error as Error
    return { failed: { code, message, isSync: error instanceof SyncError } }
  }
}
