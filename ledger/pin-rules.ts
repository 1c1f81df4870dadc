/** How wrong PINs are counted, free of any database. */
import type { Seconds, UnixSeconds } from '../key/units.ts'
import {
  MOST_WRONG_PINS,
  MOST_WRONG_PINS_ANYWHERE,
  PIN_KNOWN_SECONDS,
  PIN_WINDOW_SECONDS,
  SECONDS_PER_PIN_ANYWHERE,
} from './ledger.ts'

/** Wrong PINs for one id from one network, or from anywhere. */
export interface WrongPins {
  /** when the first of them was tried; of those from anywhere, when the last of them was forgotten */
  readonly since: UnixSeconds
  readonly count: number
  /** when the right one came from there; null: never */
  readonly right: UnixSeconds | null
}

/** What is known of one id: of the network from which it is tried, and of all of them. */
export interface PinRows {
  readonly here: WrongPins | undefined
  readonly anywhere: WrongPins | undefined
}

/** In the place of a network, for all of them. */
export const ANYWHERE = '*'

/** Until those from one network are forgotten, all at once. */
const leftOf = ({ since }: WrongPins, now: UnixSeconds): number =>
  // a clock that was set back must not lengthen the wait beyond the window
  Math.min(since + PIN_WINDOW_SECONDS - now, PIN_WINDOW_SECONDS)

/** Those from anywhere are forgotten one by one, so that nobody waits long for guesses of others. */
function drained(row: WrongPins | undefined, now: UnixSeconds): WrongPins {
  const { count, since } = row ?? { count: 0, since: now }
  const from = Math.min(since, now)
  const gone = Math.floor((now - from) / SECONDS_PER_PIN_ANYWHERE)
  if (gone >= count) return { since: now, count: 0, right: null }
  const rest = (from + gone * SECONDS_PER_PIN_ANYWHERE) as UnixSeconds
  return { since: rest, count: count - gone, right: null }
}

/** Whoever knows the PIN must not be kept out by guesses from elsewhere. */
const isKnown = (here: WrongPins | undefined, now: UnixSeconds): boolean =>
  here !== undefined && here.right !== null && now - here.right < PIN_KNOWN_SECONDS

/** How long to wait until there may be one more; 0: there may be. */
export function waitAfter({ here, anywhere }: PinRows, now: UnixSeconds): Seconds {
  const isFull = here !== undefined && here.count >= MOST_WRONG_PINS
  const wait = isFull ? Math.max(0, leftOf(here, now)) : 0
  if (isKnown(here, now)) return wait as Seconds
  const { since, count } = drained(anywhere, now)
  const over = count - MOST_WRONG_PINS_ANYWHERE + 1
  const forAll = over > 0 ? since + over * SECONDS_PER_PIN_ANYWHERE - now : 0
  return Math.max(wait, forAll) as Seconds
}

/** The rows with one more, where there may be one more. */
export function oneMore(
  rows: PinRows,
  now: UnixSeconds,
): { readonly rows?: Record<keyof PinRows, WrongPins>; readonly wait: Seconds } {
  const wait = waitAfter(rows, now)
  if (wait > 0) return { wait }
  const { here, anywhere } = rows
  const isOver = here === undefined || leftOf(here, now) <= 0
  const before = isOver ? { since: now, count: 0, right: here?.right ?? null } : here
  const all = drained(anywhere, now)
  return {
    rows: {
      here: { ...before, count: before.count + 1 },
      anywhere: { ...all, count: all.count + 1 },
    },
    wait,
  }
}

/** The rows with one less, since it was the right one. */
export function oneLess(
  { here, anywhere }: PinRows,
  now: UnixSeconds,
): Record<keyof PinRows, WrongPins> {
  const less = (row: WrongPins | undefined, right: UnixSeconds | null): WrongPins => ({
    since: row?.since ?? now,
    count: Math.max(0, (row?.count ?? 0) - 1),
    right,
  })
  return { here: less(here, now), anywhere: less(anywhere, null) }
}
