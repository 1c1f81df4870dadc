import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Worker threads and child processes of the tests load TypeScript through tsx.
    execArgv: ['--import', 'tsx'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // what is waited for comes when it comes: a busy machine is no failure
    expect: { poll: { interval: 50, timeout: 20_000 } },
  },
})
