/** A moment that a person asks about: a date-time, or how long ago. */
import { parseDuration, parseTime, type UnixSeconds } from '../key/units.ts'

/**
 * `24h` is a day ago: what is on record lies in the past.
 * @returns milliseconds since 1970
 * @throws RangeError that names what was expected
 */
export function parseMoment(text: string, now: UnixSeconds): number {
  if (/^[\dwdhms]+[wdhms]$/.test(text)) return Math.max(0, now - parseDuration(text)) * 1000
  return parseTime(text, now) * 1000
}
