/** Files that are there as a whole, or not at all. */
import { randomBytes } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure } from './failure.ts'
import { printable } from './format.ts'

export type Sink = (chunk: Uint8Array) => Promise<void>

interface As {
  /** the file's name as the person knows it */
  readonly label: string
  readonly mayReplace: boolean
  /** what to do where there is one already */
  readonly advice: string
  readonly mode?: number
}

/**
 * Written under another name, synced, then named: whoever looks sees the whole file or none.
 * @param target absolute
 * @throws Failure where there is a file already that may not be replaced, or no folder for it
 */
export async function intoFile(
  target: string,
  { label, mayReplace, advice, mode = 0o666 }: As,
  fill: (sink: Sink) => Promise<void>,
): Promise<void> {
  const unfinished = `${target}.${randomBytes(6).toString('hex')}.part`
  const handle = await open(unfinished, 'wx', mode).catch((error) => {
    throw aboutTarget(error, target, label)
  })
  try {
    await fill(async (chunk) => {
      for (let from = 0; from < chunk.length; ) {
        from += (await handle.write(chunk, from)).bytesWritten
      }
    })
    await handle.sync()
    if (mayReplace) await rename(unfinished, target)
    else if (!(await linkOnce(unfinished, target))) throw taken(label, advice)
  } finally {
    await handle.close()
    await rm(unfinished, { force: true })
  }
}

export const taken = (label: string, advice: string): Failure =>
  new Failure(`${printable(label)} is there already: ${advice}`)

/** Nobody knows the file's other name. */
function aboutTarget(error: NodeJS.ErrnoException, target: string, label: string): Error {
  if (error.code !== 'ENOENT') return Object.assign(error, { path: target })
  const folder = printable(dirname(label))
  return new Failure(`there is no folder ${folder}: make it, or name another place`)
}

/**
 * Unlike a rename, a link never replaces a file that came there meanwhile.
 * @returns whether it was linked: false where one is there
 */
export async function linkOnce(unfinished: string, target: string): Promise<boolean> {
  try {
    await link(unfinished, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // a file system without links
    if (code !== 'EPERM' && code !== 'ENOTSUP') throw error
    await rename(unfinished, target)
  }
  return true
}
