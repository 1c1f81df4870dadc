import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes, justAfter, prefixEnd } from '../../../../gateway/store/byte-order.ts'

const letter = fc.constantFrom(
  '\0',
  'a',
  'z',
  '\u007f',
  '\u0080',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
)
const text = fc.oneof(
  fc.string({ unit: letter, maxLength: 4 }),
  fc.string({ unit: 'binary', maxLength: 4 }).filter((any) => any.isWellFormed()),
)

describe('the order of bytes', () => {
  it('is not that of UTF-16', () => {
    expect('\uff21' < '\u{1f511}').toBe(false)
    expect(compareBytes('\uff21', '\u{1f511}')).toBeLessThan(0)
  })

  it('has nothing between a text and the one just after it', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        const isAfter = compareBytes(other, one) > 0
        expect(compareBytes(other, justAfter(one)) >= 0).toBe(isAfter)
      }),
    )
  })

  it.each([
    ['', undefined],
    ['a/', 'a0'],
    ['\ud7ff', '\ue000'],
    ['\uffff', '\u{10000}'],
    ['a\u{10ffff}', 'b'],
    ['\u{10ffff}', undefined],
  ])('has all that starts with %j before %j', (prefix, after) => {
    expect(prefixEnd(prefix)).toBe(after)
  })

  it('has all that starts with a prefix from it up to what comes after all of it', () => {
    fc.assert(
      fc.property(text, text, (prefix, other) => {
        const below = prefixEnd(prefix)
        const isWithin = (any: string): boolean =>
          compareBytes(any, prefix) >= 0 && (below === undefined || compareBytes(any, below) < 0)
        expect(isWithin(other)).toBe(other.startsWith(prefix))
        expect(isWithin(prefix + other)).toBe(true)
      }),
    )
  })
})
