import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metaOf, textOf } from '../../../../../gateway/store/disk/meta-text.ts'

const text = fc.string({ unit: 'grapheme' })
const record = fc.dictionary(text, text)
const meta = fc.record(
  {
    user: record,
    tags: record,
    contentEncoding: text,
    expires: text,
    checksums: fc.constant({ type: 'COMPOSITE', values: { SHA1: 'x-2' } } as const),
    partSizes: fc.array(fc.constantFrom(0, 5, 5_242_880), { minLength: 1 }),
  },
  { requiredKeys: [] },
)

describe('the text of what is known of an object', () => {
  it('gives back what was put in', () => {
    fc.assert(
      fc.property(meta, (one) => {
        const kept = textOf(one)
        expect(kept === null ? {} : metaOf(kept)).toEqual(one)
      }),
    )
  })

  it('is none where there is nothing to know', () => {
    expect(textOf(undefined)).toBeNull()
    expect(textOf({})).toBeNull()
  })

  it('is short for ten thousand parts', () => {
    const partSizes = [...Array.from({ length: 9999 }, () => 8_388_608), 17]
    expect(textOf({ partSizes })?.length).toBeLessThan(100)
  })
})
