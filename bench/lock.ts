/** One benchmark at a time: two would measure each other, and share a folder. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Holds the folder until the process ends.
 * @throws Error where another benchmark runs in it
 */
export function lock(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'running.pid')
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
    const holder = Number(readFileSync(file, 'utf8'))
    if (isRunning(holder)) {
      throw new Error(`a benchmark runs here already (process ${holder}): wait until it has ended`)
    }
    writeFileSync(file, String(process.pid))
  }
  process.once('exit', () => rmSync(file, { force: true }))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
