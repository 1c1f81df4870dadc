/** One line on stderr that is drawn anew while bytes move; nothing where no person looks. */
import { type Bytes, formatBytes } from '../key/units.ts'
import { displayWidth, elided, printable } from './format.ts'
import type { Shell } from './shell.ts'

const REDRAW_MILLISECONDS = 100
/** In columns; where there is no room the bar goes first, then the sizes. */
const BAR_WIDTHS = [24, 12, 6, 0] as const
/** A label that is cut to less says nothing. */
const LEAST_LABEL = 8
const CLEAR_LINE = '\r\u001b[2K'

export class Progress {
  readonly #stderr: Shell['stderr']
  readonly #label: string
  readonly #total: Bytes | undefined
  readonly #start = performance.now()
  #drawnAt = Number.NEGATIVE_INFINITY
  #done = 0

  /** @param total absent where nobody knows how much will come */
  constructor({ stderr }: Pick<Shell, 'stderr'>, label: string, total?: Bytes) {
    this.#stderr = stderr
    this.#label = printable(label)
    this.#total = total
  }

  add(count: number): void {
    this.#done += count
    const now = performance.now()
    if (this.#stderr.isTTY !== true || now - this.#drawnAt < REDRAW_MILLISECONDS) return
    this.#drawnAt = now
    const rate = (this.#done * 1000) / Math.max(1, now - this.#start)
    const width = (this.#stderr.columns || 80) - 1
    const done = this.#done as Bytes
    const line = progressLine(this.#label, done, Math.round(rate), this.#total, width)
    this.#stderr.write(CLEAR_LINE + shortened(line, width))
  }

  /** Takes the line away, before anything else is written. Idempotent. */
  end(): void {
    if (Number.isFinite(this.#drawnAt)) this.#stderr.write(CLEAR_LINE)
    this.#drawnAt = Number.NEGATIVE_INFINITY
  }
}

/**
 * @param rate bytes per second
 * @param width in columns: label and bar are cut to it; percent and speed always stay
 */
export function progressLine(
  label: string,
  done: Bytes,
  rate: number,
  total?: Bytes,
  width = Number.POSITIVE_INFINITY,
): string {
  const speed = `${formatBytes(rate as Bytes)}/s`
  const end = total === undefined || total === 0 ? undefined : total
  const rests = end === undefined ? [`  ${formatBytes(done)}  ${speed}`] : partsOf(done, end, speed)
  for (const rest of rests) {
    const room = width - displayWidth(rest)
    if (room >= Math.min(LEAST_LABEL, displayWidth(label))) return elided(label, room) + rest
  }
  return (rests.at(-1) ?? '').trimStart()
}

/** What stands behind the label, the longest first. */
function partsOf(done: Bytes, total: Bytes, speed: string): readonly string[] {
  const part = Math.min(1, done / total)
  const percent = `${Math.floor(part * 100)}%`.padStart(4)
  const drawn = BAR_WIDTHS.map((width) => {
    const bar = '#'.repeat(Math.floor(part * width)).padEnd(width, '.')
    const sizes = `${formatBytes(done)} of ${formatBytes(total)}`
    return ` ${percent}${width === 0 ? '' : ` [${bar}]`} ${sizes}  ${speed}`
  })
  return [...drawn, ` ${percent}  ${speed}`]
}

/** @param width in columns; a terminal that does not know its own says 0 */
export function shortened(line: string, width: number): string {
  let text = line
  while (text !== '' && displayWidth(text) > width) text = text.slice(0, -1)
  return text
}
