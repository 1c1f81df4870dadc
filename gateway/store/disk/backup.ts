/**
 * Copies the index and the blobs that it names, while other processes write. Blobs first, for as
 * long as that takes; then, for a moment, nobody commits while what is new is held; then the index
 * as of that moment, and what was held.
 */
import { copyDatabase } from '../../../database/copy.ts'
import type { Instance } from '../../../database/instance.ts'
import { openDatabase, openReader } from '../../../database/open.ts'
import { type Files, nodeFiles } from '../files/files.ts'
import { inLanes } from '../lanes.ts'
import type { CopyOptions, CopyPlace, MissingBlob, StoreCopy } from '../maintenance.ts'
import { BlobCopier, type Brought, prune } from './blob-copier.ts'
import { BlobList, type NamedBlob } from './blob-list.ts'
import { Hold } from './hold.ts'
import { Layout, makeBlobFolders } from './layout.ts'
import { migrations } from './schema.ts'

export interface BackupSource {
  readonly files: Files
  readonly layout: Layout
  readonly instance: Pick<Instance, 'id'>
}

/** Files that are linked or copied side by side. */
const LANES = 8

/** @throws what the signal was aborted with; DatabaseError; errors of node:fs */
export async function copyStore(
  source: BackupSource,
  place: CopyPlace,
  options: CopyOptions,
): Promise<StoreCopy> {
  const { files, layout, instance } = source
  const to = new Layout(place.folder)
  await makeBlobFolders(files, to)
  const work = new Work(new BlobCopier(files, to, options), options)
  await work.bringLive(layout)
  const hold = await Hold.take(files, layout, instance.id, (name) => work.has(name))
  try {
    await copyDatabase(hold.snapshot, place.index)
    const list = new BlobList(hold.snapshot)
    const missing = await work.bring(list, (name) => hold.path(name))
    await work.settle()
    return { objects: list.objects(), blobs: list.blobs(), ...work.counts, missing }
  } finally {
    await hold.release()
  }
}

class Work {
  readonly counts = { kept: 0, linked: 0, copied: 0 }
  readonly #copier: BlobCopier
  readonly #options: CopyOptions
  readonly #brought = new Set<string>()
  #bytes = 0

  constructor(copier: BlobCopier, options: CopyOptions) {
    this.#copier = copier
    this.#options = options
  }

  has(name: string): boolean {
    return this.#brought.has(name)
  }

  /** What the index names now. What goes meanwhile is no loss: the snapshot will not name it. */
  async bringLive(layout: Layout): Promise<void> {
    const index = openDatabase(layout.index, migrations)
    try {
      await this.#bringAll(new BlobList(index), (name) => layout.blob(name))
    } finally {
      index.close()
    }
  }

  /** @returns those that are not there */
  async bring(list: BlobList, from: (name: string) => string): Promise<readonly MissingBlob[]> {
    const missing = await this.#bringAll(list, from)
    return missing.flatMap((blob) => list.pathsOf(blob).map((path) => ({ path, blob })))
  }

  settle(): Promise<void> {
    return this.#copier.settle()
  }

  /** @returns the names of those that are not there */
  async #bringAll(
    blobs: Iterable<NamedBlob>,
    from: (name: string) => string,
  ): Promise<readonly string[]> {
    const missing: string[] = []
    await inLanes(blobs, LANES, async ({ name, size }) => {
      if (this.#brought.has(name)) return
      this.#options.signal?.throwIfAborted()
      const how = await this.#copier.bring(from(name), name, size)
      if (how === 'missing') missing.push(name)
      else this.#note(how, name, size)
    })
    return missing
  }

  #note(how: Exclude<Brought, 'missing'>, name: string, size: number): void {
    this.#brought.add(name)
    this.counts[how] += 1
    this.#bytes += size
    this.#options.onProgress?.({ blobs: this.#brought.size, bytes: this.#bytes })
  }
}

/**
 * Brings the blobs that the index in `folder` names there, out of the backup in `from`.
 * @returns the objects whose blobs are not in the backup
 */
export async function restoreBlobs(
  from: string,
  folder: string,
  options: CopyOptions,
): Promise<readonly MissingBlob[]> {
  const source = new Layout(from)
  const layout = new Layout(folder)
  await makeBlobFolders(nodeFiles, layout)
  await nodeFiles.makeFolder(layout.staging)
  const index = openDatabase(layout.index, migrations)
  try {
    const list = new BlobList(index)
    const work = new Work(new BlobCopier(nodeFiles, layout, options), options)
    const missing = await work.bring(list, (name) => source.blob(name))
    await work.settle()
    return missing
  } finally {
    index.close()
  }
}

/** Removes the copies of blobs that the copy of the index does not name. */
export async function pruneCopy(place: CopyPlace): Promise<void> {
  // opened to be read, it stays as it is, to the byte
  const index = openReader(place.index)
  try {
    const list = new BlobList(index)
    await prune(nodeFiles, new Layout(place.folder), (name) => list.has(name))
  } finally {
    index.close()
  }
}
