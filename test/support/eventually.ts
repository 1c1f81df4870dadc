import { vi } from 'vitest'

/** What is waited for comes when it comes: a busy machine is no failure, and a fast one waits for nothing. */
const PATIENT = { timeout: 60_000, interval: 50 }

/** Resolves when a check throws no more; rejects with what it throws at last. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, PATIENT)

/** Resolves when a condition holds. */
export const until = (holds: () => boolean | Promise<boolean>): Promise<unknown> =>
  vi.waitUntil(holds, PATIENT)
