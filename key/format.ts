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

/** Whole groups of four, then none, two or three characters of which the last has no stray bits. */
const BASE64URL =
  /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$/

/** A key as text that has the right shape; nothing is known yet of whose it is. */
export interface KeyText {
  /** each block's base64url text, as sent */
  readonly blocks: readonly string[]
  /** the last link of the chain: 32 bytes */
  readonly signature: Uint8Array
}

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
 * The JSON object that a block's text holds; its claims are not checked yet.
 * @throws Refusal key_malformed
 */
export function decodeBlock(block: string): Record<string, unknown> {
  let value: unknown
  try {
    const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    value = parseStrictJson(utf8.decode(fromBase64url(block, 'a block')))
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw malformed('a block is a JSON object in UTF-8, without duplicate members', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('a block is a JSON object')
  }
  return value as Record<string, unknown>
}

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
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const data = new Uint8Array(binary.length)
  for (let i = 0; i < data.length; i += 1) data[i] = binary.charCodeAt(i)
  return data
}

function checkBase64url(text: string, what: string): void {
  if (text === '' || !BASE64URL.test(text)) {
    throw malformed(`${what} is base64url without padding, in its one canonical form`)
  }
}
