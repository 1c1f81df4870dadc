/** How fast bytes go, and when to try again. Times are milliseconds of a clock that only goes on. */

/** Speed is that of the last seconds: long enough to be calm, short enough to be true. */
const WINDOW = 8_000

export class Pace {
  #marks: { readonly at: number; readonly bytes: number }[] = []

  /** @param bytes sent in all, up to now */
  mark(bytes: number, now: number): void {
    const last = this.#marks.at(-1)
    // fewer than before: an upload was given up, or goes on from what had really arrived
    if (last !== undefined && bytes < last.bytes) this.#marks = []
    this.#marks.push({ at: now, bytes })
    while ((this.#marks[1]?.at ?? now) < now - WINDOW) this.#marks.shift()
  }

  forget(): void {
    this.#marks = []
  }

  /** Bytes per second; undefined until there is something to measure. */
  speed(now: number): number | undefined {
    const first = this.#marks[0]
    const last = this.#marks.at(-1)
    if (first === undefined || last === undefined || now - first.at < 500) return undefined
    return ((last.bytes - first.bytes) * 1000) / (now - first.at)
  }

  /** Seconds, rounded up; undefined while nothing moves. */
  timeLeft(bytesLeft: number, now: number): number | undefined {
    const speed = this.speed(now)
    return speed === undefined || speed < 1 ? undefined : Math.ceil(bytesLeft / speed)
  }
}

const FIRST_DELAY = 1_000
const LONGEST_DELAY = 60_000

/**
 * Milliseconds until the next try: doubling, half of it by chance, so that many who were cut off
 * together do not come back together.
 * @param attempts that failed so far, from 1 on
 * @param random from 0 to below 1
 * @param asked seconds that the server asked to wait
 */
export function delayBefore(attempts: number, random: number, asked = 0): number {
  const most = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempts - 1))
  return Math.max(asked * 1000, most / 2 + (most / 2) * random)
}
