import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Many files wait for a disk or a browser most of their time.
    maxWorkers: Math.max(2, availableParallelism()),
    // What is waited for comes when it comes: a slow or busy machine is no failure. These end what hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { interval: 50, timeout: 60_000 } },
  },
})
