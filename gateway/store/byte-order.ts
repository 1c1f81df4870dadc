/**
 * The order of UTF-8 bytes, which is that of code points, and neither that of UTF-16 (JavaScript's
 * own) nor that of any language.
 */

export const compareBytes = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The least text after this one. */
export const justAfter = (text: string): string => `${text}\0`

const LAST_CODE_POINT = 0x10ffff

/** The least text after all that start with this prefix; undefined where there is none. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  while (points.at(-1) === LAST_CODE_POINT) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  // surrogates are no characters, so no well-formed text has them
  const next = last === 0xd7ff ? 0xe000 : last + 1
  return String.fromCodePoint(...points, next)
}
