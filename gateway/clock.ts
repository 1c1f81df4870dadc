/**
 * A clock that does not go back: what has expired stays expired, though somebody sets the clock of
 * the machine back by an hour, also over a restart.
 */
import { type Seconds, secondsOf, type UnixSeconds } from '../key/units.ts'
import type { Times } from '../ledger/ledger.ts'
import type { Clock } from './services.ts'

/** A clock this far behind what was noted is told of; less is what time servers correct. */
export const NOTEWORTHY = 60 as Seconds

/** In milliseconds: as much may be forgotten when the power fails. */
const NOTE_INTERVAL = 5000

/** That of the machine. */
export const systemClock: Clock = {
  now: () => secondsOf(Date.now()),
  monotonic: () => performance.now(),
}

export class SteadyClock implements Clock {
  readonly monotonic: () => number
  readonly #system: () => UnixSeconds
  readonly #times: Times
  #latest: UnixSeconds

  private constructor(system: Clock, times: Times, latest: UnixSeconds) {
    this.monotonic = system.monotonic
    this.#system = system.now
    this.#times = times
    this.#latest = latest
  }

  /** Begins where any process has ended before. */
  static async start(system: Clock, times: Times): Promise<SteadyClock> {
    return new SteadyClock(system, times, await times.latestTime())
  }

  /** The time of the machine, or the latest it ever was. */
  readonly now = (): UnixSeconds => {
    const time = this.#system()
    if (time > this.#latest) this.#latest = time
    return this.#latest
  }

  /** How far the clock of the machine lies behind. */
  behind(): Seconds {
    return (this.now() - this.#system()) as Seconds
  }

  /** Writes the time down, for the next start and for other processes. */
  async note(): Promise<void> {
    await this.#times.noteTime(this.now())
  }

  /** Notes the time now and then, until the function that it returns is called. */
  noteRegularly(onError: (error: unknown) => void): () => void {
    const note = (): void => void this.note().catch(onError)
    note()
    const timer = setInterval(note, NOTE_INTERVAL).unref()
    return () => clearInterval(timer)
  }
}
