/**
 * Asks a program of the operator's: the content on standard input, what is known of it in the
 * environment, the exit code is the verdict. 0 passes, 1 refuses, all else is no verdict.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Scanned, Scanner } from './scanner.ts'

/** How much of what it says on standard error comes into the log. */
const MOST_SAID = 500

/** @param command an absolute path and arguments; no shell reads them */
export const command = ([program = '', ...given]: readonly string[]): Scanner => ({
  name: program,
  async scan(content, about, signal) {
    signal.throwIfAborted()
    // a group of its own, so that what it started ends with it
    const child = spawn(program, given, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: environmentOf(about),
      detached: true,
    })
    const kill = (): void => killGroup(child)
    signal.addEventListener('abort', kill)
    try {
      const ended = once(child, 'close') as Promise<[number | null, string | null]>
      const said = textOf(child)
      const fed = feed(child.stdin as Writable, content)
      // a program that has seen enough need not read to the end
      const [code, by] = await Promise.race([ended, fed.then(() => ended)])
      if (signal.aborted) throw new Error(`${program} took too long`)
      if (code === 0) return { passed: true }
      if (code === 1) return { passed: false }
      throw new Error(`${program} ended with ${by ?? `exit code ${code}`}: ${said()}`)
    } finally {
      signal.removeEventListener('abort', kill)
      killGroup(child)
    }
  },
})

const environmentOf = ({ path, type, size, key }: Scanned): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  VALETKEY_SCAN_PATH: path,
  VALETKEY_SCAN_TYPE: type,
  VALETKEY_SCAN_SIZE: String(size),
  VALETKEY_SCAN_KEY: key,
})

/** @throws what `content` throws, and then nobody waits for the program */
async function feed(stdin: Writable, content: AsyncIterable<Uint8Array>): Promise<void> {
  let isOpen = true
  stdin.on('error', () => {
    isOpen = false
  })
  for await (const chunk of content) {
    if (!isOpen) return
    await new Promise<void>((resolve) => {
      stdin.write(chunk, () => resolve())
    })
  }
  stdin.end()
}

/** What it has said so far on standard error, in one line. */
function textOf(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    if (text.length < MOST_SAID) text += chunk.toString('latin1')
  })
  return () => text.slice(0, MOST_SAID).replaceAll(/[^\x20-\x7e]+/g, ' ')
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}
