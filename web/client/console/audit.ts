/** What was asked and done: newest first, and as it happens. */
import { button, fill, h, icon, nameOf } from '../common/dom.ts'
import { briefly, count, size } from '../common/format.ts'
import { say } from '../common/say.ts'
import { api, events } from './api.ts'
import {
  attempt,
  breakable,
  type Column,
  chip,
  choice,
  continued,
  failure,
  fieldOf,
  heading,
  nothing,
  refusedIn,
  rowOf,
  table,
  textInput,
  toggle,
  type View,
} from './parts.ts'
import type { AuditPage, AuditRecord } from './shapes.ts'
import { text } from './texts.ts'
import { clear, tellMistakes } from './trouble.ts'

const PAGE = 100
/** Of a live view: the oldest go. */
const MOST_SHOWN = 500

export async function showAudit({ root, signal, query }: View): Promise<void> {
  const list = h('div', {})
  const form = filterForm(query)
  let following = new AbortController()
  signal.addEventListener('abort', () => following.abort())
  /** @param isAsked by somebody who waits for it: then the focus goes to what is wrong */
  const show = async (isAsked = true): Promise<void> => {
    following.abort()
    following = new AbortController()
    const current = following
    const filter = filterIn(form)
    const isLive = new FormData(form).has('live')
    const rows = new Records(list, () => void show())
    clear(form)
    try {
      // first what comes, then what was: nothing falls between the two
      if (isLive) void follow(filter, rows, current.signal)
      await rows.read(filter, current.signal)
    } catch (error) {
      const refused = refusedIn(error)
      if (refused === undefined || current.signal.aborted) return
      current.abort()
      const isInForm = refused.mistakes.length > 0
      fill(list, !isInForm && failure(refused, () => void show()))
      if (isInForm) tellMistakes(form, error, isAsked)
    }
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void show()
  })
  form.addEventListener('change', () => void show(false))
  fill(root, heading(text.nav.audit), form, list)
  await show()
}

const EXAMPLES: Readonly<Record<string, string>> = { address: '10.0.0.0/8' }

function filterForm(query: URLSearchParams): HTMLFormElement {
  const inputs = Object.entries(text.filters).map(([name, label]) =>
    fieldOf({ label, input: textInput(name, query.get(name) ?? '', EXAMPLES[name]) }),
  )
  const since = choice('since', text.spans, query.get('since') ?? '24h')
  return h(
    'form',
    { class: 'card panel filters', role: 'search' },
    ...inputs,
    fieldOf({ label: text.since, input: since }),
    h(
      'div',
      { class: 'actions' },
      toggle('refused', text.onlyRefused, query.get('refused') === 'true'),
      toggle('live', text.live, true),
      h('button', { class: 'button' }, text.apply),
    ),
  )
}

function filterIn(form: HTMLFormElement): URLSearchParams {
  const data = new FormData(form)
  const filter = new URLSearchParams()
  for (const name of [...Object.keys(text.filters), 'since']) {
    const value = String(data.get(name) ?? '').trim()
    if (value !== '') filter.set(name, value)
  }
  if (data.has('refused')) filter.set('refused', 'true')
  return filter
}

/** @param filter of which a live view takes all but the moment */
async function follow(filter: URLSearchParams, rows: Records, signal: AbortSignal): Promise<void> {
  const asked = new URLSearchParams(filter)
  asked.delete('since')
  try {
    for await (const record of events<AuditRecord>(`/v1/audit/live?${asked}`, signal)) {
      rows.arrive(record)
    }
  } catch {
    // told below, as of a stream that ended by itself
  }
  if (!signal.aborted) rows.broke()
}

class Records {
  readonly #list: HTMLElement
  readonly #again: () => void
  readonly #body: HTMLTableSectionElement
  readonly #empty = nothing(text.noRecords)
  readonly #more = h('div', { class: 'actions more' })
  readonly #table: HTMLElement
  /** records that came live while the past was being read, which may hold them too */
  readonly #seen = new Set<string>()

  /** @param again looks anew */
  constructor(list: HTMLElement, again: () => void) {
    this.#list = list
    this.#again = again
    const rows = table(text.nav.audit, COLUMNS, [])
    this.#body = rows.tBodies[0] as HTMLTableSectionElement
    this.#table = h('section', { class: 'card list', hidden: true }, rows)
    fill(list, this.#table, this.#empty, this.#more)
    this.#empty.textContent = text.loading
  }

  async read(filter: URLSearchParams, signal: AbortSignal, cursor?: string): Promise<void> {
    const asked = new URLSearchParams(filter)
    asked.set('limit', String(PAGE))
    if (cursor !== undefined) asked.set('cursor', cursor)
    const { records, next } = await api<AuditPage>('GET', `/v1/audit?${asked}`, { signal })
    const fresh = records
      .filter((record) => !this.#seen.has(keyOf(record)))
      .map((record) => rowOf(COLUMNS, record))
    this.#body.append(...fresh)
    const more = button(text.more, () =>
      attempt(() =>
        continued(this.#more, more, () => this.read(filter, signal, next ?? undefined)),
      ),
    )
    fill(this.#more, next !== null && more)
    this.#settle()
    if (cursor === undefined) return
    // the button is gone: whoever goes by keyboard goes on with the first new record
    const first = fresh[0] ?? this.#body.rows[this.#body.rows.length - 1]
    first?.setAttribute('tabindex', '-1')
    first?.focus()
    say(text.listed(count(this.#body.rows.length)))
  }

  arrive(record: AuditRecord): void {
    this.#seen.add(keyOf(record))
    const row = rowOf(COLUMNS, record)
    row.className = 'fresh'
    this.#body.prepend(row)
    if (this.#body.rows.length > MOST_SHOWN) this.#body.lastElementChild?.remove()
    this.#settle()
  }

  broke(): void {
    const again = button(text.tryAgain, this.#again, { image: 'retry' })
    const notice = { class: 'notice bad failure', role: 'alert' }
    this.#list.prepend(h('div', notice, icon('warning'), h('p', {}, text.liveBroke), again))
  }

  #settle(): void {
    const isEmpty = this.#body.rows.length === 0
    this.#empty.textContent = text.noRecords
    this.#empty.hidden = !isEmpty
    this.#table.hidden = isEmpty
  }
}

const keyOf = ({ time, id, act, kind }: AuditRecord): string => [time, id, act, kind].join(' ')

const COLUMNS: readonly Column<AuditRecord>[] = [
  {
    label: text.records.time,
    cell: ({ time }) =>
      h('time', { datetime: time, class: 'tabular' }, briefly(Date.parse(time) / 1000, '2-digit')),
  },
  { label: text.records.who, cell: whoOf },
  { label: text.records.act, cell: ({ act }) => h('b', {}, act) },
  {
    label: text.records.path,
    cell: ({ path }) => nameOf(path === undefined ? text.none : readable(path)),
  },
  { label: text.records.outcome, cell: outcomeOf },
  {
    label: text.records.moved,
    kind: 'number',
    cell: ({ in: received = 0, out = 0 }) =>
      received + out === 0 ? text.none : size(received + out),
  },
]

function whoOf({ subjects = [], narrowedFor, keys = [], who, address, by }: AuditRecord): Node {
  const [id] = keys
  const name = subjects.join(', ') || who || (id === undefined ? by : '')
  const link =
    id !== undefined && h('a', { class: 'id', href: `#audit?id=${encodeURIComponent(id)}` }, id)
  const narrowed =
    narrowedFor !== undefined &&
    h('span', { class: 'muted' }, text.narrowedFor(narrowedFor.join(', ')))
  const from = address !== undefined && address !== '' && h('span', { class: 'muted' }, address)
  return h('span', { class: 'who' }, name !== '' && nameOf(name), link, narrowed, from)
}

function outcomeOf({ status, code }: AuditRecord): Node | string {
  if (status === undefined) return text.none
  const tone = status < 400 ? 'good' : status < 500 ? 'warn' : 'bad'
  return h(
    'span',
    { class: 'outcome' },
    chip(String(status), tone),
    code !== undefined && h('span', {}, ...breakable(code)),
  )
}

/** As people write it, where that is a text at all. */
function readable(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
