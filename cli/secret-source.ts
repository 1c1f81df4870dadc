/** Secrets that stand in the environment, or of which it says where they are: in a file, or a vault. */
import { execFileSync } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'

const TIMEOUT = 30_000
const MOST_BYTES = 64 * 1024

/**
 * The secret that a variable names: itself; `file:PATH`, a file that nobody else may read; or
 * `exec:COMMAND`, what a command line prints, such as that of a vault. What it prints is not repeated.
 * @param path of a relative PATH, an absolute one
 * @throws Error that says what went wrong, and never the secret
 */
export function secretFrom(text: string, path: (relative: string) => string): string {
  if (text.startsWith('file:')) return fromFile(path(text.slice('file:'.length)))
  if (text.startsWith('exec:')) return fromCommand(text.slice('exec:'.length))
  return text
}

/** The mode is asked of the file that is read, not of whatever bears its name later. */
function fromFile(file: string): string {
  const descriptor = openSync(file, 'r')
  try {
    const { mode } = fstatSync(descriptor)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new Error(`others on this machine could read ${file}; run: chmod 600 ${file}`)
    }
    return readFileSync(descriptor, 'utf8').trim()
  } finally {
    closeSync(descriptor)
  }
}

/** What the command says on stderr, people see. */
function fromCommand(command: string): string {
  try {
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
    const options = { timeout: TIMEOUT, maxBuffer: MOST_BYTES, encoding: 'utf8', stdio } as const
    const [shell, flags] = process.platform === 'win32' ? ['cmd.exe', '/c'] : ['/bin/sh', '-c']
    const printed = execFileSync(shell, [flags, command], options).trim()
    if (printed !== '') return printed
  } catch (error) {
    const { status, code } = error as { status?: number | null; code?: string }
    const how = typeof status === 'number' ? `exit code ${status}` : (code ?? 'a signal')
    // the error itself holds what was printed
    throw new Error(`the command after exec: failed (${how}); run it by hand to see why`)
  }
  throw new Error('the command after exec: printed nothing; it is to print the secret')
}
