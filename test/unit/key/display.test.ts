import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { piecesOf, visible } from '../../../key/display.ts'

describe('a name, shown', () => {
  it('has nothing unseen left in it', () => {
    expect(visible('photo\u202egpj.exe')).toBe('photoU+202Egpj.exe')
    expect(visible('\u200bprice\u0000\u00ad\ufeff.txt')).toBe('U+200BpriceU+0000U+00ADU+FEFF.txt')
  })

  it.each([
    ['a filler of Hangul', 'a\u115f\u1160\u3164\uffa0', 'aU+115FU+1160U+3164U+FFA0'],
    ['a vowel of Khmer that is not drawn', '\u17b4\u17b5', 'U+17B4U+17B5'],
    ['selectors of Mongolian', '\u180b\u180e\u180f', 'U+180BU+180EU+180F'],
    ['a braille cell without dots', 'a\u2800.txt', 'aU+2800.txt'],
    ['tags', 'a\u{e0001}\u{e0065}\u{e007f}', 'aU+E0001U+E0065U+E007F'],
    ['tags behind a flag that spell none', '🏴\u{e0065}\u{e007f}', '🏴U+E0065U+E007F'],
    [
      'joiners between letters that do not join',
      'pay\u200dpal\u200c.exe',
      'payU+200DpalU+200C.exe',
    ],
    ['a joiner that has one such letter only', 'می\u200c.txt', 'میU+200C.txt'],
    ['a joiner behind a digit', '٣\u200cم', '٣U+200Cم'],
    ['half a character', 'a\ud800', 'aU+D800'],
  ])('has %s told', (_, name, shown) => {
    expect(visible(name)).toBe(shown)
  })

  it.each([
    ...['a b.txt', 'تقرير.txt', '报告.pdf', 'e\u0301.txt', '👩🏽.png', ''],
    ...['می\u200cخواهم.txt', 'क्\u200dष.pdf', 'ශ්\u200dරී.txt', 'مُ\u200cد'],
    ...['👩🏽\u200d🚀.png', '🏳️\u200d🌈.png', '👨\u200d👩\u200d👧.jpg', '❤️\u200d🔥'],
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}.png',
  ])('is as it was where all of it is seen: %s', (name) => {
    expect(visible(name)).toBe(name)
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
