/** The chain of a key, stage by stage, from nothing but node:crypto. */
import { createHash, createHmac } from 'node:crypto'

export interface SigningKey {
  readonly kid: string
  readonly secret: Buffer
}

/** 2027-01-15T08:00:00Z: the moment at which all vectors are asked about. */
export const NOW = 1_800_000_000

/** A published example: bytes 00 01 … 1f. Running gateways refuse it. */
export const EXAMPLE: SigningKey = {
  kid: 'example',
  secret: Buffer.from(Array.from({ length: 32 }, (_, index) => index)),
}

export const SECOND: SigningKey = {
  kid: 'second',
  secret: createHash('sha256').update('valetkey vectors: the second signing key').digest(),
}

export const hmac = (key: Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text, 'ascii').digest()

export const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url')

/** From the texts of blocks, encoded already, to the signature. */
export function signatureOf(secret: Buffer, texts: readonly string[]): Buffer {
  let link = hmac(secret, 'vk1')
  for (const text of texts) link = hmac(link, text)
  return link
}

export const joined = (texts: readonly string[], signature: Buffer): string =>
  ['vk1', ...texts, base64url(signature)].join('.')

/** A key over blocks of any bytes, properly signed. */
export function signed(signingKey: SigningKey, ...blocks: readonly (string | Buffer)[]): string {
  const texts = blocks.map(base64url)
  return joined(texts, signatureOf(signingKey.secret, texts))
}

/** Each stage in hex: K, then t0 … tn, of which the last is the signature. */
export function linksOf(signingKey: SigningKey, blocks: readonly string[]) {
  const texts = blocks.map((block) => base64url(block))
  const links = texts.map((_, index) =>
    signatureOf(signingKey.secret, texts.slice(0, index + 1)).toString('hex'),
  )
  return {
    derived: hmac(signingKey.secret, 'vk1').toString('hex'),
    links,
    key: signed(signingKey, ...blocks),
  }
}
