/** The life of signing keys: made, rotated, retired with a grace, revoked, carried elsewhere. */
import { randomBytes } from 'node:crypto'
import type { Block } from '../key/claims.ts'
import { secretAccessKeyOf } from '../key/dialects/sigv4.ts'
import { Refusal } from '../key/refusal.ts'
import { formatSigningKey, kindOfKid, parseSigningKey, type SigningKey } from '../key/signer.ts'
import { later, type Seconds, type UnixSeconds } from '../key/units.ts'
import { SigningKeyError, writeSigningKey } from '../ledger/key-files.ts'
import { type Keyring, type KeyringEntry, mayMint } from '../ledger/keyring.ts'
import {
  IdTaken,
  type IssuedCount,
  type IssuedKeys,
  type SigningKeyRecord,
  type SigningKeys,
} from '../ledger/ledger.ts'
import { randomId } from './mint.ts'
import { type NarrowOptions, restrictionsFrom } from './options.ts'

export interface SigningKeysContext {
  readonly ledger: SigningKeys
  readonly keyring: Keyring
  /** where the secrets lie, one file each */
  readonly secretsFolder: string
  readonly now: UnixSeconds
}

/** A signing key with what depends on it. */
export type CountedSigningKey = KeyringEntry & Pick<IssuedCount, 'issued' | 'live'>

/**
 * With how many of the keys minted here each signed, and how many of those still work: none of one
 * that is revoked, or whose grace is over.
 */
export async function countedSigningKeys(
  entries: readonly KeyringEntry[],
  ledger: Pick<IssuedKeys, 'issuedByKid'>,
  now: UnixSeconds,
): Promise<readonly CountedSigningKey[]> {
  const counts = await ledger.issuedByKid(now)
  return entries.map((entry) => {
    const { issued = 0, live = 0 } = counts.find(({ kid }) => kid === entry.kid) ?? {}
    const isOver = entry.graceEnds !== undefined && entry.graceEnds <= now
    return { ...entry, issued, live: entry.status === 'revoked' || isOver ? 0 : live }
  })
}

/** What new keys are signed with; made on first start, and wherever there is none. */
export async function ensureSigningKey(context: SigningKeysContext): Promise<SigningKey> {
  await context.keyring.refresh()
  try {
    return context.keyring.active()
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error
  }
  await add(newSigningKey(), context)
  return context.keyring.active()
}

/**
 * A new key signs from now on. Those that did so until now verify until the grace ends, but for
 * those with a ceiling, which somebody else mints with.
 * @returns the new key's record
 */
export async function rotate(
  context: SigningKeysContext,
  grace: Seconds,
): Promise<SigningKeyRecord> {
  await context.keyring.refresh()
  const former = context.keyring.records().filter(mayMint)
  const record = await add(newSigningKey(), context)
  const graceEnds = later(context.now, grace)
  for (const entry of former) await setStatus(entry, 'retiring', context, graceEnds)
  await context.keyring.refresh()
  return record
}

/**
 * A key mints no more, and verifies until the grace ends.
 * @throws Refusal resource_not_found; conflict for the only key that mints, or a revoked one
 */
export async function retire(
  kid: string,
  context: SigningKeysContext,
  grace: Seconds,
): Promise<KeyringEntry> {
  const entry = await entryOf(kid, context.keyring)
  if (entry.status === 'revoked') {
    throw new Refusal('conflict', `the signing key "${kid}" is revoked, and stays so`)
  }
  const minting = context.keyring.records().filter(mayMint)
  if (minting.length === 1 && minting[0]?.kid === kid) {
    const advice = 'rotate instead, which makes a new one and retires this one'
    throw new Refusal('conflict', `"${kid}" is the only signing key that mints: ${advice}`)
  }
  await setStatus(entry, 'retiring', context, later(context.now, grace))
  return entryOf(kid, context.keyring)
}

/**
 * Everything that was minted with the key is refused from now on, and the kid is never used again.
 * Where it was the only one that mints, a new one is made.
 * @throws Refusal resource_not_found
 */
export async function revokeSigningKey(
  kid: string,
  context: SigningKeysContext,
): Promise<KeyringEntry> {
  await setStatus(await entryOf(kid, context.keyring), 'revoked', context)
  await ensureSigningKey(context)
  return entryOf(kid, context.keyring)
}

/**
 * `vk1sk.…`, a secret: for another machine, or for a program that mints offline.
 * @throws Refusal resource_not_found
 */
export async function exportSigningKey(
  kid: string,
  { keyring }: Pick<SigningKeysContext, 'keyring'>,
): Promise<string> {
  await keyring.refresh()
  const key = keyring.secretOf(kid)
  if (key !== undefined) return formatSigningKey(key)
  throw new Refusal('resource_not_found', `the secret of a signing key "${kid}" is not here`)
}

/**
 * A signing key of another machine. Where its record is here and its secret was lost, only the
 * secret is put back.
 * @param text `vk1sk.…`
 * @returns its id
 * @throws TypeError for text that is no signing key, SigningKeyError for a secret others could know
 * @throws IdTaken
 */
export async function importSigningKey(text: string, context: SigningKeysContext): Promise<string> {
  const key = parseSigningKey(text)
  await context.keyring.refresh()
  const there = context.keyring.records().find(({ kid }) => kid === key.kid)
  if (there === undefined) {
    await add(key, context)
  } else {
    if (there.secret !== 'missing' || there.status === 'revoked') throw new IdTaken(key.kid)
    await writeSigningKey(context.secretsFolder, key)
    await context.keyring.reload()
  }
  return key.kid
}

/** An access key for S3 clients. */
export interface S3Key {
  readonly accessKeyId: string
  /** a secret: it is shown once, here */
  readonly secretAccessKey: string
  readonly record: SigningKeyRecord
}

/**
 * A new S3 credential. What the options state is its ceiling: every request made with it, and every
 * URL that it presigns, must be admitted by that as well.
 * @throws OptionsError with every mistake
 */
export async function createS3Key(
  options: NarrowOptions,
  context: SigningKeysContext,
): Promise<S3Key> {
  const ceiling = restrictionsFrom(options, { now: context.now, id: randomId() })
  const key: SigningKey = { kid: newS3Kid(), secret: randomBytes(32) }
  const record = await add(key, context, Object.keys(ceiling).length === 0 ? undefined : ceiling)
  return { accessKeyId: key.kid, secretAccessKey: secretAccessKeyOf(key.secret), record }
}

/** Of 32 letters and digits, so that a byte chooses one evenly. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const newS3Kid = (): string =>
  `VK${Array.from(randomBytes(18), (byte) => BASE32[byte % BASE32.length]).join('')}`

const newSigningKey = (): SigningKey => ({
  kid: randomBytes(6).toString('hex'),
  secret: randomBytes(32),
})

/** The secret first: a record alone would name a key that nobody has. */
async function add(
  key: SigningKey,
  { ledger, keyring, secretsFolder, now }: SigningKeysContext,
  ceiling?: Block,
): Promise<SigningKeyRecord> {
  const record: SigningKeyRecord = {
    kid: key.kid,
    kind: kindOfKid(key.kid),
    status: 'active',
    createdAt: now,
    ...(ceiling && { ceiling }),
  }
  await writeSigningKey(secretsFolder, key)
  await ledger.addSigningKey(record)
  await keyring.reload()
  return record
}

async function entryOf(kid: string, keyring: Keyring): Promise<KeyringEntry> {
  await keyring.refresh()
  const entry = keyring.records().find((candidate) => candidate.kid === kid)
  if (entry !== undefined) return entry
  const known = keyring.records().map((candidate) => candidate.kid)
  throw new Refusal(
    'resource_not_found',
    `there is no signing key "${kid}"; there are: ${known.join(', ') || 'none'}`,
  )
}

/** A key whose file was put there by hand gets its record now. */
async function setStatus(
  { kid, kind, createdAt, ceiling }: KeyringEntry,
  status: 'retiring' | 'revoked',
  { ledger, now }: SigningKeysContext,
  graceEnds?: UnixSeconds,
): Promise<void> {
  if (createdAt === undefined) {
    const record = { kid, kind, status, createdAt: now, ...(ceiling && { ceiling }) }
    await ledger.addSigningKey({ ...record, ...(graceEnds !== undefined && { graceEnds }) })
  } else if (!(await ledger.setSigningKeyStatus(kid, status, graceEnds))) {
    throw new Refusal('resource_not_found', `there is no signing key "${kid}" any more`)
  }
}
