import { describe, expect, it } from 'vitest'
import { Memo } from '../../../gateway/memo.ts'

describe('a memo', () => {
  it('has what was added, until it is cleared', () => {
    const memo = new Memo<number>(100)
    expect(memo.get('a')).toBeUndefined()
    expect(memo.add('a', 1)).toBe(1)
    expect([memo.get('a'), memo.get('a')]).toEqual([1, 1])
    memo.add('b', 2)
    memo.clear()
    expect([memo.get('a'), memo.get('b')]).toEqual([undefined, undefined])
  })

  it('keeps what came again, whatever comes once', () => {
    const memo = new Memo<number>(100, 4)
    memo.add('again', 1)
    memo.get('again')
    memo.add('once', 2)
    for (let n = 0; n < 8; n += 1) memo.add(`other ${n}`, n)
    expect([memo.get('again'), memo.get('once')]).toEqual([1, undefined])
  })

  it('forgets all that came again when it holds too many characters', () => {
    const memo = new Memo<number>(10)
    for (const text of ['12345', '67890', 'abcde']) {
      memo.add(text, text.length)
      memo.get(text)
    }
    expect(['12345', '67890', 'abcde'].map((text) => memo.get(text))).toEqual([
      undefined,
      undefined,
      5,
    ])
  })
})
