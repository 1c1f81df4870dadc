/**
 * Key text <-> blocks. What is signed is the text as sent, so nothing is canonicalised and a block
 * is kept as the text it came in.
 *
 *     key = "vk1." block *("." block) "." signature
 */
import { Refusal } from './refusal.ts'
import { parseStrictJson } from './strict-json.ts'

export const VERSION = 'vk1'
export const MAX_KEY_LENGTH = 4096
export const MAX_BLOCKS = 8
const SIGNATURE_BYTES = 32

const BASE64URL = /^[A-Za-z0-9_-]+$/
/** The last characters that leave no stray bits, where two or three follow the last group of four. */
const LAST: Readonly<Record<number, string>> = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' }

/** A key as text that has the right shape; nothing is known yet of whose it is. */
export interface KeyText {
  /** each block's base64url text, as sent */
  readonly blocks: readonly string[]
  /** the last link of the chain: 32 bytes */
  readonly signature: Uint8Array
}

const ASCII = /^[\0-\x7f]*$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('key_malformed', detail, { cause })

/** @throws Refusal key_malformed */
export function parseKey(text: string): KeyText {
  if (text.length > MAX_KEY_LENGTH) {
    throw malformed(
      `a key is at most ${MAX_KEY_LENGTH} characters long, this one has ${text.length}`,
    )
  }
  const [version, ...parts] = text.split('.')
  if (version !== VERSION) throw malformed('a key starts with "vk1."')
  const signature = parts.pop()
  if (parts.length === 0 || signature === undefined) {
    throw malformed('a key is "vk1.", at least one block, and a signature, joined by dots')
  }
  if (parts.length > MAX_BLOCKS) {
    throw malformed(`a key has at most ${MAX_BLOCKS} blocks, this one has ${parts.length}`)
  }
  for (const part of parts) checkBase64url(part, 'a block')
  const link = fromBase64url(signature, 'the signature')
  if (link.length !== SIGNATURE_BYTES) throw malformed('the signature of a key is 32 bytes long')
  return { blocks: parts, signature: link }
}

export const formatKey = (key: KeyText): string =>
  [VERSION, ...key.blocks, toBase64url(key.signature)].join('.')

/**
 * The JSON object that a block holds; its claims are not checked yet.
 * @param block of a {@link KeyText}: its base64url has been checked
 * @throws Refusal key_malformed
 */
export function decodeBlock(block: string): Record<string, unknown> {
  let value: unknown
  try {
    value = parseStrictJson(textOf(binaryOf(block)))
  } catch (cause) {
    throw malformed('a block is a JSON object in UTF-8, without duplicate members', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('a block is a JSON object')
  }
  return value as Record<string, unknown>
}

/** Most blocks are ASCII, which is the same in UTF-8. @throws TypeError for what is not UTF-8 */
const textOf = (binary: string): string =>
  ASCII.test(binary) ? binary : utf8.decode(bytesOf(binary))

export const encodeBlock = (claims: object): string =>
  toBase64url(new TextEncoder().encode(JSON.stringify(claims)))

export function toBase64url(data: Uint8Array): string {
  const binary = Array.from(data, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * Strict: not empty, no padding, no foreign characters, no stray bits (the bytes encode to the
 * same text; RFC 4648 section 3.5 allows to refuse others).
 * @throws Refusal key_malformed
 */
export function fromBase64url(text: string, what: string): Uint8Array {
  checkBase64url(text, what)
  return bytesOf(binaryOf(text))
}

/** One character for each byte. @param text that has been checked */
const binaryOf = (text: string): string => atob(text.replaceAll('-', '+').replaceAll('_', '/'))

function bytesOf(binary: string): Uint8Array {
  const data = new Uint8Array(binary.length)
  for (let i = 0; i < data.length; i += 1) data[i] = binary.charCodeAt(i)
  return data
}

function checkBase64url(text: string, what: string): void {
  if (BASE64URL.test(text) && endsWell(text)) return
  throw malformed(`${what} is base64url without padding, in its one canonical form`)
}

/** One character after the last group of four is not even a byte. */
const endsWell = (text: string): boolean =>
  text.length % 4 === 0 || (LAST[text.length % 4] ?? '').includes(text.slice(-1))
