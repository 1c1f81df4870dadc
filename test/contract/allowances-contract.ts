/** What every ledger promises of allowances, sentence by sentence of `ledger/ledger.ts`. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AllowanceRequest, Ledger } from '../../ledger/ledger.ts'
import { at, NOW } from './ledger-contract.ts'

/** @param open a fresh, empty ledger; whatever it needs is removed by `close` */
export function allowancesContract(
  name: string,
  open: () => Promise<{ ledger: Ledger; close: () => Promise<void> }>,
): void {
  describe(`allowances: ${name}`, () => {
    let ledger: Ledger
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ ledger, close } = await open())
    })
    afterEach(() => close())

    const take = (amount: number, over: Partial<AllowanceRequest> = {}) =>
      ledger.take({ of: [{ id: 'a', most: 100 }], least: amount, want: amount, now: NOW, ...over })

    test('what is taken counts, up to the most and not beyond', async () => {
      expect(await take(60)).toEqual({ granted: 60, left: 40 })
      expect(await take(41)).toEqual({ granted: 0, short: 'a', left: 40 })
      expect(await take(40)).toEqual({ granted: 40, left: 0 })
      expect(await ledger.takenOf('a')).toBe(100)
      expect(await ledger.takenOf('b')).toBe(0)
    })

    test('less than wanted is taken where less is left, but never less than the least', async () => {
      await take(95)
      expect(await take(6, { least: 5, want: 20 })).toEqual({ granted: 5, left: 0 })
      expect(await take(1, { want: 20 })).toMatchObject({ granted: 0, left: 0 })
    })

    test('what is given back can be taken again, and no more than was taken', async () => {
      await take(100)
      await ledger.giveBack(['a', 'never taken'], 30)
      expect(await take(31)).toMatchObject({ granted: 0, left: 30 })
      await ledger.giveBack(['a'], 1000)
      expect(await take(100)).toEqual({ granted: 100, left: 0 })
    })

    test('of several the same is taken, or nothing of any', async () => {
      const of = [
        { id: 'wide', most: 100 },
        { id: 'narrow', most: 10 },
      ]
      expect(await take(1, { of, want: 50 })).toEqual({ granted: 10, left: 0 })
      expect(await take(1, { of })).toMatchObject({ granted: 0, short: 'narrow' })
      expect(await ledger.takenOf('wide')).toBe(10)
    })

    test('one that fills up again does so by the second, to the most', async () => {
      const of = [{ id: 'bucket', most: 10, refill: 0.5 }]
      const later = (seconds: number, amount: number) =>
        take(amount, { of, now: at(NOW + seconds) })
      expect(await later(0, 10)).toMatchObject({ granted: 10 })
      expect(await later(1, 1)).toMatchObject({ granted: 0, left: 0 })
      expect(await later(2, 1)).toMatchObject({ granted: 1 })
      expect(await later(2, 1)).toMatchObject({ granted: 0 })
      expect(await later(1000, 11)).toMatchObject({ granted: 0, left: 10 })
      // a clock that is set back fills nothing
      expect(await later(1000, 10)).toMatchObject({ granted: 10 })
      expect(await later(500, 1)).toMatchObject({ granted: 0 })
    })

    test('purge forgets those that have ended, and only those', async () => {
      for (const [id, until] of [
        ['past', at(NOW)],
        ['future', at(NOW + 1)],
      ] as const) {
        await take(5, { of: [{ id, most: 9, until }] })
      }
      await take(5)
      await ledger.purge(NOW)
      expect(await Promise.all(['past', 'future', 'a'].map((id) => ledger.takenOf(id)))).toEqual([
        0, 5, 5,
      ])
    })

    test('amounts that nobody could take are refused', async () => {
      await expect(take(0)).rejects.toThrow(RangeError)
      await expect(take(1.5)).rejects.toThrow(RangeError)
      await expect(take(2, { want: 1 })).rejects.toThrow(RangeError)
    })

    test('never more is out than there is, whatever is taken and given back', async () => {
      const step = fc.record({ want: fc.integer({ min: 1, max: 40 }), back: fc.boolean() })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.uuid(), async (steps, id) => {
          const held: number[] = []
          for (const { want, back } of steps) {
            const before = held.reduce((sum, one) => sum + one, 0)
            if (back && held.length > 0) {
              await ledger.giveBack([id], held.shift() ?? 0)
              continue
            }
            const { granted } = await take(1, { of: [{ id, most: 100 }], want })
            expect(granted).toBe(Math.min(want, 100 - before))
            if (granted > 0) held.push(granted)
          }
        }),
        { numRuns: 20 },
      )
    })
  })
}
