/** The admin token: who holds it may do everything here. It lies in a file that only its owner reads. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isWeakSecret } from '../key/signer.ts'

const TOKEN = /^vkadm_([A-Za-z0-9_-]{43})$/

/** Whether a text is the token, in time that does not depend on either. */
export type TokenCheck = (text: string) => boolean

/**
 * The token of a secrets folder; made on first start.
 * @throws Error that says what to do, where others could read the file, or it holds something else
 */
export async function loadAdminToken(secretsFolder: string): Promise<string> {
  const file = join(secretsFolder, 'admin-token')
  const there = await readSecret(file)
  if (there !== undefined) return there
  await mkdir(secretsFolder, { recursive: true, mode: 0o700 })
  await writeNew(file, `vkadm_${randomBytes(32).toString('base64url')}\n`)
  const made = await readSecret(file)
  if (made !== undefined) return made
  throw new Error(`${file} was made and is gone again: look who else uses this folder`)
}

export function tokenCheck(token: string): TokenCheck {
  const expected = digest(token)
  return (text) => timingSafeEqual(digest(text), expected)
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

async function readSecret(file: string): Promise<string | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { mode } = await handle.stat()
    if ((mode & 0o077) !== 0) {
      throw new Error(`${file} can be read by others: run  chmod 600 ${file}`)
    }
    return checkedToken((await handle.readFile('utf8')).trim(), file)
  } finally {
    await handle.close()
  }
}

function checkedToken(text: string, file: string): string {
  const secret = TOKEN.exec(text)?.[1]
  if (secret !== undefined && !isWeakSecret(Buffer.from(secret, 'base64url'))) return text
  throw new Error(
    `${file} does not hold an admin token ("vkadm_" and 32 random bytes as base64url): delete it, and a new one is made on the next start`,
  )
}

/** Whole or not at all, also where the machine stops half-way; leaves a file alone that is there. */
async function writeNew(file: string, text: string): Promise<void> {
  const fresh = `${file}.${randomBytes(8).toString('hex')}`
  try {
    const handle = await open(fresh, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(fresh, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(fresh, { force: true })
  }
}
