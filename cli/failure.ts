/** How a command ends without having done what was asked, and how that is said: never a stack trace. */
import { DatabaseError } from '../database/open.ts'
import { Refusal } from '../key/refusal.ts'
import { printable } from './format.ts'

/** Refused or failed: exit code 1. The message says what, why, and what to do. */
export class Failure extends Error {
  override readonly name: string = 'Failure'
}

/** Called in a way that the command does not have: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Whoever read our output has gone (`valetkey ls | head`): no failure, nothing to say. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

/** What the operating system's codes mean here, and what to do about them. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use: end the program that listens there, or state another one',
  EADDRNOTAVAIL: 'this machine does not have that address: state one that it has, or 127.0.0.1',
  EACCES: 'permission denied: check who owns it and that this user may use it',
  EPERM: 'not permitted: check who owns it',
  EEXIST: 'it is there already: name another one',
  ENOENT: 'there is no such file or folder: check the name',
  ENOTDIR: 'a part of the path is not a folder: check the name',
  EISDIR: 'it is a folder: name a file',
  ENOSPC: 'the disk is full: free some space',
  EROFS: 'the file system is read-only: name a folder that can be written',
  ENOTFOUND: 'the host name is unknown: check it',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
}

/** One line for stderr (the settings' mistakes take more), without the program's name. */
export function describe(error: unknown): string {
  if (error instanceof Refusal) return `${error.code}: ${printable(error.detail)}`
  if (error instanceof Failure || error instanceof UsageError) return error.message
  if (error instanceof DatabaseError) return printable(error.message)
  const { code, message, path, address, port } = error as NodeJS.ErrnoException & {
    readonly address?: string
    readonly port?: number
  }
  const advice = ADVICE[String(code)]
  const subject = path ?? (address === undefined ? undefined : `${address}:${port}`)
  if (advice !== undefined)
    return printable(subject === undefined ? advice : `${subject}: ${advice}`)
  return printable(message ?? String(error))
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof OutputClosed) return 0
  return error instanceof UsageError ? 2 : 1
}
