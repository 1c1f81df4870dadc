import { setTimeout } from 'node:timers/promises'
import type { Bytes } from '../../../key/units.ts'

/** A clock that waits as well; in milliseconds. */
export interface WaitingClock {
  readonly monotonic: () => number
  readonly wait: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>
}

export const realClock: WaitingClock = {
  monotonic: () => performance.now(),
  wait: async (milliseconds, signal) => {
    try {
      await setTimeout(milliseconds, undefined, signal && { signal })
    } catch (error) {
      // the reason that whoever aborted gave, not the timer's wrapping of it
      signal?.throwIfAborted()
      throw error
    }
  },
}

/** What was not used up within this is gone: a slow hour does not buy a fast minute. In milliseconds. */
const MOST_BEHIND = 1000

/** Keeps work at so many bytes a second. */
export class Pace {
  readonly #rate: Bytes
  readonly #clock: WaitingClock
  /** when all that was spent so far is paid for */
  #paidAt: number

  constructor(rate: Bytes, clock: WaitingClock = realClock) {
    this.#rate = rate
    this.#clock = clock
    this.#paidAt = clock.monotonic()
  }

  async spend(count: number, signal?: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic()
    this.#paidAt = Math.max(this.#paidAt, now - MOST_BEHIND) + (count * 1000) / this.#rate
    if (this.#paidAt > now) await this.#clock.wait(this.#paidAt - now, signal)
  }
}
