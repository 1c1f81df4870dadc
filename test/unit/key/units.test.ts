import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Bytes,
  bytes,
  formatBytes,
  formatDuration,
  formatTime,
  inUnits,
  later,
  parseBytes,
  parseDuration,
  parseTime,
  type Seconds,
  seconds,
  secondsOf,
  type UnixSeconds,
  unixSeconds,
} from '../../../key/units.ts'

const NOW = 1_800_000_000 as UnixSeconds

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['10MiB', 10_485_760],
    ['10 MiB', 10_485_760],
    ['1.5GB', 1_500_000_000],
    ['0.5KiB', 512],
    ['1.005KB', 1005],
    ['4.35KB', 4350],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['8191TiB', 8191 * 2 ** 40],
  ])('%s is %d bytes', (text, expected) => {
    expect(parseBytes(text)).toBe(expected)
  })

  test.each([
    '',
    ' ',
    '-1',
    '+1',
    '10M',
    '10K',
    '10m',
    '10mib',
    '10MIB',
    '10kB',
    '1e3',
    '0x10',
    '1.5',
    '.5KiB',
    '5.KiB',
    '1,5KB',
    '10  MiB',
    '10\tMiB',
    '10\nMiB',
    ' 10MiB',
    '10MiB ',
    '0.1KiB',
    '10MiBs',
    'MiB',
    '9007199254740992',
    '9007199254740990.6',
    '99999TiB',
    'Infinity',
    'NaN',
    '１０',
    '10PiB',
  ])('refuses %j and says what to write', (text) => {
    expect(() => parseBytes(text)).toThrow(/such as 10MiB/)
  })

  test('reads decimals exactly', () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.nat(999), (whole, thousandths) => {
        const decimals = String(thousandths).padStart(3, '0')
        expect(parseBytes(`${whole}.${decimals}KB`)).toBe(whole * 1000 + thousandths)
      }),
    )
  })

  test('formatting is right within a twentieth, and exact where it can be', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        const text = formatBytes(size as Bytes)
        expect(text).toMatch(/^(?:\d{1,4}|\d{1,2}\.\d) (?:B|[KMGTP]iB)$/)
        const [number = '', unit = ''] = text.split(' ')
        const factor = 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].indexOf(unit)
        expect(Math.abs(Number(number) * factor - size)).toBeLessThanOrEqual(size * 0.05)
      }),
    )
    expect(
      [0, 1023, 1024, 1536, 1_048_575, 10_485_760].map((n) => formatBytes(n as Bytes)),
    ).toEqual(['0 B', '1023 B', '1 KiB', '1.5 KiB', '1 MiB', '10 MiB'])
  })
})

describe('durations', () => {
  test.each([
    ['90', 90],
    ['0', 0],
    ['15m', 900],
    ['1h30m', 5400],
    ['7d', 604_800],
    ['2w1d', 1_296_000],
    ['90m', 5400],
  ])('%s is %d seconds', (text, expected) => {
    expect(parseDuration(text)).toBe(expected)
  })

  test.each([
    '',
    ' ',
    '-1',
    '15 m',
    '15M',
    '1m1h',
    '1m1m',
    '1.5h',
    '1y',
    'm',
    '15ms',
    '1h30',
    '1e3s',
    '15m ',
    '15m\n',
    '99999999999999999',
    '１m',
    'PT15M',
  ])('refuses %j and says what to write', (text) => {
    expect(() => parseDuration(text)).toThrow(/such as 15m/)
  })

  test('are read as they are written', () => {
    const part = fc.nat(999)
    fc.assert(
      fc.property(fc.tuple(part, part, part, part, part), ([w, d, h, m, s]) => {
        const sum = w * 604_800 + d * 86_400 + h * 3600 + m * 60 + s
        expect(parseDuration(`${w}w${d}d${h}h${m}m${s}s`)).toBe(sum)
      }),
    )
  })

  test('formatting shows the two largest units and never more than there is', () => {
    fc.assert(
      fc.property(fc.nat(), (duration) => {
        const read = parseDuration(formatDuration(duration as Seconds))
        expect(read).toBeLessThanOrEqual(duration)
        expect(duration - read).toBeLessThan(Math.max(1, duration * 0.2))
      }),
    )
    expect([0, 59, 5400, 90_061].map((n) => formatDuration(n as Seconds))).toEqual([
      '0s',
      '59s',
      '1h30m',
      '1d1h',
    ])
  })
})

describe('times', () => {
  test.each([
    ['2027-01-15T08:00:00Z', NOW],
    ['2027-01-15t08:00:00z', NOW],
    ['2027-01-15T08:00Z', NOW],
    ['2027-01-15T10:30:00+02:30', NOW],
    ['2027-01-14T22:00:00-10:00', NOW],
    ['2027-01-15T08:00:00.999Z', NOW],
    ['2027-01-15', NOW - 8 * 3600],
    ['15m', NOW + 900],
    ['0s', NOW],
    ['2028-02-29', 1_835_395_200],
  ])('%s', (text, expected) => {
    expect(parseTime(text, NOW)).toBe(expected)
  })

  test.each([
    '',
    'now',
    'tomorrow',
    '90',
    '1800000000',
    '2027-01-15T08:00:00',
    '2027-01-15 08:00:00Z',
    '2027-02-29',
    '2027-02-31T00:00:00Z',
    '2027-13-01',
    '2027-00-10',
    '2027-01-15T24:00:00Z',
    '2027-01-15T08:60:00Z',
    '2027-01-15T08:00:60Z',
    '2027-01-15T08:00:00+25:00',
    '2027-1-15',
    '27-01-15',
    '+002027-01-15',
    '1969-12-31',
    '2027-01-15Z',
    '2027-01-15T08Z',
    '-15m',
    '15',
    'Fri, 15 Jan 2027 08:00:00 GMT',
  ])('refuses %j and says what to write', (text) => {
    expect(() => parseTime(text, NOW)).toThrow(/such as 2026-12-01T18:00:00Z/)
  })

  test('are read as they are written', () => {
    fc.assert(
      fc.property(fc.nat(253_402_300_799), (time) => {
        expect(parseTime(formatTime(time as UnixSeconds), NOW)).toBe(time)
      }),
    )
  })

  test('a time beyond the calendar is written all the same', () => {
    expect(formatTime(Number.MAX_SAFE_INTEGER as UnixSeconds)).toBe('9007199254740991 s')
  })
})

test('quantities are whole and not negative', () => {
  for (const make of [bytes, seconds, unixSeconds]) {
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => make(wrong)).toThrow(RangeError)
    }
    expect(make(0)).toBe(0)
    expect(make(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
  }
  expect(secondsOf(1999)).toBe(1)
  expect(later(NOW, 5 as Seconds)).toBe(NOW + 5)
  expect(() => later(Number.MAX_SAFE_INTEGER as UnixSeconds, 1 as Seconds)).toThrow(RangeError)
})

describe('inUnits', () => {
  test.each([
    [1_000_000, Math.floor, [976, 'KiB']],
    [1_000_000, Math.ceil, [977, 'KiB']],
    [2000, Math.floor, [1.9, 'KiB']],
    [2000, Math.ceil, [2, 'KiB']],
    [1023 * 1024 + 1023, Math.floor, [1023, 'KiB']],
    [1023 * 1024 + 1023, Math.ceil, [1, 'MiB']],
    [5 * 1024 ** 3, Math.floor, [5, 'GiB']],
    [0, Math.floor, [0, 'B']],
  ])('says of %d no more, or no less, than there is', (value, round, shown) => {
    expect(inUnits(value, round)).toEqual(shown)
  })
})
