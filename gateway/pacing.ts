/**
 * How fast the transfers of a key may go: so many bytes a second for all of them together. Time is
 * monotonic milliseconds. Whoever wants to move some waits until those who asked before have had
 * their time, so that transfers which ask for little at a time share evenly.
 */
import { countersOf } from '../key/counters.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { Bytes } from '../key/units.ts'

/** Many times a second, so that nobody waits long for a turn. */
const TURNS_A_SECOND = 10
/** Rates that nobody has used for a while are forgotten when there are more. */
const MOST_KNOWN = 1000
/** Nobody waits longer without looking whether it is still wanted, in milliseconds. */
const LOOK_AFTER = 1000

interface Bucket {
  /** bytes a second, of all processes together */
  readonly rate: number
  /** when all that was asked for so far has had its time */
  freeAt: number
  /** that run now */
  uploads: number
}

export class Pacing {
  readonly #clock: PaceClock
  readonly #buckets = new Map<string, Bucket>()

  /**
   * @param processes that a key's transfers may come to just now: each gets its part of the rate
   */
  constructor(processes: () => number, monotonic: () => number) {
    this.#clock = { processes, monotonic }
  }

  /** For one transfer; undefined where the key states no rate. */
  of(grant: Grant): Pace | undefined {
    const rates = countersOf(grant)?.rates ?? []
    if (rates.length === 0) return undefined
    const buckets = rates.map(({ id, rate }) => this.#bucketOf(id, rate))
    return new Pace(buckets, this.#clock)
  }

  #bucketOf(id: string, rate: number): Bucket {
    const name = `${rate} ${id}`
    const known = this.#buckets.get(name)
    if (known !== undefined) return known
    if (this.#buckets.size >= MOST_KNOWN) this.#forgetFree()
    const bucket = { rate, freeAt: 0, uploads: 0 }
    this.#buckets.set(name, bucket)
    return bucket
  }

  /** A bucket that is free is like a new one; who still has it only takes it along. */
  #forgetFree(): void {
    const now = this.#clock.monotonic()
    for (const [name, { freeAt, uploads }] of this.#buckets) {
      if (freeAt <= now && uploads === 0) this.#buckets.delete(name)
    }
  }
}

interface PaceClock {
  readonly processes: () => number
  readonly monotonic: () => number
}

/** Of one transfer. */
export class Pace {
  readonly #buckets: readonly Bucket[]
  readonly #clock: PaceClock
  #stopped = false
  #wake: () => void = () => {}

  constructor(buckets: readonly Bucket[], clock: PaceClock) {
    this.#buckets = buckets
    this.#clock = clock
  }

  /** As much as is to be asked for at a time, in bytes. */
  get portion(): number {
    const slowest = Math.min(...this.#buckets.map((bucket) => this.#hereOf(bucket)))
    return Math.max(1, Math.floor(slowest / TURNS_A_SECOND))
  }

  /** Bytes a second, of what goes through this process. */
  #hereOf({ rate }: Bucket): number {
    return rate / this.#clock.processes()
  }

  /**
   * For one more upload, until it is told to {@link leave}. While we make an upload wait, nobody can
   * see whether its client is still there: so none begins that would have to wait for longer than one
   * that is just fast enough.
   * @param least bytes a second
   * @throws Refusal too_slow where the key never lets an upload go as fast; unavailable where it does
   * not beside those that run
   */
  join(least: Bytes): void {
    for (const bucket of this.#buckets) {
      const here = Math.floor(this.#hereOf(bucket))
      if (here < least) throw tooSlow(here, least)
      if (here < least * (bucket.uploads + 1)) throw tooMany(bucket.uploads)
    }
    for (const bucket of this.#buckets) bucket.uploads += 1
  }

  leave(): void {
    for (const bucket of this.#buckets) bucket.uploads -= 1
  }

  /** Resolves when it is time to move so many bytes, or nobody wants them any more. */
  async before(bytes: number): Promise<void> {
    let start = this.#clock.monotonic()
    for (const bucket of this.#buckets) {
      const turn = Math.max(this.#clock.monotonic(), bucket.freeAt)
      bucket.freeAt = turn + (bytes * 1000) / this.#hereOf(bucket)
      start = Math.max(start, turn)
    }
    await this.#until(start)
  }

  /** Resolves when the time has passed that bytes which were moved already may take. */
  async after(bytes: number): Promise<void> {
    let end = 0
    for (const bucket of this.#buckets) {
      bucket.freeAt =
        Math.max(this.#clock.monotonic(), bucket.freeAt) + (bytes * 1000) / this.#hereOf(bucket)
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
      const left = time - this.#clock.monotonic()
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

const tooSlow = (here: number, least: number): Refusal =>
  new Refusal(
    'too_slow',
    `the key lets its transfers go at ${here} bytes a second here, and an upload makes at least ${least}; ask for a key with a higher rate`,
  )

const tooMany = (running: number): Refusal =>
  new Refusal(
    'unavailable',
    `the key runs ${running} uploads already, as many as its rate allows; try again in a moment`,
  )
