/**
 * AWS Signature Version 4 in the words of its specification: the canonical request, the string to
 * sign, the signing key, the signature. Minting and verifying both build what is signed here.
 * Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference.
 */
import { toBase64url } from '../format.ts'
import type { Mac, Signer } from '../signer.ts'
import { type UnixSeconds, unixSeconds } from '../units.ts'

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'
/** SHA-256 of nothing, in hex. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** SHA-256 and HMAC-SHA256; handed in, so that this room runs in a browser as well. */
export interface Hashing {
  readonly mac: Mac
  /** lower-case hex of the hash of a text's UTF-8 */
  readonly sha256: (text: string) => string
}

/** The first link of a signing key: HMAC-SHA256("AWS4" + secret access key, date). */
export type DateKey = (date: string) => Uint8Array

/** A signing key as SigV4 needs it; the secret itself stays where it is kept. */
export interface SigV4Signer {
  readonly signer: Signer
  /** of an S3 credential: its own access key; a native signing key is none */
  readonly dateKey?: DateKey
  /** of the temporary credential with this session token, minted under this signing key */
  readonly sessionDateKey: (sessionToken: string) => DateKey
}

/** What a signature is valid for: `20130524/us-east-1/s3/aws4_request`. */
export interface Scope {
  /** YYYYMMDD */
  readonly date: string
  readonly region: string
  readonly service: string
}

/** A name or value of a query, percent-encoded in whatever way it was sent. */
export type RawPair = readonly [name: string, value: string]

export interface CanonicalParts {
  readonly method: string
  /** encoded once, not normalised: `//`, `.` and `..` stay */
  readonly path: string
  readonly query: readonly RawPair[]
  /** signed header fields: lower-case names, all values of each */
  readonly headers: readonly (readonly [name: string, values: readonly string[]])[]
  /** 64 hex, or one of the constants that stand for a body that is not hashed beforehand */
  readonly payloadHash: string
}

export function canonicalRequest(parts: CanonicalParts): string {
  const headers = [...parts.headers].sort(([a], [b]) => compare(a, b))
  return [
    parts.method,
    parts.path,
    canonicalQuery(parts.query),
    ...headers.map(([name, values]) => `${name}:${values.map(canonicalValue).join(',')}`),
    '',
    headers.map(([name]) => name).join(';'),
    parts.payloadHash,
  ].join('\n')
}

/** @param dateTime `20130524T000000Z` */
export const stringToSign = (
  dateTime: string,
  scope: Scope,
  canonical: string,
  { sha256 }: Pick<Hashing, 'sha256'>,
): string => [ALGORITHM, dateTime, scopeText(scope), sha256(canonical)].join('\n')

/** HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request") */
export const signingKeyOf = (dateKey: DateKey, { date, region, service }: Scope, mac: Mac) =>
  [region, service, 'aws4_request'].reduce<Uint8Array>(mac, dateKey(date))

/** Lower-case hex. */
export const signature = (signingKey: Uint8Array, toSign: string, mac: Mac): string =>
  toHex(mac(signingKey, toSign))

export const scopeText = ({ date, region, service }: Scope): string =>
  `${date}/${region}/${service}/aws4_request`

/** The first link for a secret access key, which is text. */
export const dateKeyOf =
  (secretAccessKey: string, mac: Mac): DateKey =>
  (date) =>
    mac(new TextEncoder().encode(`AWS4${secretAccessKey}`), date)

/** The secret access key of an S3 credential: the base64url text of its 32 bytes. */
export const secretAccessKeyOf = (secret: Uint8Array): string => toBase64url(secret)

/** That of a temporary credential: it follows from the session token, for whoever has the secret. */
export const sessionSecretOf = (secret: Uint8Array, sessionToken: string, mac: Mac): string =>
  toBase64url(mac(mac(secret, 'vk1-sigv4'), sessionToken))

// ── encoding ────────────────────────────────────────────────────────────────

/** RFC 3986: all but A-Z a-z 0-9 - . _ ~ is percent-encoded. */
export const uriEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => escaped(character.charCodeAt(0)))

/** Sorted by name, then by value, both encoded, in byte order. */
export const canonicalQuery = (query: readonly RawPair[]): string =>
  query
    // a plus sign is read as a space, here as everywhere else in this gateway
    .map(([name, value]) => [reencoded(name, { '+': '%20' }), reencoded(value, { '+': '%20' })])
    .sort(([a = '', x = ''], [b = '', y = '']) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

/** A raw path as a client would have encoded it, whatever a proxy has made of it. */
export const reencodedPath = (path: string): string => reencoded(path, { '/': '/', '%2F': '/' })

const UNRESERVED = /^[A-Za-z0-9._~-]$/

/** Decoded byte by byte and encoded again; of some characters one knows better. */
const reencoded = (raw: string, known: Readonly<Record<string, string>>): string =>
  raw.replace(/%[0-9A-Fa-f]{2}|./gs, (found) => {
    const isEscape = found.length === 3
    const stated = known[isEscape ? found.toUpperCase() : found]
    if (stated !== undefined) return stated
    const byte = isEscape ? Number.parseInt(found.slice(1), 16) : found.charCodeAt(0)
    const character = String.fromCharCode(byte)
    return UNRESERVED.test(character) ? character : escaped(byte)
  })

const escaped = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`

/** "trim any leading or trailing spaces, convert sequential spaces to a single space" */
const canonicalValue = (value: string): string => value.trim().replace(/[ \t]+/g, ' ')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const toHex = (data: Uint8Array): string =>
  Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Whether two signatures are the same, in time that depends on their lengths only. */
export function sameSignature(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

// ── dates ───────────────────────────────────────────────────────────────────

/** `20130524T000000Z`, undefined for what is no date. */
export function parseDateTime(text: string): UnixSeconds | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second] = match
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(milliseconds) || milliseconds < 0) return undefined
  const time = unixSeconds(milliseconds / 1000)
  return formatDateTime(time) === text ? time : undefined
}

export const formatDateTime = (time: UnixSeconds): string =>
  new Date(time * 1000).toISOString().replace(/[-:]|\.\d{3}/g, '')
