/** The header Upload-Metadata of tus 1.0.0, its "Creation" extension. */
import { Refusal } from '../../../key/refusal.ts'

/** The header as it came is kept with the upload. */
const MAX_LENGTH = 4096

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * "The Upload-Metadata request and response header MUST consist of one or more comma-separated
 * key-value pairs. The key and value MUST be separated by a space. The key MUST NOT contain spaces
 * and commas and MUST NOT be empty. The key SHOULD be ASCII encoded and the value MUST be Base64
 * encoded. All keys MUST be unique. [...] the value MAY be empty. In these cases, the space, which
 * would normally separate the key and the value, MAY be left out."
 * @returns raw values by key, decoded from base64
 * @throws Refusal request_malformed, headers_too_large
 */
export function parseMetadata(header: string | undefined): ReadonlyMap<string, Uint8Array> {
  const values = new Map<string, Uint8Array>()
  if (header === undefined || header === '') return values
  if (header.length > MAX_LENGTH) {
    throw new Refusal(
      'headers_too_large',
      `the header Upload-Metadata has at most ${MAX_LENGTH} characters`,
    )
  }
  for (const pair of header.split(',')) {
    const match = /^([!-+\--~]+)(?: ([A-Za-z0-9+/]*={0,2}))?$/.exec(pair)
    if (match?.[1] === undefined) throw malformed('is a list such as "path BASE64,filetype BASE64"')
    const [, key, base64 = ''] = match
    if (values.has(key)) throw malformed(`states "${key.slice(0, 64)}" more than once`)
    values.set(key, decoded(key, base64))
  }
  return values
}

/** @throws Refusal request_malformed for what is no text in UTF-8 */
export function textOf(metadata: ReadonlyMap<string, Uint8Array>, key: string): string | undefined {
  const value = metadata.get(key)
  if (value === undefined || value.length === 0) return undefined
  try {
    return utf8.decode(value)
  } catch {
    throw malformed(`states "${key}" as base64 of UTF-8`)
  }
}

function decoded(key: string, base64: string): Uint8Array {
  const value = Buffer.from(base64, 'base64')
  if (value.toString('base64') === base64) return value
  throw malformed(`states "${key.slice(0, 64)}" in base64, with padding`)
}

const malformed = (what: string): Refusal =>
  new Refusal('request_malformed', `the header Upload-Metadata ${what}`)
