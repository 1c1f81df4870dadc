import { Refusal } from '../../../key/refusal.ts'

/** What is under way, to be waited for before what it works with is closed. */
export class Busy {
  readonly #running = new Set<Promise<unknown>>()
  #isClosed = false

  /** @throws Refusal unavailable where it is closed */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.check()
    return this.finish(work)
  }

  /** Also where it is closed: for letting go of what is held, which nobody else would. */
  async finish<T>(work: () => Promise<T>): Promise<T> {
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** @throws Refusal unavailable where it is closed */
  check(): void {
    if (this.#isClosed) throw new Refusal('unavailable', 'the store has been closed')
  }

  /** Nothing begins any more; resolves when all has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#running)
  }
}
