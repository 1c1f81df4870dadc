import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK } from '../../../../../gateway/store/files/checksum.ts'
import { Gatherer } from '../../../../../gateway/store/files/gather.ts'
import { isSame, pattern } from '../../../../support/store.ts'

describe('gathered bytes', () => {
  it('come out in order, however they went in and are taken', () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(3 * BLOCK)), { maxLength: 12 })
    const takes = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 })
    fc.assert(
      fc.property(sizes, takes, (added, blocks) => {
        const gathered = new Gatherer()
        const whole = pattern(added.reduce((sum, size) => sum + size, 0))
        let at = 0
        for (const size of added) {
          gathered.add(whole.subarray(at, at + size))
          at += size
        }
        expect(gathered.size).toBe(whole.length)
        const out: Uint8Array[] = []
        for (const count of blocks.filter((count) => count * BLOCK <= whole.length)) {
          if (count * BLOCK > gathered.size) break
          const { chunks, giveBack } = gathered.take(count * BLOCK)
          expect(chunks.map(({ length }) => length)).toEqual(new Array(count).fill(BLOCK))
          out.push(Buffer.concat(chunks))
          giveBack()
        }
        out.push(Buffer.concat(gathered.chunks))
        expect(isSame(Buffer.concat(out), whole)).toBe(true)
        expect(isSame(gathered.takeWhole(), out.at(-1) ?? new Uint8Array(0))).toBe(true)
        expect(gathered.size).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('in single bytes are not held as single bytes', () => {
    const gathered = new Gatherer()
    const slab = pattern(200_000)
    for (let at = 0; at < slab.length; at += 1) gathered.add(slab.subarray(at, at + 1))
    expect(gathered.chunks).toHaveLength(1)
    expect(isSame(Buffer.concat(gathered.chunks), slab)).toBe(true)
  })

  it('are what they were when they were added', () => {
    const gathered = new Gatherer()
    const chunk = Buffer.from('as it was')
    gathered.add(chunk)
    chunk.fill(0)
    expect(Buffer.from(gathered.takeWhole()).toString()).toBe('as it was')
  })

  it('taken whole are in memory of their own', () => {
    const gathered = new Gatherer()
    gathered.add(Buffer.from('from a pool'))
    const whole = gathered.takeWhole()
    expect(whole.buffer.byteLength).toBe(whole.length)
    new Gatherer().add(pattern(BLOCK))
    expect(Buffer.from(whole).toString()).toBe('from a pool')
  })

  it('that somebody may still read are never filled with others', () => {
    const given = pattern(2 * BLOCK)
    const [first, second] = [new Gatherer(), new Gatherer()]
    first.add(given)
    const read = first.chunks
    first.clear()
    second.add(new Uint8Array(2 * BLOCK))
    expect(isSame(Buffer.concat(read), given)).toBe(true)
  })

  it('lie in blocks that are used again once they are given back', () => {
    const gathered = new Gatherer()
    gathered.add(pattern(BLOCK))
    const { chunks, giveBack } = gathered.take(BLOCK)
    giveBack()
    gathered.add(Buffer.of(7))
    expect(gathered.chunks[0]?.buffer).toBe(chunks[0]?.buffer)
  })
})
