/** How records are put together: by hand, since every request makes one. */

/** Lines are ASCII: nothing in them acts on a terminal, and a byte is a character. */
const UNUSUAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/
const BEYOND_ASCII = /[^\x20-\x7e]/g

/** As a JSON string. */
export function quoted(text: string): string {
  if (!UNUSUAL.test(text)) return `"${text}"`
  return asJson(text)
}

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** As a JSON array of strings. */
export const quotedAll = (texts: readonly string[]): string => `[${texts.map(quoted).join(',')}]`

/**
 * A link that somebody encoded once too often carries its key or its signature in the path. Without
 * one the path is as it came; asked of every request, so what can't hold one is found out first.
 */
export function withoutKeys(path: string): string {
  const plain = path.includes('%') && HIDING.test(path) ? decoded(path) : path
  return plain.includes('vk1') || plain.includes('mz-') ? redacted(plain, path) : path
}

/** The first digit of what {@link ESCAPED} finds. */
const HIDING = /%(?:2[5DdEe]|[3-7])/

/**
 * RFC 3986 §2.3: letters, digits and "-._~" are the same percent-encoded; here, also where the percent
 * sign is itself encoded, however often.
 */
const ESCAPED = /%(?:25)*(2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/gi

const decoded = (path: string): string =>
  path.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

const KEY = /vk1(?:sk)?\.[\w.-]+/g
/** Of a signed URL of S3, up to the next parameter, encoded or not. */
const SIGNATURE =
  /(x-amz-(?:signature|security-token|credential)(?:=|%(?:25)*3d))(?:(?!%(?:25)*26)[^&])+/gi

function redacted(plain: string, path: string): string {
  const shown = plain.replace(SIGNATURE, '$1...').replace(KEY, 'vk1...')
  return shown === plain ? path : shown
}

/** Milliseconds since 1970 as RFC 3339, UTC; all but the milliseconds is made once a second. */
export class TimeText {
  #second = Number.NaN
  #text = ''

  of(milliseconds: number): string {
    const second = Math.floor(milliseconds / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#text = new Date(second * 1000).toISOString().slice(0, 20)
    }
    return `${this.#text}${String(Math.floor(milliseconds) % 1000).padStart(3, '0')}Z`
  }
}

/** Any value as JSON, in ASCII. */
export const asJson = (value: unknown): string =>
  JSON.stringify(value).replace(BEYOND_ASCII, escaped)
