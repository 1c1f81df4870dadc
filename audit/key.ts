/** The key of the seals: `DATA/secrets/audit-key`, 32 random bytes as base64url, mode 0600. */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

const NAME = 'audit-key'

/**
 * Made where it is missing.
 * @throws Error that names the file and what to do
 */
export function loadAuditKey(secretsFolder: string): KeyObject {
  return readAuditKey(secretsFolder) ?? makeAuditKey(secretsFolder)
}

/** @throws Error of a file that others can read, or that holds something else */
export function readAuditKey(secretsFolder: string): KeyObject | undefined {
  const file = join(secretsFolder, NAME)
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    if ((fstatSync(descriptor).mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw new Error(`${file} can be read by others: run  chmod 600 ${file}`)
    }
    const text = readFileSync(descriptor, 'utf8').trim()
    if (/^[A-Za-z0-9_-]{43}$/.test(text)) return createSecretKey(Buffer.from(text, 'base64url'))
    throw new Error(
      `${file} does not hold an audit key (32 random bytes as base64url): put it back from a backup; without it no record of the past can be verified`,
    )
  } finally {
    closeSync(descriptor)
  }
}

/** Whole or not at all; where another process was faster, its key is taken. */
function makeAuditKey(secretsFolder: string): KeyObject {
  mkdirSync(secretsFolder, { recursive: true, mode: 0o700 })
  const unnamed = join(secretsFolder, `.${randomBytes(8).toString('hex')}.new`)
  try {
    const descriptor = openSync(unnamed, 'wx', 0o600)
    try {
      writeSync(descriptor, `${randomBytes(32).toString('base64url')}\n`)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    linkSync(unnamed, join(secretsFolder, NAME))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(unnamed, { force: true })
  }
  const key = readAuditKey(secretsFolder)
  if (key !== undefined) return key
  throw new Error(`${join(secretsFolder, NAME)} was removed while it was made: start again`)
}
