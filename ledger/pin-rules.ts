/** How wrong PINs are counted, free of any database. */
import type { Seconds, UnixSeconds } from '../key/units.ts'
import { MOST_WRONG_PINS, PIN_WINDOW_SECONDS } from './ledger.ts'

/** Wrong PINs for one id from one address. */
export interface WrongPins {
  /** when the first of them was tried */
  readonly since: UnixSeconds
  readonly count: number
}

/** Until these are forgotten. */
const leftOf = ({ since }: WrongPins, now: UnixSeconds): number =>
  // a clock that was set back must not lengthen the wait beyond the window
  Math.min(since + PIN_WINDOW_SECONDS - now, PIN_WINDOW_SECONDS)

/** How long to wait until there may be one more; 0: there may be. */
export function waitAfter(row: WrongPins | undefined, now: UnixSeconds): Seconds {
  const isFull = row !== undefined && row.count >= MOST_WRONG_PINS
  return (isFull ? Math.max(0, leftOf(row, now)) : 0) as Seconds
}

/** The row with one more, where there may be one more. */
export function oneMore(
  row: WrongPins | undefined,
  now: UnixSeconds,
): { readonly row?: WrongPins; readonly wait: Seconds } {
  const wait = waitAfter(row, now)
  if (wait > 0) return { wait }
  if (row === undefined || leftOf(row, now) <= 0) return { row: { since: now, count: 1 }, wait }
  return { row: { ...row, count: row.count + 1 }, wait }
}

/** The row with one less; undefined where nothing is left. */
export const oneLess = ({ since, count }: WrongPins): WrongPins | undefined =>
  count > 1 ? { since, count: count - 1 } : undefined
