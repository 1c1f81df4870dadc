import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sliced } from '../../../../../gateway/store/disk/slices.ts'

const piece = fc.record({
  blob: fc.nat(3),
  start: fc.nat(20),
  length: fc.integer({ min: 1, max: 9 }),
})

/** Which byte of which blob stands where. */
const bytesOf = (pieces: readonly { blob: number; start: number; length: number }[]): string[] =>
  pieces.flatMap(({ blob, start, length }) =>
    Array.from({ length }, (_, n) => `${blob}:${start + n}`),
  )

it('a range of pieces is the same range of their bytes, without empty pieces', () => {
  fc.assert(
    fc.property(fc.array(piece), fc.nat(40), fc.nat(40), (pieces, start, length) => {
      const slices = sliced(pieces, { start, length })
      expect(bytesOf(slices)).toEqual(bytesOf(pieces).slice(start, start + length))
      expect(slices.every((slice) => slice.length > 0)).toBe(true)
    }),
  )
})
