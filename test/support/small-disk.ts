/** Disks that can be filled: a small one of its own where we may mount, and one that only plays it. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ServeOptions } from './serve-process.ts'
import { tempFolder } from './temp-folder.ts'

export interface SmallDisk {
  /** a folder on it */
  readonly folder: string
  /** what a program is to be started with, so that it meets this disk */
  readonly options: ServeOptions
  /** Leaves less than any reserve, where uploads alone would not come to that. */
  readonly lower: () => void
  /** Takes all the room there is. */
  readonly fill: () => void
  /** Gives it back. */
  readonly free: () => void
  readonly remove: () => void
}

/** Whether the program has done what it was told. */
const done = (program: string, ...args: readonly string[]): boolean =>
  spawnSync(program, args).status === 0

const MEBIBYTE = Buffer.alloc(1 << 20)

/** A tmpfs; undefined where we may not mount one. */
export function mountSmallDisk(mebibytes: number): SmallDisk | undefined {
  const { path, remove } = tempFolder()
  if (!done('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path)) {
    remove()
    return undefined
  }
  const filler = join(path, 'filler')
  return {
    folder: path,
    options: {},
    lower: () => {},
    fill: () => fillWith(filler),
    free: () => rmSync(filler, { force: true }),
    remove: () => {
      done('umount', path)
      remove()
    },
  }
}

function fillWith(filler: string): void {
  const file = openSync(filler, 'a')
  try {
    // less and less, until not even a page is left
    for (let size = MEBIBYTE.length; size >= 1; ) {
      try {
        writeSync(file, MEBIBYTE, 0, size)
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error
        size = Math.floor(size / 2)
      }
    }
  } finally {
    closeSync(file)
  }
}

/** The program finds it full whenever we say so; see `preload-disk.mjs`. */
export function playedSmallDisk(): SmallDisk {
  const { path, remove } = tempFolder()
  const full = join(path, 'full')
  return {
    folder: path,
    options: {
      preload: [new URL('./preload-disk.mjs', import.meta.url).href],
      env: { FULL_WHILE: full },
    },
    lower: () => writeFileSync(full, 'low'),
    fill: () => writeFileSync(full, ''),
    free: () => rmSync(full, { force: true }),
    remove,
  }
}
