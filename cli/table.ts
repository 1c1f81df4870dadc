/** Aligned columns of text. */
import { displayWidth, printable } from './format.ts'

export interface Column<Row> {
  /** absent: where no column has one, there is no line of titles */
  readonly title?: string
  readonly value: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** paints a cell that is padded already */
  readonly paint?: (cell: string, row: Row) => string
}

const GAP = '  '

/** Lines, each ended; titles first. No lines where there are no rows. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paintTitle: (text: string) => string = (text) => text,
): string {
  if (rows.length === 0) return ''
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row))))
  const widths = columns.map(({ title = '' }, index) =>
    Math.max(displayWidth(title), ...cells.map((line) => displayWidth(line[index] ?? ''))),
  )
  const pad = (text: string, index: number): string => {
    const filling = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(text)))
    if (columns[index]?.align === 'right') return filling + text
    return index === columns.length - 1 ? text : text + filling
  }
  const titled = columns.some(({ title }) => title !== undefined)
  const head = columns.map(({ title = '' }, index) => paintTitle(pad(title, index))).join(GAP)
  const body = rows.map((row, line) =>
    columns
      .map(({ paint = (cell) => cell }, index) =>
        paint(pad(cells[line]?.[index] ?? '', index), row),
      )
      .join(GAP),
  )
  return `${[...(titled ? [head] : []), ...body].map((line) => line.trimEnd()).join('\n')}\n`
}
