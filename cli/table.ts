/** Aligned columns of text. */
import { displayWidth, elided, printable } from './format.ts'

export interface Column<Row> {
  /** absent: where no column has one, there is no line of titles */
  readonly title?: string
  readonly value: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** paints a cell that is padded already */
  readonly paint?: (cell: string, row: Row) => string
  /**
   * What gives way where the table is too wide: `shorten` loses its middle; `wrap`, of the last column,
   * goes on in the next line, beneath itself. Neither: it stays as it is, such as an id to be copied.
   */
  readonly fit?: 'shorten' | 'wrap'
}

export interface TableLook {
  readonly paintTitle?: (text: string) => string
  /** in columns of the terminal; absent: as wide as it comes */
  readonly width?: number | undefined
}

const GAP = '  '
/** A column that is cut to less says nothing. */
const LEAST = 8
/** A text in a narrower column is harder to read than one that the terminal breaks. */
const LEAST_WRAPPED = 24

/** Lines, each ended; titles first. No lines where there are no rows. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { paintTitle = (text) => text, width }: TableLook = {},
): string {
  if (rows.length === 0) return ''
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row))))
  const natural = columns.map(({ title = '' }, index) =>
    Math.max(displayWidth(title), ...cells.map((line) => displayWidth(line[index] ?? ''))),
  )
  const widths = width === undefined ? natural : fitted(columns, natural, width)
  const pad = (text: string, index: number): string => {
    const filling = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(text)))
    if (columns[index]?.align === 'right') return filling + text
    return index === columns.length - 1 ? text : text + filling
  }
  const titled = columns.some(({ title }) => title !== undefined)
  const head = columns.map(({ title = '' }, index) => paintTitle(pad(title, index))).join(GAP)
  const body = rows.flatMap((row, line) =>
    linesOf(columns, cells[line] ?? [], widths).map((texts) =>
      columns
        .map(({ paint = (cell) => cell }, index) => paint(pad(texts[index] ?? '', index), row))
        .join(GAP),
    ),
  )
  return `${[...(titled ? [head] : []), ...body].map((line) => line.trimEnd()).join('\n')}\n`
}

/** The widths of the columns, where they have to do with so many in all. */
function fitted<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  width: number,
): readonly number[] {
  const widths = [...natural]
  const least = columns.map(({ title = '' }) => Math.max(LEAST, displayWidth(title)))
  const taken = (): number =>
    widths.reduce((sum, one) => sum + one, 0) + GAP.length * (widths.length - 1)
  const last = widths.length - 1
  if (columns[last]?.fit === 'wrap') {
    const room = width - taken() + (widths[last] ?? 0)
    widths[last] = Math.min(widths[last] ?? 0, Math.max(LEAST_WRAPPED, room))
  }
  while (taken() > width) {
    const widest = widths
      .map((one, index) => ({ one, index }))
      .filter(({ one, index }) => columns[index]?.fit === 'shorten' && one > (least[index] ?? 0))
      .sort((a, b) => b.one - a.one)[0]
    if (widest === undefined) break
    widths[widest.index] = widest.one - 1
  }
  return widths
}

/** The cells of one row, over as many lines as the longest of them takes. */
function linesOf<Row>(
  columns: readonly Column<Row>[],
  cells: readonly string[],
  widths: readonly number[],
): readonly (readonly string[])[] {
  const parts = cells.map((cell, index) => {
    const width = widths[index] ?? 0
    return columns[index]?.fit === 'wrap' ? wrapped(cell, width) : [elided(cell, width)]
  })
  const height = Math.max(...parts.map(({ length }) => length))
  return Array.from({ length: height }, (_, line) => parts.map((part) => part[line] ?? ''))
}

/** Between words; a word that is too long stays whole. */
function wrapped(text: string, width: number): readonly string[] {
  if (displayWidth(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}
