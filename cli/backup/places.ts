/** Where the store of a data folder lies, and whether a backup shares it. */
import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { Layout } from '../../gateway/store/disk/layout.ts'
import { walk } from '../bulk/walk.ts'

export const storeFolderOf = (data: string): string => join(data, 'store')

export const indexOf = (data: string): string => new Layout(storeFolderOf(data)).index

/** Whether anything was ever stored there. */
export const hasStore = (data: string): boolean => existsSync(indexOf(data))

/** How many files of a backup share their bytes with others: it stops at the first. */
export async function linkedIn(backup: string): Promise<number> {
  const { blobs } = new Layout(backup)
  if (!existsSync(blobs)) return 0
  for await (const { path } of walk(blobs, new Set())) {
    if ((lstatSync(path, { throwIfNoEntry: false })?.nlink ?? 0) > 1) return 1
  }
  return 0
}
