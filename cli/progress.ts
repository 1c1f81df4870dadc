/** One line on stderr that is drawn anew while bytes move; nothing where no person looks. */
import { type Bytes, formatBytes } from '../key/units.ts'
import { displayWidth, printable } from './format.ts'
import type { Shell } from './shell.ts'

const REDRAW_MILLISECONDS = 100
const BAR_WIDTH = 24
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
    const line = progressLine(this.#label, this.#done as Bytes, Math.round(rate), this.#total)
    this.#stderr.write(CLEAR_LINE + shortened(line, (this.#stderr.columns || 80) - 1))
  }

  /** Takes the line away. */
  end(): void {
    if (Number.isFinite(this.#drawnAt)) this.#stderr.write(CLEAR_LINE)
  }
}

/** @param rate bytes per second */
export function progressLine(label: string, done: Bytes, rate: number, total?: Bytes): string {
  const speed = `${formatBytes(rate as Bytes)}/s`
  if (total === undefined || total === 0) return `${label}  ${formatBytes(done)}  ${speed}`
  const part = Math.min(1, done / total)
  const bar = '#'.repeat(Math.floor(part * BAR_WIDTH)).padEnd(BAR_WIDTH, '.')
  const percent = `${Math.floor(part * 100)}%`.padStart(4)
  return `${label} ${percent} [${bar}] ${formatBytes(done)} of ${formatBytes(total)}  ${speed}`
}

/** @param width in columns; a terminal that does not know its own says 0 */
export function shortened(line: string, width: number): string {
  let text = line
  while (text !== '' && displayWidth(text) > width) text = text.slice(0, -1)
  return text
}
