/** How often the admin token is guessed: few times, though there is no hope in guessing it. */
import { Refusal } from '../../key/refusal.ts'
import type { UnixSeconds } from '../../key/units.ts'

/** Wrong tokens from one address within a window, which begins with the first of them. */
export const MOST_WRONG = 10
export const WINDOW_SECONDS = 300
const MOST_ADDRESSES = 10_000

/** Too many wrong ones. */
export class TooManyTries extends Refusal {
  /** seconds */
  readonly wait: number

  constructor(wait: number) {
    super('rate_limited', `too many wrong tokens came from there: wait ${wait} seconds`)
    this.wait = wait
  }
}

interface Window {
  readonly ends: number
  wrong: number
}

export class Tries {
  readonly #windows = new Map<string, Window>()

  /**
   * Answers whether the token is right, and counts it where it is not.
   * @throws TooManyTries, without having looked
   */
  check(address: string, now: UnixSeconds, isRight: () => boolean): boolean {
    const window = this.#windowOf(address, now)
    if (window !== undefined && window.wrong >= MOST_WRONG)
      throw new TooManyTries(window.ends - now)
    if (isRight()) return true
    if (window !== undefined) window.wrong += 1
    else this.#windows.set(address, { ends: now + WINDOW_SECONDS, wrong: 1 })
    // the oldest goes: who has so many addresses is not held up by this anyway
    const [oldest] = this.#windows.keys()
    if (this.#windows.size > MOST_ADDRESSES && oldest !== undefined) this.#windows.delete(oldest)
    return false
  }

  #windowOf(address: string, now: UnixSeconds): Window | undefined {
    const window = this.#windows.get(address)
    if (window === undefined || now < window.ends) return window
    this.#windows.delete(address)
    return undefined
  }
}
