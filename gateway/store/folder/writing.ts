/** What writes to a folder: uploads, deletions, and tidying up behind both. */
import type { Instance } from '../../../database/instance.ts'
import { siblingModule } from '../../../database/sibling.ts'
import { startWriter, type Writer } from '../../../database/writer.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import { holds } from '../condition.ts'
import { codeOf } from '../files/files.ts'
import { Health } from '../files/health.ts'
import type {
  Committed,
  Conflict,
  NewObject,
  ObjectInfo,
  Trouble,
  Upload,
  WriteCondition,
} from '../store.ts'
import type { Busy } from './busy.ts'
import type { Changed } from './changes.ts'
import type { FolderFiles, Status } from './files.ts'
import type { Failed, FolderJobs, MadeFolder } from './jobs.ts'
import { findablePlace, type Place, placeOf } from './names.ts'
import type { NoteReader } from './note-reader.ts'
import { fileIdentity, measured } from './notes.ts'
import { inTheWay } from './refusals.ts'
import { type StagedFile, Staging } from './staging.ts'
import { entryOf, folderIdentity, type OpenFolder, Tree } from './tree.ts'
import { FolderUpload, type Uploading } from './upload.ts'

export interface WritingOptions {
  readonly bucket: string
  readonly files: FolderFiles
  readonly root: OpenFolder
  readonly database: string
  readonly notes: NoteReader
  readonly busy: Busy
  readonly instance: Pick<Instance, 'id' | 'isAlive'>
  readonly now: () => UnixSeconds
  readonly reserve: Bytes | undefined
}

/** Where a change is made. */
interface Site extends Place {
  readonly path: ObjectPath
}

/** How often other programs may get ahead of one upload before it is refused. */
const MOST_ATTEMPTS = 5

/** More at once would keep other writers waiting. */
const MOST_TIDIED = 200

const S_ISGID = 0o2000n

export class Writing {
  readonly tree: Tree
  readonly #options: WritingOptions
  readonly #writer: Writer<FolderJobs>
  readonly #staging: Staging
  readonly #health: Health
  #reviewed = 0

  private constructor(
    options: WritingOptions,
    writer: Writer<FolderJobs>,
    health: Health,
    staging: Staging,
  ) {
    const { files, root } = options
    this.#options = options
    this.#writer = writer
    this.#health = health
    this.#staging = staging
    const reserved = folderIdentity(files.status(staging.top.file))
    this.tree = new Tree(files, { root, reserved })
  }

  /** @throws DatabaseError, or an error of node:fs */
  static async open(options: WritingOptions): Promise<Writing> {
    const { files, root, database, notes, instance, now, reserve } = options
    const jobs = siblingModule(import.meta.url, 'jobs')
    const writer = await startWriter<FolderJobs>(database, jobs)
    try {
      const indexFailure = () => writer.failure
      const health = new Health({ files, folder: root.path, now, reserve, indexFailure })
      const staging = await Staging.open(health.guarded(files), root, notes.name, instance)
      return new Writing(options, writer, health, staging)
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  /** @throws Refusal path_malformed, conflict, storage_full, unavailable */
  async upload(path: ObjectPath): Promise<Upload> {
    const site = { path, ...placeOf(path) }
    this.#checkWay(site)
    await this.#health.check()
    const uploading: Uploading = {
      staging: this.#staging,
      health: this.#health,
      busy: this.#options.busy,
    }
    return new FolderUpload(uploading, (staged, as, condition) =>
      this.#commit(site, staged, as, condition),
    )
  }

  async delete(path: ObjectPath, condition?: WriteCondition): Promise<boolean | Conflict> {
    const trouble = await this.#health.trouble()
    if (trouble?.code === 'unavailable') throw new Refusal(trouble.code, trouble.detail)
    const place = findablePlace(path)
    const changed = place && (await this.#remove({ path, ...place }, condition))
    if (changed === undefined) return holds(condition, undefined) ? false : { done: false }
    return changed.done ? changed.existed : conflictWith(changed.existing)
  }

  trouble(): Awaitable<Trouble | undefined> {
    return this.#health.trouble()
  }

  /** Removes what has expired, and forgets some of what other programs have removed. */
  async tidy(): Promise<void> {
    const { bucket, files, notes, now } = this.#options
    const gone: number[] = []
    for (const { id, key, file, staged } of notes.expired(now(), MOST_TIDIED)) {
      if (files.look(entryOf(this.#staging.top, staged)) !== undefined) continue
      const path = `${bucket}/${key}` as ObjectPath
      try {
        const changed = await this.#remove({ path, ...placeOf(path) }, undefined, file)
        // where the file was there, its note has been forgotten with it
        if (!changed?.done || changed.gone === undefined) gone.push(id)
      } catch {
        // what can't be removed keeps its note for another time, and keeps nothing else waiting
      }
    }
    if (gone.length > 0) await this.#run('forget', gone)
    const review = { tree: this.tree.parts, staging: this.#staging.top, most: MOST_TIDIED }
    this.#reviewed = await this.#run('review', { ...review, after: this.#reviewed })
  }

  /** When nothing is under way any more. */
  async close(): Promise<void> {
    await this.#writer.close()
    await this.#staging.close()
  }

  async #commit(
    site: Site,
    staged: StagedFile,
    as: NewObject,
    condition: WriteCondition | undefined,
  ): Promise<Committed | Conflict> {
    const existing = this.#info(site)
    if (!holds(condition, existing)) return conflictWith(existing)
    let outcome: Committed | Conflict | undefined
    try {
      for (let attempt = 0; attempt < MOST_ATTEMPTS && outcome === undefined; attempt += 1) {
        outcome = await this.#attempt(site, staged, as, condition)
      }
    } finally {
      if (!outcome?.done) await this.#removeEmpty(site.folders).catch(() => {})
    }
    if (outcome !== undefined) return outcome
    throw new Refusal(
      'unavailable',
      'other programs keep changing what is at this path; try again in a moment',
    )
  }

  /** Undefined where another program was faster and it is to be tried again. */
  async #attempt(
    site: Site,
    staged: StagedFile,
    as: NewObject,
    condition: WriteCondition | undefined,
  ): Promise<Committed | Conflict | undefined> {
    const folder = await this.#openedOrMade(site.folders)
    if (folder === undefined) return undefined
    try {
      return await this.#placed(site, folder, staged, as, condition)
    } finally {
      this.tree.close(folder)
    }
  }

  async #placed(
    site: Site,
    folder: OpenFolder,
    staged: StagedFile,
    as: NewObject,
    condition: WriteCondition | undefined,
  ): Promise<Committed | Conflict | undefined> {
    const status = await this.#finished(staged, folder, as)
    const { path, key, name } = site
    const { type, etag, sha256, expires = null } = as
    const on = { key, file: fileIdentity(status), staged: staged.name }
    const note = await this.#run('note', { ...on, type, etag, sha256, expires, sums: staged.sums })
    const target = { path, key, name, folder, now: this.#options.now(), condition }
    const changed = await unlessGone(this.#run('place', { ...target, staged: staged.path }))
    if (changed !== undefined && 'done' in changed && changed.done) {
      await this.#syncNames(folder)
      this.#forget(changed.gone?.note)
      const info = { path, ...as, ...measured(status) }
      return { done: true, info, created: !changed.existed }
    }
    this.#forget(note)
    if (changed === undefined || 'outrun' in changed) return undefined
    if ('blocked' in changed) throw inTheWay(changed.blocked)
    return conflictWith(changed.existing)
  }

  /** Whole and durable, as it will be found under its name. */
  async #finished(staged: StagedFile, folder: OpenFolder, as: NewObject): Promise<Status> {
    const { files } = this.#options
    const { mode, gid } = files.status(folder.file)
    // what is made in such a folder belongs to its group; ours was made elsewhere
    const isOfGroup = (mode & S_ISGID) !== 0n && files.status(staged.file).gid !== gid
    if (isOfGroup) await files.setGroup(staged.file, Number(gid)).catch(() => {})
    await files.setModified(staged.file, as.modified)
    await this.#staging.files.sync(staged.file)
    return files.status(staged.file)
  }

  /** Of a name that was changed. @throws Refusal unavailable: 507 would say that it was not */
  async #syncNames(folder: OpenFolder): Promise<void> {
    try {
      await this.#staging.files.sync(folder.file)
    } catch (cause) {
      throw new Refusal(
        'unavailable',
        'the file was changed, but its folder could not be synced: a power cut may undo it; check the disk',
        { cause },
      )
    }
  }

  /** Undefined where there was no folder to look into. @param only the file that is meant */
  async #remove(
    site: Site,
    condition: WriteCondition | undefined,
    only?: string,
  ): Promise<Extract<Changed, { done: boolean }> | undefined> {
    const { path, key, name, folders } = site
    const folder = this.tree.open(folders)
    if (folder === undefined) return undefined
    let changed: Changed
    try {
      const target = { path, key, name, folder, now: this.#options.now(), condition, only }
      changed = await this.#run('remove', target)
      // only when it is gone for good its note may go: it might say when the object ends
      if ('gone' in changed && changed.gone !== undefined) {
        await this.#syncNames(folder)
        this.#forget(changed.gone.note)
      }
    } finally {
      this.tree.close(folder)
    }
    if ('gone' in changed && changed.gone !== undefined) {
      // the file is gone: a refusal would say that it is not
      await this.#removeEmpty(folders).catch(() => {})
    }
    return 'done' in changed ? changed : undefined
  }

  /** Folders that we made ourselves. */
  async #removeEmpty(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.#run('removeFolders', { tree: this.tree.parts, names })
  }

  #info({ path, key, folders, name }: Site): ObjectInfo | undefined {
    return this.#options.notes.infoNow(path, key, () => this.#look(folders, name))
  }

  /** Before a byte is taken: whether something is in the way that no upload replaces. */
  #checkWay({ folders, name }: Site): void {
    const status = this.#look(folders, name)
    if (status?.isDirectory()) throw inTheWay('folder')
    if (status !== undefined && !status.isFile()) throw inTheWay('special')
    if (status !== undefined) return
    for (const [depth, folder] of folders.entries()) {
      const above = this.#look(folders.slice(0, depth), folder)
      if (above === undefined) return
      if (!above.isDirectory()) throw inTheWay('parent')
    }
  }

  #look(folders: readonly string[], name: string): Status | undefined {
    return this.tree.within(folders, (folder) => this.tree.look(folder, name))
  }

  async #openedOrMade(names: readonly string[]): Promise<OpenFolder | undefined> {
    const there = this.tree.open(names)
    if (there !== undefined) return there
    const { made, isBlocked } = await this.#run('makeFolders', { tree: this.tree.parts, names })
    if (isBlocked) throw inTheWay('parent')
    if (made.length > 0) await this.#noteFolders(made)
    return this.tree.open(names)
  }

  /** What is not known to be ours would stay for good, and keep its name from being an object's. */
  async #noteFolders(made: readonly MadeFolder[]): Promise<void> {
    try {
      await this.#run('noteFolders', made)
    } catch (error) {
      await this.#run('unmakeFolders', { tree: this.tree.parts, made }).catch(() => {})
      throw error
    }
  }

  /** In the background; what isn't forgotten now, a review finds. */
  #forget(note: number | undefined): void {
    if (note === undefined) return
    this.#options.busy.run(() => this.#run('forget', [note])).catch(() => {})
  }

  /** A job whose failures on the disk are errors like any other here. */
  async #run<Name extends keyof FolderJobs & string>(
    name: Name,
    job: Parameters<FolderJobs[Name]>[0],
  ): Promise<Exclude<ReturnType<FolderJobs[Name]>, Failed>> {
    const outcome = await this.#writer.run(name, job)
    if (!isFailed(outcome)) return outcome as Exclude<typeof outcome, Failed>
    const { code, message, isSync } = outcome.failed
    const error = Object.assign(new Error(message), { code })
    if (isSync) this.#health.noteFailedSync(error)
    throw error
  }
}

const isFailed = (outcome: unknown): outcome is Failed =>
  typeof outcome === 'object' && outcome !== null && 'failed' in outcome

const conflictWith = (existing: ObjectInfo | undefined): Conflict =>
  existing === undefined ? { done: false } : { done: false, existing }

/** Undefined where the folder has been removed meanwhile. */
async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
