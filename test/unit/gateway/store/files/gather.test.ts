import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Gatherer } from '../../../../../gateway/store/files/gather.ts'
import { isSame, pattern } from '../../../../support/store.ts'

describe('gathered bytes', () => {
  it('come out in order, however they went in and are taken', () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(40_000)), { maxLength: 40 })
    fc.assert(
      fc.property(sizes, sizes, (added, taken) => {
        const gathered = new Gatherer()
        const whole = pattern(added.reduce((sum, size) => sum + size, 0))
        let at = 0
        for (const size of added) {
          gathered.add(whole.slice(at, at + size))
          at += size
        }
        expect(gathered.size).toBe(whole.length)
        const out = taken.flatMap((size) => {
          const before = gathered.size
          const parts = gathered.take(size)
          expect(before - gathered.size).toBe(Math.min(size, before))
          return parts
        })
        expect(isSame(Buffer.concat([...out, gathered.takeWhole()]), whole)).toBe(true)
        expect(gathered.size).toBe(0)
      }),
    )
  })

  it('in single bytes are not held as single bytes', () => {
    const gathered = new Gatherer()
    const slab = pattern(200_000)
    for (let at = 0; at < slab.length; at += 1) gathered.add(slab.subarray(at, at + 1))
    const parts = gathered.take(slab.length)
    expect(parts.length).toBeLessThan(64)
    expect(isSame(Buffer.concat(parts), slab)).toBe(true)
  })

  it('in large chunks are not copied', () => {
    const gathered = new Gatherer()
    const chunks = [pattern(64 * 1024), pattern(64 * 1024, 2)]
    for (const chunk of chunks) gathered.add(chunk)
    expect(gathered.take(128 * 1024).map(({ buffer }) => buffer)).toEqual(
      chunks.map(({ buffer }) => buffer),
    )
  })

  it('taken whole are in memory of their own', () => {
    const gathered = new Gatherer()
    gathered.add(Buffer.from('from a pool'))
    const whole = gathered.takeWhole()
    expect(whole.buffer.byteLength).toBe(whole.length)
  })
})
