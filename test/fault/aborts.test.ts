/** Clients that go away leave nothing; by hand, a hundred thousand of them: see aborts.ts. */
import { expect, it } from 'vitest'
import { abortMany, MOST_UPLOADS } from './aborts.ts'

it('leave descriptors, uploads, uses and memory as they were', async () => {
  const result = await abortMany({ aborts: 2500, seed: 1, args: ['--log-level', 'warn'] })
  const { before, after } = result
  expect(result).toMatchObject({ staged: 0, uploads: MOST_UPLOADS, isUseFree: true })
  expect(after.openFiles ?? 0).toBeLessThanOrEqual(before.openFiles ?? 0)
  // a heap breathes; a buffer or two kept for each would be hundreds
  const grown = (after.resident ?? 0) - (before.resident ?? 0)
  expect(grown).toBeLessThan(128 << 20)
})
