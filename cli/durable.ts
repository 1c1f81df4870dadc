/** What is still there after a power cut. */
import { mkdirSync, statSync } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure } from './failure.ts'
import { printable } from './format.ts'

/**
 * Makes a folder with its parents; may be there already. Node's own way to do that never returns
 * where a file system says ENOENT to a folder whose parent is there, as that of /proc does.
 * @param path absolute
 * @returns the topmost folder that was missing
 * @throws Failure where none can be made
 */
export function makeFolders(path: string, mode: number): string | undefined {
  const missing: string[] = []
  // a drive that is not there has no parent that could be
  for (let at = path; !isFolder(at); at = dirname(at)) {
    missing.unshift(at)
    if (dirname(at) === at) break
  }
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') {
        throw new Failure(`no folder can be made at ${printable(folder)}: name another place`)
      }
      // somebody else has made it meanwhile
      if (code !== 'EEXIST' || !isFolder(folder)) throw error
    }
  }
  return missing[0]
}

/** @throws Failure where something else is there */
function isFolder(path: string): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined || found.isDirectory()) return found !== undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error
    return false
  }
  throw new Failure(`${printable(path)} is a file, and no folder: name another place`)
}

/** The same; its name and those of its parents are durable when this resolves. */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const topmost = makeFolders(path, mode)
  if (topmost === undefined) return
  let above = path
  do {
    above = dirname(above)
    await syncFolder(above)
  } while (above.length >= topmost.length)
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** A copy that only its owner can read, from its first byte on. There must be none yet. */
export async function copyPrivately(from: string, to: string): Promise<void> {
  await (await open(to, 'wx', 0o600)).close()
  await copyFile(from, to)
  const copy = await open(to, 'r+')
  try {
    // some systems copy the mode as well
    await copy.chmod(0o600)
    await copy.sync()
  } finally {
    await copy.close()
  }
}
