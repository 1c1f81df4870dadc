/**
 * Quantities that carry their unit in their type, and how people write them.
 * Parsers refuse rather than guess: `10M` could mean two things, so it means none.
 */
declare const unit: unique symbol

/** A whole, non-negative number of bytes. */
export type Bytes = number & { readonly [unit]: 'bytes' }
/** A whole, non-negative number of seconds. */
export type Seconds = number & { readonly [unit]: 'seconds' }
/** Whole seconds since 1970-01-01T00:00:00Z. */
export type UnixSeconds = number & { readonly [unit]: 'unix-seconds' }

const whole = (value: number, what: string): number => {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${what} must be a whole number from 0 to 2^53-1, not ${value}`)
  }
  return value
}

export const bytes = (value: number): Bytes => whole(value, 'a size in bytes') as Bytes
export const seconds = (value: number): Seconds => whole(value, 'a duration in seconds') as Seconds
export const unixSeconds = (value: number): UnixSeconds =>
  whole(value, 'a time in Unix seconds') as UnixSeconds

/** The time of a clock that counts milliseconds, in whole seconds. */
export const secondsOf = (milliseconds: number): UnixSeconds =>
  unixSeconds(Math.floor(milliseconds / 1000))

export const later = (time: UnixSeconds, by: Seconds): UnixSeconds => unixSeconds(time + by)

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/**
 * `10MiB`, `1.5GB`, `512` (bytes).
 * @throws RangeError that names what was expected
 */
export function parseBytes(text: string): Bytes {
  const match = /^(\d{1,16})(?:\.(\d{1,6}))? ?([KMGT]i?B|B)?$/.exec(text)
  const value = match && decimalTimes(match[1], match[2], SIZE_UNITS[match[3] ?? 'B'])
  if (value === null || !Number.isSafeInteger(value)) {
    throw new RangeError(
      `"${text}" is not a size: write whole bytes or a number with KiB, MiB, GiB, TiB (or KB, MB, GB, TB), such as 10MiB`,
    )
  }
  return value as Bytes
}

/** In exact arithmetic: as floating point, 1.005 x 1000 is not 1005. NaN where it is not whole. */
function decimalTimes(whole = '', decimals = '', factor = 1): number {
  const scaled = BigInt(whole + decimals) * BigInt(factor)
  const scale = 10n ** BigInt(decimals.length)
  return scaled % scale === 0n ? Number(scaled / scale) : Number.NaN
}

/** `10 MiB` where that is the very number, else whole bytes. */
export function exactBytes(size: Bytes): string {
  const short = formatBytes(size)
  return !short.includes('P') && parseBytes(short) === size ? short : `${size} bytes`
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  w: 604_800,
  d: 86_400,
  h: 3600,
  m: 60,
  s: 1,
}

/**
 * `15m`, `1h30m`, `7d`, `90` (seconds).
 * @throws RangeError that names what was expected
 */
export function parseDuration(text: string): Seconds {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : sumOfUnits(text)
  if (value === undefined || !Number.isSafeInteger(value)) {
    throw new RangeError(
      `"${text}" is not a duration: write whole numbers with w, d, h, m or s, largest first, such as 15m or 1h30m`,
    )
  }
  return value as Seconds
}

function sumOfUnits(text: string): number | undefined {
  const match =
    /^(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/.exec(text)
  if (text === '' || match === null) return undefined
  return Object.values(DURATION_UNITS).reduce(
    (sum, factor, index) => sum + Number(match[index + 1] ?? 0) * factor,
    0,
  )
}

/**
 * A point in time: an RFC 3339 date-time with its offset (`2026-12-01T18:00:00Z`), a date
 * (midnight UTC), or a duration from `now` with its unit (`15m`). A bare number is refused: it could
 * be seconds from now or Unix time.
 * @throws RangeError that names what was expected
 */
export function parseTime(text: string, now: UnixSeconds): UnixSeconds {
  const dated =
    /^\d{4}-\d\d-\d\d(?:[Tt](?!24)\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d))?$/.test(
      text,
    )
  if (dated) {
    const milliseconds = Date.parse(text.toUpperCase())
    if (milliseconds >= 0 && namesARealDay(text)) return secondsOf(milliseconds)
  } else if (/^[\dwdhms]+[wdhms]$/.test(text)) {
    return later(now, parseDuration(text))
  }
  throw new RangeError(
    `"${text}" is not a time: write a date-time such as 2026-12-01T18:00:00Z, or a duration from now such as 15m`,
  )
}

/** `Date.parse` turns 31 February into 3 March; a person who wrote it meant something else. */
function namesARealDay(text: string): boolean {
  const day = text.slice(0, 10)
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}

const SHOWN_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/**
 * `1536` as 1.5 and `KiB`: with at most one decimal, and none from 100 on.
 * @param round to a whole number: up, down, or to the nearest
 */
export function inUnits(
  value: number,
  round: (value: number) => number = Math.round,
): readonly [amount: number, unit: (typeof SHOWN_UNITS)[number]] {
  let size = value
  let step = 0
  while (round(size) >= 1024 && step < SHOWN_UNITS.length - 1) {
    size /= 1024
    step += 1
  }
  const amount = step === 0 || size >= 100 ? round(size) : round(size * 10) / 10
  return [amount, SHOWN_UNITS[step] ?? 'B']
}

/** `1536` as `1.5 KiB`: for people, never parsed back. */
export const formatBytes = (value: Bytes): string => inUnits(value).join(' ')

/** `5400` as `1h30m`: at most the two largest units. */
export function formatDuration(value: Seconds): string {
  let rest: number = value
  const parts: string[] = []
  for (const [name, factor] of Object.entries(DURATION_UNITS)) {
    const count = Math.floor(rest / factor)
    rest %= factor
    if (count > 0) parts.push(`${count}${name}`)
  }
  return parts.slice(0, 2).join('') || '0s'
}

/** `2026-12-01T18:00:00Z`. */
export const formatTime = (time: UnixSeconds): string => {
  const date = new Date(time * 1000)
  return Number.isNaN(date.getTime()) ? `${time} s` : date.toISOString().replace('.000Z', 'Z')
}
