/** Figures as people read them. */
import { byCpu, byRate, type Measure, ours, ratioOf, type Series, spreadBy } from './compare.ts'
import type { Table } from './row.ts'
import type { Spread } from './statistics.ts'
import { median } from './statistics.ts'

const MIB = 1024 * 1024

/** Three significant digits at least: `0.0123`, `1.23`, `12.3`, `123`, `12,345`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

export const range = ({ least, most }: Pick<Spread, 'least' | 'most'>): string =>
  `${figure(least)}–${figure(most)}`

export const mebibytes = (bytes: number): string => figure(bytes / MIB)

const percentile = ({ samples }: Series, of: 'p50' | 'p99'): string => {
  const values = samples.flatMap((sample) => sample[of] ?? [])
  return values.length === 0 ? '–' : figure(median(values))
}

/** How near to an anchor a Node program comes that does the least: no program of ours comes nearer. */
export function floorNote(
  all: readonly Series[],
  anchor: Series | undefined,
  measure: Measure,
): readonly string[] {
  const floor = all.find(({ contender }) => contender.role === 'floor')
  if (floor === undefined || anchor === undefined) return []
  const { median, least, most } = ratioOf(floor, anchor, measure)
  return [
    `the least that a Node program can do comes to ${figure(median)} × ${anchor.contender.name} (${range({ least, most })})`,
  ]
}

/** A table of contenders; `measure` is what the ratio is made of. */
export function comparison(all: readonly Series[], measure: Measure, unit = 'µs'): Table {
  const own = ours(all)
  const scale = unit === 'ms' ? 1000 : 1
  return {
    columns: [
      '',
      `CPU ${unit}`,
      'min–max',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'MiB',
      `ours ÷ this, ${measure === byCpu ? 'CPU' : 'rate'}`,
      'min–max',
    ],
    lines: all.map((series) => {
      const cpu = spreadBy(series, byCpu)
      const ratio = own && ratioOf(own, series, measure)
      return [
        series.contender.name,
        figure(cpu.median / scale),
        range({ least: cpu.least / scale, most: cpu.most / scale }),
        figure(spreadBy(series, byRate).median),
        percentile(series, 'p50'),
        percentile(series, 'p99'),
        mebibytes(series.resident),
        ratio ? figure(ratio.median) : '–',
        ratio ? range(ratio) : '–',
      ]
    }),
  }
}
