import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { piecesOf, visible } from '../../../key/display.ts'

describe('a name, shown', () => {
  it('has nothing unseen left in it', () => {
    expect(visible('photo\u202egpj.exe')).toBe('photoU+202Egpj.exe')
    expect(visible('\u200bprice\u0000\u00ad\ufeff.txt')).toBe('U+200BpriceU+0000U+00ADU+FEFF.txt')
  })

  it('is as it was where all of it is seen', () => {
    for (const name of ['a b.txt', 'تقرير.txt', '报告.pdf', 'e\u0301.txt', '👩🏽.png', '']) {
      expect(visible(name)).toBe(name)
    }
  })

  it('comes in pieces that make up the same', () => {
    expect(piecesOf('\u202ea\u200b\u200bb')).toEqual([
      { text: 'U+202E', unseen: true },
      { text: 'a', unseen: false },
      { text: 'U+200B', unseen: true },
      { text: 'U+200B', unseen: true },
      { text: 'b', unseen: false },
    ])
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(
          piecesOf(name)
            .map(({ text }) => text)
            .join(''),
        ).toBe(visible(name))
      }),
    )
  })
})
