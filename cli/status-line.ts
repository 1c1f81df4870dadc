/** A line on stderr that is drawn anew; nothing where no person looks. */
import { type Bytes, formatBytes, formatDuration, type Seconds } from '../key/units.ts'
import { shortened } from './progress.ts'
import type { Shell } from './shell.ts'

const REDRAW_MILLISECONDS = 100
const CLEAR_LINE = '\r\u001b[2K'

export class StatusLine {
  readonly #stderr: Shell['stderr']
  #drawnAt = Number.NEGATIVE_INFINITY

  constructor({ stderr }: Pick<Shell, 'stderr'>) {
    this.#stderr = stderr
  }

  /** Not more often than a person can read. */
  draw(text: () => string): void {
    const now = performance.now()
    if (this.#stderr.isTTY !== true || now - this.#drawnAt < REDRAW_MILLISECONDS) return
    this.#drawnAt = now
    this.#stderr.write(CLEAR_LINE + shortened(text(), (this.#stderr.columns || 80) - 1))
  }

  /** Takes the line away. */
  end(): void {
    if (Number.isFinite(this.#drawnAt)) this.#stderr.write(CLEAR_LINE)
  }
}

/** So many things, and the bytes in them. */
export interface Tally {
  readonly count: number
  readonly bytes: number
}

/** What a thing costs beside its bytes, in bytes: a small file takes about as long as this. */
const COST = 64 * 1024

const workOf = ({ count, bytes }: Tally): number => count * COST + bytes

/**
 * `12345 of 100000 files  1.2 GiB of 9 GiB  34 MiB/s  2m left`
 * @param seconds since the beginning
 * @param total absent where nobody knows
 */
export function tallyLine(noun: string, done: Tally, seconds: number, total?: Tally): string {
  const of = (text: string, whole: string | undefined) =>
    whole === undefined ? text : `${text} of ${whole}`
  const rate = Math.round(done.bytes / Math.max(0.001, seconds)) as Bytes
  const size = formatBytes(done.bytes as Bytes)
  const parts = [
    `${of(String(done.count), total && String(total.count))} ${noun}`,
    of(size, total && formatBytes(total.bytes as Bytes)),
    `${formatBytes(rate)}/s`,
  ]
  if (total === undefined || done.count === 0) return parts.join('  ')
  const left = Math.max(0, workOf(total) / workOf(done) - 1) * seconds
  return [...parts, `${formatDuration(Math.round(left) as Seconds)} left`].join('  ')
}
