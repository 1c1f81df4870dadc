/** Sizes, times and counts as people of a language write them. */
import { language } from './language.ts'

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

/** `1.5 MB`: thousands, as file managers count. */
export function size(bytes: number): string {
  let step = 0
  let value = bytes
  while (Math.round(value) >= 1000 && step < UNITS.length - 1) {
    value /= 1000
    step += 1
  }
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[step] as string,
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step === 0 || value >= 100 ? 0 : 1,
  }).format(value)
}

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

/** `in 2 days`, `in 45 seconds`: never more than there is. @param seconds from now */
export function fromNow(seconds: number): string {
  const [unit, length] = stepOf(seconds)
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always' })
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
