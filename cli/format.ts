/** How values look on a terminal. Never parsed back; `--json` gives the values themselves. */
import { visible } from '../key/display.ts'
import { formatDuration, type Seconds, type UnixSeconds } from '../key/units.ts'

/**
 * Control characters would let a stored name steer the terminal, and direction marks let it lie.
 * They are shown as their code points, as the pages show them.
 */
export const printable = visible

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const ZERO = /\p{Mn}|\p{Me}|[\u200b-\u200d]/u

/** How many columns a text without control characters takes. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** At most so many columns: what is too long loses its middle, since names differ at both ends. */
export function elided(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  const characters = [...text]
  const taken = (from: readonly string[], room: number): readonly string[] => {
    let left = room
    const end = from.findIndex((character) => {
      left -= displayWidth(character)
      return left < 0
    })
    return from.slice(0, end)
  }
  if (width < 1) return ''
  const tail = taken(characters.toReversed(), Math.floor((width - 1) / 2)).toReversed()
  const head = taken(characters, Math.ceil((width - 1) / 2))
  return `${head.join('')}…${tail.join('')}`
}

/** `in 15m`, `2h ago`, `now`. */
export function relativeTime(time: UnixSeconds, now: UnixSeconds): string {
  if (time === now) return 'now'
  const distance = formatDuration(Math.abs(time - now) as Seconds)
  return time > now ? `in ${distance}` : `${distance} ago`
}

/** `3 objects`, `1 object`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`

/** As one word of a POSIX shell. */
export const shellQuoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
