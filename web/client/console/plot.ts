/** Stacked bars over time. */
import { count } from '../common/format.ts'
import { language } from '../common/language.ts'
import { pictureWidth, svg } from './svg.ts'

export interface Bar {
  /** Unix seconds, when it begins */
  readonly from: number
  /** one of each series, from the bottom */
  readonly values: readonly number[]
}

const HEIGHT = 220
const LEFT = 34
const BOTTOM = 24
const GAP = 2

/** @param series names, in the order of a bar's values; numbered for their colours */
export function stackedBars(
  label: string,
  bars: readonly Bar[],
  series: readonly string[],
): SVGElement {
  const most = niceAbove(Math.max(1, ...bars.map(totalOf)))
  const whole = pictureWidth()
  const width = (whole - LEFT) / bars.length
  const y = (value: number): number => (HEIGHT - BOTTOM) * (1 - value / most) + 6
  const lines = [0, most / 2, most]
    .filter(Number.isInteger)
    .flatMap((value) => [
      svg('line', { x1: LEFT, x2: whole, y1: y(value), y2: y(value), class: 'grid' }),
      svg('text', { x: LEFT - 6, y: y(value) + 4, class: 'axis end' }, count(value)),
    ])
  const shapes = bars.map((bar, at) => stackOf(bar, LEFT + at * width, width, y, series))
  const step = Math.max(1, Math.ceil((bars.length * 90) / whole))
  const labels = bars.flatMap(({ from }, at) =>
    at % step === 0
      ? [svg('text', { x: LEFT + at * width, y: HEIGHT + 4, class: 'axis' }, momentIn(from, bars))]
      : [],
  )
  return svg(
    'svg',
    { class: 'plot', viewBox: `0 0 ${whole} ${HEIGHT + 12}`, role: 'img', 'aria-label': label },
    ...lines,
    ...shapes,
    ...labels,
  )
}

function stackOf(
  bar: Bar,
  x: number,
  width: number,
  y: (value: number) => number,
  series: readonly string[],
): SVGElement {
  let below = 0
  const parts = bar.values.flatMap((value, at) => {
    if (value === 0) return []
    const top = y(below + value)
    const height = y(below) - top
    below += value
    return [
      svg('rect', {
        x: x + GAP / 2,
        y: top,
        width: Math.max(1, width - GAP),
        height,
        class: `series-${at}`,
      }),
    ]
  })
  const said = bar.values.flatMap((value, at) =>
    value > 0 ? [`${series[at]}: ${count(value)}`] : [],
  )
  return svg('g', {}, svg('title', {}, [momentIn(bar.from, []), ...said].join('\n')), ...parts)
}

const totalOf = ({ values }: Bar): number => values.reduce((sum, value) => sum + value, 0)

/** 1, 2, 4, 10, 20, 40, …: half of it is whole as well, but for 1. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 10].map((step) => step * power).find((step) => step >= value) ?? value
}

const hours = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' })
const days = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' })

function momentIn(time: number, bars: readonly Bar[]): string {
  const [first, last] = [bars[0], bars.at(-1)]
  if (first === undefined || last === undefined) {
    return `${days.format(time * 1000)} ${hours.format(time * 1000)}`
  }
  return (last.from - first.from > 2 * 86_400 ? days : hours).format(time * 1000)
}
