/** Names that somebody else chose, as they are shown: nothing in them is unseen. */

/** What nobody would see: controls, marks of direction, fillers and blanks, tags, halves of characters. */
const HIDDEN =
  '[\\0-\\x1f\\x7f-\\x9f\\xad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200e\\u200f' +
  '\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufeff\\uffa0\\ud800-\\udfff\\u{e0000}-\\u{e007f}]'

/** Scripts in which letters join, or conjoin, and a joiner between two of them changes how they look. */
const JOINED = [
  ...['Arabic', 'Syriac', 'Mandaic', 'Nko', 'Mongolian', 'Phags_Pa'],
  ...['Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada'],
  ...['Malayalam', 'Sinhala', 'Khmer', 'Myanmar', 'Tibetan'],
]
const LETTER = `(?=[\\p{L}\\p{M}])[${JOINED.map((script) => `\\p{scx=${script}}`).join('')}]`

/** Joiners are seen by what they do between such letters, and in emoji that are made of several. */
const IDLE_JOINER =
  `(?!(?<=${LETTER})[\\u200c\\u200d]${LETTER})` +
  '(?!(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d\\p{Extended_Pictographic})' +
  '[\\u200c\\u200d]'

/** The flags of England, Scotland and Wales are spelt with tags. */
const FLAG =
  '\\u{1f3f4}\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|' +
  '\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}'

const UNSEEN = new RegExp(`${FLAG}|(${HIDDEN}|${IDLE_JOINER})`, 'gu')

/**
 * A name in pieces: text, and between them what nobody would see, such as `U+202E`, which turns
 * round what follows it. So a name can't pose as another.
 */
export function piecesOf(
  name: string,
): readonly { readonly text: string; readonly unseen: boolean }[] {
  const pieces: { text: string; unseen: boolean }[] = []
  let from = 0
  const keep = (to: number): void => {
    if (to > from) pieces.push({ text: name.slice(from, to), unseen: false })
  }
  for (const { index, 1: unseen } of name.matchAll(UNSEEN)) {
    if (unseen === undefined) continue
    keep(index)
    pieces.push({ text: codePointOf(unseen), unseen: true })
    from = index + unseen.length
  }
  keep(name.length)
  return pieces
}

/** The same as one text. */
export const visible = (name: string): string =>
  name.replace(UNSEEN, (whole, unseen?: string) =>
    unseen === undefined ? whole : codePointOf(unseen),
  )

const codePointOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
