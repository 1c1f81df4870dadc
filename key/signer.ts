/** Who may sign: an id, a secret, a ceiling that admits every request made under it, a status. */
import { type Block, parseLaterBlock } from './claims.ts'
import { fromBase64url, toBase64url, VERSION } from './format.ts'
import type { UnixSeconds } from './units.ts'

/** `active` mints and verifies, `retiring` verifies until its grace ends, `revoked` is refused. */
export const SIGNER_STATUSES = ['active', 'retiring', 'revoked'] as const
export type SignerStatus = (typeof SIGNER_STATUSES)[number]

/** `native` keys mint valet keys; an `s3` key is an access key for S3 clients, and mints none. */
export const SIGNING_KEY_KINDS = ['native', 's3'] as const
export type SigningKeyKind = (typeof SIGNING_KEY_KINDS)[number]

/** Access key ids of S3 credentials: what clients expect them to look like, and no other kid does. */
const S3_KID = /^VK[A-Z2-7]{18}$/
/** What kind of key a kid is of, where no record says so. */
export const kindOfKid = (kid: string): SigningKeyKind => (S3_KID.test(kid) ? 's3' : 'native')

/** HMAC-SHA256; handed in, so that this room runs in a browser as well. */
export type Mac = (key: Uint8Array, message: string) => Uint8Array

/** A signing key as it is kept and exported. */
export interface SigningKey {
  readonly kid: string
  /** 32 raw bytes */
  readonly secret: Uint8Array
}

/** A signing key as verifying needs it. */
export interface Signer {
  readonly kid: string
  readonly status: SignerStatus
  /** when a retiring key stops verifying */
  readonly graceEnds?: UnixSeconds
  readonly ceiling?: Block
  /** the first link of every chain: the MAC of block 0 under this key */
  readonly begin: (block0: string) => Uint8Array
}

/** 43 characters of base64url, the last without stray bits, are exactly 32 bytes. */
const TEXT = /^vk1sk\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/

/** `vk1sk.<kid>.<base64url secret>`. */
export const formatSigningKey = (key: SigningKey): string =>
  `vk1sk.${key.kid}.${toBase64url(key.secret)}`

/**
 * @throws TypeError that says what was expected and never repeats the text, which holds a secret
 */
export function parseSigningKey(text: string): SigningKey {
  const match = TEXT.exec(text.trim())
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new TypeError(
      'a signing key is "vk1sk.", its id, a dot, and 32 bytes as 43 characters of base64url',
    )
  }
  return { kid: match[1], secret: fromBase64url(match[2], 'the secret of a signing key') }
}

/** K = HMAC-SHA256(secret, "vk1"): the secret itself signs nothing. */
export const derivedKey = (secret: Uint8Array, mac: Mac): Uint8Array => mac(secret, VERSION)

/**
 * Whether a secret is one that nobody should use: not 32 bytes, or too regular to be random, as
 * examples, pass phrases and hexadecimal text are. Random bytes look like this once in 10^13.
 */
export const isWeakSecret = (secret: Uint8Array): boolean =>
  secret.length !== 32 || new Set(secret).size < 16 || isProgression(secret) || isText(secret)

/** Every byte differs from the one before it by the same amount, as 00 01 02 … 1f do. */
const isProgression = (secret: Uint8Array): boolean =>
  new Set(secret.subarray(1).map((byte, index) => byte - (secret[index] ?? 0))).size === 1

const isText = (secret: Uint8Array): boolean => secret.every((byte) => byte >= 0x20 && byte <= 0x7e)

/** The claims of a ceiling. @throws Refusal key_malformed */
export const parseCeiling = (value: unknown): Block => parseLaterBlock(value, 'the ceiling')
