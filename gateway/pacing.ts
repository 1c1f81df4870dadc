/**
 * How fast the transfers of a key may go: so many bytes a second for all of them together. Time is
 * monotonic milliseconds. Whoever wants to move some waits until those who asked before have had
 * their time, so that transfers which ask for little at a time share evenly.
 */
import { countersOf } from '../key/counters.ts'
import type { Grant } from '../key/sign.ts'

/** Many times a second, so that nobody waits long for a turn. */
const TURNS_A_SECOND = 10
/** Rates that nobody has used for a while are forgotten when there are more. */
const MOST_KNOWN = 1000
/** Nobody waits longer without looking whether it is still wanted, in milliseconds. */
const LOOK_AFTER = 1000

interface Bucket {
  readonly bytesPerSecond: number
  /** when all that was asked for so far has had its time */
  freeAt: number
}

export class Pacing {
  readonly #workers: number
  readonly #monotonic: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** @param workers processes that a key's transfers may come to: each gets its part of the rate */
  constructor(workers: number, monotonic: () => number) {
    this.#workers = workers
    this.#monotonic = monotonic
  }

  /** For one transfer; undefined where the key states no rate. */
  of(grant: Grant): Pace | undefined {
    const rates = countersOf(grant)?.rates ?? []
    if (rates.length === 0) return undefined
    const buckets = rates.map(({ id, rate }) => this.#bucketOf(id, rate / this.#workers))
    return new Pace(buckets, this.#monotonic)
  }

  #bucketOf(id: string, bytesPerSecond: number): Bucket {
    const name = `${bytesPerSecond} ${id}`
    const known = this.#buckets.get(name)
    if (known !== undefined) return known
    if (this.#buckets.size >= MOST_KNOWN) this.#forgetFree()
    const bucket = { bytesPerSecond, freeAt: 0 }
    this.#buckets.set(name, bucket)
    return bucket
  }

  /** A bucket that is free is like a new one; who still has it only takes it along. */
  #forgetFree(): void {
    const now = this.#monotonic()
    for (const [name, { freeAt }] of this.#buckets) {
      if (freeAt <= now) this.#buckets.delete(name)
    }
  }
}

/** Of one transfer. */
export class Pace {
  readonly #buckets: readonly Bucket[]
  readonly #monotonic: () => number
  /** as much as is to be asked for at a time, in bytes */
  readonly portion: number
  #stopped = false
  #wake: () => void = () => {}

  constructor(buckets: readonly Bucket[], monotonic: () => number) {
    this.#buckets = buckets
    this.#monotonic = monotonic
    const slowest = Math.min(...buckets.map(({ bytesPerSecond }) => bytesPerSecond))
    this.portion = Math.max(1, Math.floor(slowest / TURNS_A_SECOND))
  }

  /** Resolves when it is time to move so many bytes, or nobody wants them any more. */
  async before(bytes: number): Promise<void> {
    let start = this.#monotonic()
    for (const bucket of this.#buckets) {
      const turn = Math.max(this.#monotonic(), bucket.freeAt)
      bucket.freeAt = turn + (bytes * 1000) / bucket.bytesPerSecond
      start = Math.max(start, turn)
    }
    await this.#until(start)
  }

  /** Resolves when the time has passed that bytes which were moved already may take. */
  async after(bytes: number): Promise<void> {
    let end = 0
    for (const bucket of this.#buckets) {
      bucket.freeAt =
        Math.max(this.#monotonic(), bucket.freeAt) + (bytes * 1000) / bucket.bytesPerSecond
      end = Math.max(end, bucket.freeAt)
    }
    await this.#until(end)
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  async #until(time: number): Promise<void> {
    for (;;) {
      const left = time - this.#monotonic()
      if (left <= 0 || this.#stopped) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, LOOK_AFTER))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
