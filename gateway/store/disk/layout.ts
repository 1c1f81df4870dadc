/** Where things lie in the folder of a disk store. */
import { dirname, join, resolve } from 'node:path'
import { type Files, syncFolder } from '../files/files.ts'

const FAN_OUT = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))

export class Layout {
  readonly folder: string

  constructor(folder: string) {
    this.folder = resolve(folder)
  }

  get index(): string {
    return join(this.folder, 'index.db')
  }

  get blobs(): string {
    return join(this.folder, 'blobs')
  }

  /** What each running process has in hand lies in a folder with its instance's id. */
  get staging(): string {
    return join(this.folder, 'staging')
  }

  stagingOf(instance: string): string {
    return join(this.staging, instance)
  }

  staged(instance: string, name: string): string {
    return join(this.staging, instance, name)
  }

  blob(name: string): string {
    return join(this.folderOf(name), name)
  }

  folderOf(name: string): string {
    return join(this.blobs, name.slice(0, 2))
  }
}

/** Makes what is missing; durable before anything is put there. */
export async function makeFolders(files: Files, layout: Layout, instance: string): Promise<void> {
  await makeBlobFolders(files, layout)
  await files.makeFolder(layout.stagingOf(instance))
  for (const folder of [layout.staging, layout.folder]) await syncFolder(files, folder)
}

/** The same for the folders of blobs alone. */
export async function makeBlobFolders(files: Files, layout: Layout): Promise<void> {
  const topmost = await files.makeFolder(layout.blobs)
  const there = new Set(await files.names(layout.blobs))
  for (const name of FAN_OUT) {
    if (!there.has(name)) await files.makeFolder(join(layout.blobs, name))
  }
  await syncFolder(files, layout.blobs)
  await syncUpwards(files, layout.folder, topmost ?? layout.blobs)
}

/** The folder and those above it, as far as they were made just now. */
async function syncUpwards(files: Files, folder: string, topmost: string): Promise<void> {
  await syncFolder(files, folder)
  if (folder.length >= topmost.length) await syncUpwards(files, dirname(folder), topmost)
}
