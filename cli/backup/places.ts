/** Where the store of a data folder lies. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Layout } from '../../gateway/store/disk/layout.ts'

export const storeFolderOf = (data: string): string => join(data, 'store')

export const indexOf = (data: string): string => new Layout(storeFolderOf(data)).index

/** Whether anything was ever stored there. */
export const hasStore = (data: string): boolean => existsSync(indexOf(data))
