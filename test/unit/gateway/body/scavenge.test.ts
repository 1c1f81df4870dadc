import { constants, PerformanceObserver } from 'node:perf_hooks'
import { expect, it } from 'vitest'
import { noteChunk } from '../../../../gateway/body/scavenge.ts'
import { until } from '../../../support/eventually.ts'

it('what bodies leave behind is looked through after 4 MiB, and not before', async () => {
  let forced = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind, flags } = (entry as unknown as { detail: { kind: number; flags: number } })
        .detail
      const isForced = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR && isForced) forced += 1
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  try {
    for (let count = 1; count < 64; count += 1) noteChunk(64 * 1024)
    await new Promise((resolve) => setImmediate(resolve))
    expect(forced).toBe(0)
    noteChunk(64 * 1024)
    await until(() => forced > 0)
    expect(forced).toBe(1)
  } finally {
    observer.disconnect()
  }
})
