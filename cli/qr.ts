/** Links as QR codes, drawn on a terminal. */
import { renderUnicodeCompact } from 'uqr'
import type { Cli } from './cli.ts'
import { Failure } from './failure.ts'

/** Light squares are drawn in white on black, whatever the terminal's own colours are. */
const LIGHT_ON_DARK = ['\u001b[97;40m', '\u001b[0m'] as const

/** ISO/IEC 18004 asks for four squares on each side; most readers do with half of that. */
const QUIET_ZONE = 4
const LEAST_QUIET_ZONE = 2

/**
 * On stderr; half a character for each square.
 * @throws Failure for a link too long for any QR code, or too wide for this terminal
 */
export function drawQr({ terminal, shell }: Cli, link: string): void {
  const { columns = 0, isTTY } = shell.stderr
  const room = isTTY && columns > 0 ? columns : Number.POSITIVE_INFINITY
  const lines = linesOf(link, room)
  const width = lines[0]?.length ?? 0
  if (width > room) {
    throw new Failure(
      `the link is too long for a QR code on this terminal: it takes ${width} columns, and there are ${columns}`,
    )
  }
  const [begin, end] = isTTY && !shell.env.NO_COLOR ? LIGHT_ON_DARK : ['', '']
  terminal.warn(lines.map((line) => begin + line + end).join('\n'))
}

/** With as much of a quiet zone as there is room for. */
function linesOf(link: string, room: number): readonly string[] {
  try {
    const wide = renderUnicodeCompact(link, { border: QUIET_ZONE }).split('\n')
    if ((wide[0]?.length ?? 0) <= room) return wide
    return renderUnicodeCompact(link, { border: LEAST_QUIET_ZONE }).split('\n')
  } catch (cause) {
    throw new Failure('the link is too long for a QR code: state fewer claims', { cause })
  }
}
