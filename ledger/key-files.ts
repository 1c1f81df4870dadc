/**
 * The secrets of signing keys, one file each: `FOLDER/<kid>.key`, one line `vk1sk.<kid>.<secret>`,
 * mode 0600 in a folder of mode 0700. A file is written once and never changed.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { formatSigningKey, isWeakSecret, parseSigningKey, type SigningKey } from '../key/signer.ts'
import { IdTaken } from './ledger.ts'

const SUFFIX = '.key'

/** A signing key that is not used as it lies there; the message says why and what to do. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
}

/** Secrets that are printed in documentation and test vectors, in hex: everybody has them. */
export const PUBLISHED_EXAMPLE_SECRETS: readonly string[] = [
  // of the test vectors: the bytes 0 to 31
  '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  // the bytes 1 to 32, and 31 down to 0
  '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
  '1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100',
  // the texts 0123456789abcdef, twice, and 0123456789abcdefghijklmnopqrstuv
  '3031323334353637383961626364656630313233343536373839616263646566',
  '303132333435363738396162636465666768696a6b6c6d6e6f70717273747576',
]

/**
 * Makes sure that a secret is not one that others could know.
 * @param where names it in the message, such as a file
 * @throws SigningKeyError
 */
export function checkSecret({ secret }: SigningKey, where: string): void {
  if (PUBLISHED_EXAMPLE_SECRETS.includes(Buffer.from(secret).toString('hex'))) {
    throw new SigningKeyError(
      `${where}: this secret is a published example, which everybody can sign with; make a key of your own with "valetkey keys rotate" and remove this one`,
    )
  }
  if (isWeakSecret(secret)) {
    throw new SigningKeyError(
      `${where}: this secret is not 32 random bytes; make a key with "valetkey keys rotate" and remove this one`,
    )
  }
}

/**
 * The ids of the keys that lie in the folder, which is made where it is missing.
 * @throws SigningKeyError for a folder in which others could put or find keys
 */
export function listSigningKeyFiles(folder: string): readonly string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  refuseOthers(folder, statSync(folder).mode, '700')
  return readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'))
    .map((name) => name.slice(0, -SUFFIX.length))
}

/** @throws SigningKeyError, naming the file and what to do */
export function readSigningKeyFile(folder: string, kid: string): SigningKey {
  const file = join(folder, kid + SUFFIX)
  const key = parsed(file, readPrivate(file))
  if (key.kid !== kid) {
    throw new SigningKeyError(
      `${file} holds the signing key "${key.kid}": name the file ${key.kid}${SUFFIX}`,
    )
  }
  checkSecret(key, file)
  return key
}

/** The mode is asked of the file that is read, not of whatever bears its name later. */
function readPrivate(file: string): string {
  const descriptor = openSync(file, 'r')
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new SigningKeyError(`${file} is not a file: remove it`)
    refuseOthers(file, stats.mode, '600')
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function parsed(file: string, text: string): SigningKey {
  try {
    return parseSigningKey(text)
  } catch (cause) {
    const expected = cause instanceof Error ? cause.message : String(cause)
    throw new SigningKeyError(`${file} holds no signing key: ${expected}`, { cause })
  }
}

function refuseOthers(path: string, mode: number, wanted: string): void {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  const found = (mode & 0o777).toString(8).padStart(3, '0')
  throw new SigningKeyError(
    `${path} has mode ${found}: others on this machine could get at signing keys; run: chmod ${wanted} ${path}`,
  )
}

/**
 * Durable when it resolves. Never overwrites: a kid that has a file rejects with {@link IdTaken}.
 * Record the key in the ledger as well, so that its status can be changed.
 * @throws SigningKeyError for a secret that others could know
 */
export async function writeSigningKey(folder: string, key: SigningKey): Promise<void> {
  const line = formatSigningKey(key)
  parseSigningKey(line)
  checkSecret(key, `signing key "${key.kid}"`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const unnamed = join(folder, `.${randomBytes(8).toString('hex')}.new`)
  try {
    await writeDurably(unnamed, `${line}\n`)
    // unlike a rename, a link does not replace what bears the name already
    await link(unnamed, join(folder, key.kid + SUFFIX))
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') throw new IdTaken(key.kid)
    throw error
  } finally {
    await rm(unnamed, { force: true })
  }
  await syncFolder(folder)
  await syncFolder(dirname(folder))
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
