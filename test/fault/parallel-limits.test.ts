/** Keys that allow only so much, from two processes at once; by hand, a hundred thousand requests: see parallel-limits.ts. */
import { expect, it } from 'vitest'
import { parallelLimits } from './parallel-limits.ts'

it('allow as much as they say, and not one more, whoever asks at once', async () => {
  const { mistakes, counts, spent } = await parallelLimits({ trials: 1500, seed: 6 })
  expect(mistakes).toEqual([])
  for (const used of Object.values(spent)) expect(used).toBeGreaterThan(0)
  const refused = ['uses_exhausted', 'bytes_exhausted', 'files_exhausted']
  expect(Object.keys(counts)).toEqual(expect.arrayContaining(refused))
})
