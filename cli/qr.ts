/** Links as QR codes, drawn on a terminal. */
import { renderUnicodeCompact } from 'uqr'
import type { Cli } from './cli.ts'
import { Failure } from './failure.ts'

/** Light squares are drawn in white on black, whatever the terminal's own colours are. */
const LIGHT_ON_DARK = ['\u001b[97;40m', '\u001b[0m'] as const

/**
 * On stderr; half a character for each square.
 * @throws Failure for a link too long for any QR code, or too wide for this terminal
 */
export function drawQr({ terminal, shell }: Cli, link: string): void {
  const lines = linesOf(link)
  const width = lines[0]?.length ?? 0
  const { columns = 0, isTTY } = shell.stderr
  if (isTTY && columns > 0 && width > columns) {
    throw new Failure(
      `the link is too long for a QR code on this terminal: it takes ${width} columns, and there are ${columns}`,
    )
  }
  const [begin, end] = isTTY && !shell.env.NO_COLOR ? LIGHT_ON_DARK : ['', '']
  terminal.warn(lines.map((line) => begin + line + end).join('\n'))
}

function linesOf(link: string): readonly string[] {
  try {
    return renderUnicodeCompact(link, { border: 2 }).split('\n')
  } catch (cause) {
    throw new Failure('the link is too long for a QR code: state fewer claims', { cause })
  }
}
