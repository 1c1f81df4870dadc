/** What was refused, over time. */
import { fill, h } from '../common/dom.ts'
import { count } from '../common/format.ts'
import { api } from './api.ts'
import {
  attempt,
  breakable,
  type Column,
  choice,
  heading,
  loading,
  nothing,
  table,
  type View,
} from './parts.ts'
import { type Bar, stackedBars } from './plot.ts'
import type { AuditPage } from './shapes.ts'
import { text } from './texts.ts'

const SPANS = { '1h': 3600, '24h': 86_400, '7d': 7 * 86_400 } as const
type Span = keyof typeof SPANS

/** How many bars a span has. */
const BARS: { readonly [S in Span]: number } = { '1h': 30, '24h': 24, '7d': 28 }
/** So many have colours of their own; the rest are summed up. */
const MOST_SERIES = 5
const PAGE = 1000
const MOST_PAGES = 20

interface Refusal {
  /** Unix seconds */
  readonly time: number
  readonly code: string
}

export async function showRefusals({ root, signal, query }: View): Promise<void> {
  const spans = Object.fromEntries(
    Object.keys(SPANS).map((name) => [name, text.spans[name as Span]]),
  )
  const span = choice('since', spans, query.get('since') ?? '24h')
  span.setAttribute('aria-label', text.since)
  const content = h('div', {})
  const look = (): Promise<void> =>
    loading(content, async () => drawn(span.value as Span, await refusals(span.value, signal)))
  span.addEventListener('change', () => attempt(look))
  fill(root, heading(text.nav.refusals, span), content)
  await look()
}

interface Found {
  readonly refusals: readonly Refusal[]
  readonly isWhole: boolean
}

/** Newest first; twenty thousand at most. */
async function refusals(since: string, signal: AbortSignal): Promise<Found> {
  const found: Refusal[] = []
  let cursor: string | null = null
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const asked = new URLSearchParams({ refused: 'true', since, limit: String(PAGE) })
    if (cursor !== null) asked.set('cursor', cursor)
    const { records, next }: AuditPage = await api('GET', `/v1/audit?${asked}`, { signal })
    for (const { time, code = '' } of records) found.push({ time: Date.parse(time) / 1000, code })
    cursor = next
    if (cursor === null) break
  }
  return { refusals: found, isWhole: cursor === null }
}

function drawn(span: Span, { refusals, isWhole }: Found): readonly Node[] {
  if (refusals.length === 0) return [nothing(text.noRefusals)]
  const codes = countedBy(refusals)
  const named = codes.slice(0, MOST_SERIES).map(({ code }) => code)
  const series = codes.length > MOST_SERIES ? [...named, text.others] : named
  const columns: readonly Column<{ readonly code: string; readonly times: number }>[] = [
    { label: text.code, cell: ({ code }) => coded(code, named.indexOf(code), span) },
    { label: text.times, kind: 'number', cell: ({ times }) => count(times) },
  ]
  return [
    h(
      'section',
      { class: 'card panel' },
      h('p', { class: 'sum' }, text.refusalsOver(count(refusals.length))),
      stackedBars(text.plotLabel, barsOf(refusals, named, span), series),
    ),
    ...(isWhole ? [] : [h('p', { class: 'notice' }, text.refusalsPart)]),
    h('section', { class: 'card list' }, table(text.nav.refusals, columns, codes)),
  ]
}

function countedBy(refusals: readonly Refusal[]): readonly { code: string; times: number }[] {
  const counts = new Map<string, number>()
  for (const { code } of refusals) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts]
    .map(([code, times]) => ({ code, times }))
    .sort((a, b) => b.times - a.times || a.code.localeCompare(b.code))
}

function barsOf(
  refusals: readonly Refusal[],
  named: readonly string[],
  span: Span,
): readonly Bar[] {
  const step = SPANS[span] / BARS[span]
  const end = Date.now() / 1000
  const start = end - SPANS[span]
  const bars = Array.from({ length: BARS[span] }, (_, at) => ({
    from: start + at * step,
    values: Array.from({ length: named.length + 1 }, () => 0),
  }))
  for (const { time, code } of refusals) {
    const at = Math.min(BARS[span] - 1, Math.max(0, Math.floor((time - start) / step)))
    const series = named.includes(code) ? named.indexOf(code) : named.length
    const bar = bars[at]
    if (bar !== undefined) bar.values[series] = (bar.values[series] ?? 0) + 1
  }
  return bars
}

/** The colour of its bars, its name, and the way to its records. */
const coded = (code: string, at: number, span: Span): HTMLElement =>
  h(
    'a',
    { class: 'coded', href: `#audit?code=${encodeURIComponent(code)}&since=${span}` },
    h('span', { class: `swatch series-${at === -1 ? MOST_SERIES : at}` }),
    h('span', {}, ...breakable(code)),
  )
