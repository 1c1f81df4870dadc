/**
 * How people write single values: text as on a command line, or the JSON value itself.
 * Each reader takes what came and throws a RangeError that says what was expected.
 */
import { create as contentDisposition } from 'content-disposition'
import { parseAddress } from '../key/address.ts'
import {
  type Bytes,
  bytes,
  parseBytes,
  parseDuration,
  parseTime,
  type Seconds,
  seconds,
  type UnixSeconds,
  unixSeconds,
} from '../key/units.ts'

export function textOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new RangeError('must be text, and not empty')
}

/** A switch: stated or not. */
export function switchOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new RangeError('must be true or false')
}

/** `image/*,text/plain`, or an array of such texts. */
export function listOf(value: unknown): string[] {
  const texts = textsOf(value).flatMap((text) => text.split(',').map((entry) => entry.trim()))
  if (texts.includes('')) throw new RangeError('must have no empty entries')
  return [...new Set(texts)]
}

/** One text, or an array of texts in which commas are just characters. */
export function textsOf(value: unknown): string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (texts.length === 0) throw new RangeError('must not be empty: leave it out instead')
  if (texts.some((text) => typeof text !== 'string' || text === '')) {
    throw new RangeError('must be text, or an array of texts, none of them empty')
  }
  return [...new Set(texts as readonly string[])]
}

/** `10MiB`, or whole bytes. */
export function sizeOf(value: unknown): Bytes {
  if (typeof value === 'number') return bytes(value)
  if (typeof value === 'string') return parseBytes(value)
  throw new RangeError('must be a size such as "10MiB", or whole bytes')
}

/** `15m`, or whole seconds. */
export function durationOf(value: unknown): Seconds {
  if (typeof value === 'number') return seconds(value)
  if (typeof value === 'string') return parseDuration(value)
  throw new RangeError('must be a duration such as "15m", or whole seconds')
}

/** `2026-12-01T18:00:00Z`, `15m` (from now), or Unix seconds as a number. */
export function timeOf(value: unknown, now: UnixSeconds): UnixSeconds {
  if (typeof value === 'number') return unixSeconds(value)
  if (typeof value === 'string') return parseTime(value, now)
  throw new RangeError('must be a time such as "2026-12-01T18:00:00Z", or whole Unix seconds')
}

export function countOf(value: unknown): number {
  const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 1) return count
  throw new RangeError('must be a whole number from 1 on')
}

/** A bare address is the network of just itself. */
export function networksOf(value: unknown): string[] {
  return listOf(value).map((entry) => {
    if (parseAddress(entry) === undefined) return entry
    return `${entry}/${entry.includes(':') ? 128 : 32}`
  })
}

/** An object of name → value, or texts such as `X-Team: blue`. */
export function headersOf(value: unknown): Record<string, string> {
  const entries = isObject(value) ? Object.entries(value) : textsOf(value).map(headerOf)
  if (entries.length === 0) throw new RangeError('must not be empty: leave it out instead')
  if (entries.some(([, content]) => typeof content !== 'string')) {
    throw new RangeError(
      'must be an object of header names and texts, or texts like "X-Team: blue"',
    )
  }
  const names = entries.map(([name]) => name.toLowerCase())
  if (new Set(names).size < names.length) throw new RangeError('must state each header once')
  if (names.includes('__proto__')) throw new RangeError('can not hold a header named "__proto__"')
  return Object.fromEntries(entries) as Record<string, string>
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new RangeError('must be written as "NAME: VALUE", such as "X-Team: blue"')
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

/**
 * `Content-Disposition` of a download that is saved under a name (RFC 6266: an ASCII `filename`
 * for old clients, `filename*` with the whole name), or under the object's own where `true`.
 */
export function attachmentOf(value: unknown): string {
  if (value === true) return 'attachment'
  const name = textOf(value)
  if (!name.isWellFormed() || /[\p{Cc}/\\]/u.test(name)) {
    throw new RangeError('must be a file name without slashes and control characters')
  }
  return contentDisposition(name)
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
