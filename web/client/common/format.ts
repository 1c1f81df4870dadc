/** Sizes, times and counts as people of a language write them. */
import { inUnits } from '../../../key/units.ts'
import { language } from './language.ts'

/**
 * `1.5 MiB`, as the command line and listings have it.
 * @param round where it must not say more, or less, than there is
 */
export function size(bytes: number, round?: (value: number) => number): string {
  const [amount, unit] = inUnits(bytes, round)
  if (unit !== 'B') return `${new Intl.NumberFormat(language).format(amount)}\u00a0${unit}`
  const whole = { style: 'unit', unit: 'byte', unitDisplay: 'long' } as const
  return new Intl.NumberFormat(language, whole).format(amount)
}

/** What is let through at most: nobody is promised a byte more than that. */
export const atMost = (bytes: number): string => size(bytes, Math.floor)

export const count = (value: number): string => new Intl.NumberFormat(language).format(value)

export const percent = (share: number): string =>
  new Intl.NumberFormat(language, { style: 'percent' }).format(share)

const dateTime = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
const dateOnly = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })

/** Day and time. @param time in Unix seconds */
export const moment = (time: number): string => dateTime.format(time * 1000)

/** @param time in Unix seconds */
export const day = (time: number): string => dateOnly.format(time * 1000)

const DURATIONS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** Day and time, with the year where it is another than now; with seconds where they tell. */
export function briefly(time: number, seconds?: '2-digit'): string {
  const date = new Date(time * 1000)
  const isOfThisYear = date.getFullYear() === new Date().getFullYear()
  return new Intl.DateTimeFormat(language, {
    year: isOfThisYear ? undefined : 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: seconds,
  }).format(date)
}

/** `in 2 days`, `in 45 seconds`: never more than there is. @param seconds from now */
export function fromNow(seconds: number, style: 'long' | 'narrow' = 'long'): string {
  const [unit, length] = stepOf(seconds)
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always', style })
  return relative.format(Math.trunc(seconds / length), unit)
}

/** `3 minutes`. */
export function duration(seconds: number): string {
  const [unit, length] = stepOf(seconds)
  const format = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 } as const
  return new Intl.NumberFormat(language, format).format(Math.round(seconds / length))
}

/** The largest unit of which there are two or more. */
const stepOf = (seconds: number): (typeof DURATIONS)[number] =>
  DURATIONS.find(([, length]) => Math.abs(seconds) >= 2 * length) ?? ['second', 1]
