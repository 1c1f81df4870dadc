/** `kill -9` under mixed load, a few times; by hand, hundreds: see kill-cycles.ts. */
import { expect, it } from 'vitest'
import { killCycles } from './kill-cycles.ts'

it('loses nothing that was acknowledged, and shows nothing in part, when it is killed', async () => {
  const { mistakes, counts, cycles } = await killCycles({ cycles: 5, seed: 1 })
  expect(mistakes).toEqual([])
  expect(cycles).toBe(5)
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0)
})
