import fc from 'fast-check'
import oracle from 'range-parser'
import { expect, test } from 'vitest'
import { parseRange, UnsatisfiableRange } from '../../../../gateway/body/range.ts'

const outcome = (header: string, size: number) => {
  try {
    return parseRange(header, size) ?? 'whole'
  } catch (error) {
    if (error instanceof UnsatisfiableRange) return `none of ${error.size}`
    throw error
  }
}

const number = fc.oneof(fc.nat(20), fc.maxSafeNat(), fc.bigInt({ min: 0n, max: 10n ** 30n }))

test('a part lies within the object, is not empty, and is what another implementation finds', () => {
  const header = fc
    .tuple(fc.option(number, { nil: '' }), fc.option(number, { nil: '' }))
    .map(([first, last]) => `bytes=${first}-${last}`)
  fc.assert(
    fc.property(header, fc.nat(30), (text, size) => {
      const found = outcome(text, size)
      const expected = oracle(size, text)
      if (typeof found === 'object') {
        expect(found.start).toBeGreaterThanOrEqual(0)
        expect(found.end).toBeGreaterThan(found.start)
        expect(found.end).toBeLessThanOrEqual(size)
      }
      if (!Array.isArray(expected)) return
      const [{ start, end } = { start: 0, end: 0 }] = expected
      expect(found).toEqual({ start, end: end + 1 })
    }),
    { numRuns: 2000 },
  )
})

test('whatever else is written is the whole', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(30), (text, size) => {
      fc.pre(!/^bytes=[ \t]*\d*-\d*[ \t]*$/i.test(text))
      expect(outcome(text, size)).toBe('whole')
      expect(outcome(`bytes=${text},${text}`, size)).toBe('whole')
    }),
    { numRuns: 1000 },
  )
})

test('an object of no bytes has no parts', () => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=-0']) {
    expect(outcome(header, 0)).toBe('none of 0')
  }
})
