/** How wrong PINs are counted, free of any database. */
import type { Seconds, UnixSeconds } from '../key/units.ts'
import { MOST_WRONG_PINS, PIN_WINDOW_SECONDS } from './ledger.ts'

/** Wrong PINs for one id from one address. */
export interface WrongPins {
  /** when the first of them was tried */
  readonly since: UnixSeconds
  readonly count: number
}

/** The row with one more, or how long to wait until there may be one more. */
export function oneMore(
  row: WrongPins | undefined,
  now: UnixSeconds,
): { readonly row?: WrongPins; readonly wait: Seconds } {
  // a clock that was set back must not lengthen the wait beyond the window
  const left =
    row === undefined ? 0 : Math.min(row.since + PIN_WINDOW_SECONDS - now, PIN_WINDOW_SECONDS)
  if (row === undefined || left <= 0) return { row: { since: now, count: 1 }, wait: 0 as Seconds }
  if (row.count >= MOST_WRONG_PINS) return { wait: left as Seconds }
  return { row: { ...row, count: row.count + 1 }, wait: 0 as Seconds }
}

/** The row with one less; undefined where nothing is left. */
export const oneLess = ({ since, count }: WrongPins): WrongPins | undefined =>
  count > 1 ? { since, count: count - 1 } : undefined
