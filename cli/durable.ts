/** What is still there after a power cut. */
import { mkdirSync } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Made with its parents; their names are durable when this resolves. May be there already. */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const topmost = mkdirSync(path, { recursive: true, mode })
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
