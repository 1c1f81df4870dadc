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

/** A link that somebody encoded once too often carries its key in the path. */
export const withoutKeys = (path: string): string =>
  path.includes('vk1') ? path.replace(/vk1(?:sk)?\.[\w.-]+/g, 'vk1...') : path

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
