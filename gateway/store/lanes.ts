/**
 * Works on items side by side, as many at a time as there are lanes. The next item is asked for
 * when a lane is free, so that no more is in hand than is worked on. Where one fails, no other is
 * begun; what was begun has ended when this rejects.
 */
export async function inLanes<T>(
  items: Iterable<T> | AsyncIterable<T>,
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : iterate(items)
  let failed = false
  const lane = async (): Promise<void> => {
    try {
      while (!failed) {
        const next = await iterator.next()
        if (next.done === true) return
        await work(next.value)
      }
    } catch (error) {
      failed = true
      throw error
    }
  }
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, lane))
  if (failed) await iterator.return?.()
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

async function* iterate<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

/** At most `most` pieces of work at a time; the others wait in turn. */
export class Gate {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
