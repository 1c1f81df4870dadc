import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  counted,
  displayWidth,
  elided,
  printable,
  relativeTime,
  shellQuoted,
} from '../../../cli/format.ts'
import { editDistance, nearest } from '../../../cli/near.ts'
import { progressLine, shortened } from '../../../cli/progress.ts'
import { formatTable } from '../../../cli/table.ts'
import type { Bytes, UnixSeconds } from '../../../key/units.ts'

describe('printable', () => {
  it.each([
    ['\u001b[2J', 'U+001B[2J'],
    ['a\nb', 'aU+000Ab'],
    ['\u202egpj.exe', 'U+202Egpj.exe'],
    ['\ud800', 'U+D800'],
    ['żółw 🐢 日本', 'żółw 🐢 日本'],
  ])('shows %j as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('lets no control character through, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})

describe('formatTable', () => {
  const columns = [
    { title: 'NAME', value: (row: [string, number]) => row[0] },
    { title: 'SIZE', value: (row: [string, number]) => String(row[1]), align: 'right' as const },
    { title: 'END', value: () => 'x' },
  ]

  it('aligns columns by what is seen, not by code units', () => {
    expect(
      formatTable(columns, [
        ['日本', 5],
        ['e\u0301', 1000],
      ]),
    ).toBe(['NAME  SIZE  END', '日本     5  x', 'e\u0301     1000  x', ''].join('\n'))
  })

  it('has no lines without rows, and no titles where no column has one', () => {
    expect(formatTable(columns, [])).toBe('')
    expect(formatTable([{ value: (row: string) => row }], ['a'])).toBe('a\n')
  })

  it('starts every column at the same place, whatever the cells hold', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (names) => {
        const table = formatTable(
          [{ value: (name: string) => `${name}.` }, { value: () => '|' }],
          names,
        )
        const starts = table
          .split('\n')
          .slice(0, -1)
          .map((line) => displayWidth(line.slice(0, -1)))
        expect(new Set(starts).size).toBe(1)
      }),
    )
  })
})

describe('a table on a terminal', () => {
  const columns = [
    { title: 'ID', value: (row: readonly string[]) => row[0] ?? '' },
    { title: 'PATH', value: (row: readonly string[]) => row[1] ?? '', fit: 'shorten' as const },
    { title: 'SAYS', value: (row: readonly string[]) => row[2] ?? '', fit: 'wrap' as const },
  ]

  it('shortens in the middle what may be, and goes on beneath', () => {
    const rows = [
      ['id-of-a-key', 'reports/2026/quarter-three/final.pdf', 'it is all as it should be'],
    ]
    expect(formatTable(columns, rows, { width: 52 }).split('\n')).toEqual([
      'ID           PATH           SAYS',
      'id-of-a-key  report…al.pdf  it is all as it should',
      '                            be',
      '',
    ])
  })

  it('is as wide as it comes where nothing is said of that', () => {
    const rows = [['a', 'b'.repeat(200), 'c d'.repeat(90)]]
    expect(formatTable(columns, rows).split('\n')).toHaveLength(3)
  })

  it('takes no more than there is, whatever the cells hold, where they leave room', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 60 })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
        const two = columns.slice(0, 2).map(({ value }) => ({ value, fit: 'shorten' as const }))
        const lines = formatTable(two, rows, { width: 40 }).split('\n')
        expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(40)
        expect(lines).toHaveLength(rows.length + 1)
      }),
    )
  })
})

describe('small words', () => {
  it.each([
    [1000, 'now'],
    [1900, 'in 15m'],
    [400, '10m ago'],
  ])('say when %d is at 1000: %s', (time, text) => {
    expect(relativeTime(time as UnixSeconds, 1000 as UnixSeconds)).toBe(text)
  })

  it('count', () => {
    expect([counted(0, 'key'), counted(1, 'key'), counted(2, 'key')]).toEqual([
      '0 keys',
      '1 key',
      '2 keys',
    ])
  })

  it.each([
    ['abc/d.txt', 'abc/d.txt'],
    ["it's", "'it'\\''s'"],
    ['a b', "'a b'"],
    ['$(rm)', "'$(rm)'"],
    ['https://h/p?vk=a', "'https://h/p?vk=a'"],
    ['', "''"],
  ])('are quoted for a shell: %j', (text, quoted) => {
    expect(shellQuoted(text)).toBe(quoted)
  })

  it('show progress with and without a known end', () => {
    expect(progressLine('f', 512 as Bytes, 1024, 1024 as Bytes)).toBe(
      'f  50% [############............] 512 B of 1 KiB  1 KiB/s',
    )
    expect(progressLine('-', 512 as Bytes, 1024)).toBe('-  512 B  1 KiB/s')
  })
})

describe('progress on a narrow terminal', () => {
  const at = (width: number) =>
    progressLine('quarterly-report-2026.pdf', 512 as Bytes, 1024, 1024 as Bytes, width)

  it.each([
    [79, 'quarterly-r…rt-2026.pdf  50% [############............] 512 B of 1 KiB  1 KiB/s'],
    [60, 'quarterl…026.pdf  50% [######......] 512 B of 1 KiB  1 KiB/s'],
    [39, 'quart….pdf  50% 512 B of 1 KiB  1 KiB/s'],
    [24, 'quart….pdf  50%  1 KiB/s'],
    [14, '50%  1 KiB/s'],
  ])('has percent and speed in %d columns', (width, text) => {
    expect(at(width)).toBe(text)
  })

  it('never takes more columns than there are, unless there is no room for anything', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 20, max: 120 }),
        (label, w) => {
          const text = progressLine(printable(label), 5 as Bytes, 7, 9 as Bytes, w)
          expect(displayWidth(text)).toBeLessThanOrEqual(w)
          expect(text).toMatch(/55%.* {2}7 B\/s$/)
        },
      ),
    )
  })
})

describe('a name that is too long', () => {
  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'ab…ef'],
    ['abcdef', 4, 'ab…f'],
    ['日本日本', 6, '日…本'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('loses its middle: %j in %d columns', (text, width, shown) => {
    expect(elided(text, width)).toBe(shown)
  })
})

describe('a line that is too long', () => {
  it.each([
    ['abcdef', 3, 'abc'],
    ['日本', 3, '日'],
    ['abc', 3, 'abc'],
    ['abc', 0, ''],
    ['abc', -1, ''],
  ])('is cut: %j to %d columns', (line, width, cut) => {
    expect(shortened(line, width)).toBe(cut)
  })
})

describe('nearest', () => {
  it.each([
    ['trusted_proxies', 'trustedProxies'],
    ['lisen', 'listen'],
    ['entirely', undefined],
    ['', undefined],
  ])('takes %j for %j', (name, meant) => {
    expect(nearest(name, ['listen', 'trustedProxies'])).toBe(meant)
  })

  it('measures as Levenshtein did', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3)
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })
})
