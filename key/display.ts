/** Names that somebody else chose, as they are shown: nothing in them is unseen. */

const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is shown
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu

/**
 * A name in pieces: text, and between them what nobody would see, such as `U+202E`, which turns
 * round what follows it. So a name can't pose as another.
 */
export function piecesOf(
  name: string,
): readonly { readonly text: string; readonly unseen: boolean }[] {
  return name
    .split(new RegExp(`(${UNSEEN.source})`, 'u'))
    .map((text, at) => ({ text: at % 2 === 0 ? text : codePointOf(text), unseen: at % 2 === 1 }))
    .filter(({ text }) => text !== '')
}

/** The same as one text. */
export const visible = (name: string): string => name.replace(UNSEEN, codePointOf)

const codePointOf = (character: string): string =>
  `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
