/**
 * PINs as they are kept: `scrypt$LOG2N$R$P$SALT$HASH`, salt and hash in base64url (RFC 7914). What a
 * guess costs is stated with each, so that later ones may cost more.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** 32 MiB and about 60 ms for a guess. */
const COST = { log2: 15, r: 8, p: 1 } as const
const BYTES = 32
const KEPT = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/

/** In characters. */
export const PIN_LENGTHS = { least: 4, most: 128 } as const

/** Whether a text can be a PIN at all. */
export const isPin = (text: string): boolean =>
  text.length >= PIN_LENGTHS.least &&
  text.length <= PIN_LENGTHS.most &&
  text.isWellFormed() &&
  !/\p{Cc}/u.test(text)

/** What is kept of a PIN; no two are alike. */
export async function hashPin(pin: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derived(pin, salt, COST)
  const { log2, r, p } = COST
  return ['scrypt', log2, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

/** Whether the PIN is the one that is kept; as slow where nothing is kept, of which none is right. */
export async function isRightPin(pin: string, kept: string | undefined): Promise<boolean> {
  const [, log2, r, p, salt = '', hash = ''] = KEPT.exec(kept ?? '') ?? []
  const cost = { log2: Number(log2), r: Number(r), p: Number(p) }
  const found = await derived(pin, Buffer.from(salt, 'base64url'), log2 === undefined ? COST : cost)
  const expected = Buffer.from(hash, 'base64url')
  return expected.length === BYTES && timingSafeEqual(found, expected)
}

const derived = (
  pin: string,
  salt: Buffer,
  { log2, r, p }: { readonly log2: number; readonly r: number; readonly p: number },
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const N = 2 ** log2
    // what Node allows by itself is a little less than this needs
    const options = { N, r, p, maxmem: 2 * 128 * N * r }
    scrypt(pin.normalize('NFC'), salt, BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
