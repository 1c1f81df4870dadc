/** The keys and their use: found, looked at, revoked. */
import { button, fill, h, nameOf } from '../common/dom.ts'
import { count, fromNow, moment } from '../common/format.ts'
import { api } from './api.ts'
import { stateOf, usesOf } from './key-state.ts'
import { openKey } from './key-view.ts'
import {
  attempt,
  type Column,
  choice,
  continued,
  heading,
  loading,
  nothing,
  rowOf,
  table,
  textInput,
  type View,
} from './parts.ts'
import { revokeMany } from './revoke-many.ts'
import type { IssuedKey } from './shapes.ts'
import { text } from './texts.ts'

const PAGE = 50
/** As many as the issuer lists at once. */
const MOST = 1000

interface Page {
  readonly keys: readonly IssuedKey[]
  readonly next: string | null
}

/** One page of what is searched for. */
type Ask = (limit: number, after?: string) => Promise<Page>

export async function showKeys({ root, signal, query }: View): Promise<void> {
  const by = (Object.keys(text.by) as (keyof typeof text.by)[]).find((name) => query.has(name))
  const what = choice('by', text.by, by ?? 'subject')
  const wanted = textInput('wanted', by === undefined ? '' : (query.get(by) ?? ''))
  wanted.type = 'search'
  what.setAttribute('aria-label', text.searchBy)
  wanted.setAttribute('aria-label', text.search)
  const content = h('div', {})
  const look = (limit = PAGE): Promise<void> => {
    const filter = new URLSearchParams()
    if (wanted.value.trim() !== '') filter.set(what.value, wanted.value.trim())
    const ask: Ask = (most, after) => {
      filter.set('limit', String(most))
      if (after !== undefined) filter.set('after', after)
      return api<Page>('GET', `/v1/keys?${filter}`, { signal })
    }
    const lookAgain = (listed: number): void =>
      attempt(() => look(Math.min(MOST, Math.max(PAGE, listed))))
    return loading(content, async () => listOf(await ask(limit), ask, lookAgain))
  }
  const search = h(
    'form',
    {
      class: 'search',
      role: 'search',
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault()
        attempt(() => look())
      },
    },
    what,
    wanted,
    h('button', { class: 'button' }, text.search),
  )
  const again = (): void => attempt(() => look())
  const many = button(text.many, () => revokeMany(again), { kind: 'grave' })
  const refresh = button(text.again, again, { image: 'retry' })
  fill(root, heading(text.nav.keys, many, refresh), search, content)
  await look()
}

/** @param again looks anew, at as many as are listed */
function listOf(first: Page, ask: Ask, again: (listed: number) => void): readonly Node[] {
  if (first.keys.length === 0) return [nothing(text.noKeys)]
  let { next } = first
  const columns = columnsOf(() => again(body.rows.length))
  const rows = table(text.nav.keys, columns, first.keys)
  const body = rows.tBodies[0] as HTMLTableSectionElement
  const listed = h('p', { class: 'muted', role: 'status' })
  const more = button(text.more, () => attempt(extend))
  const settle = (): void => {
    listed.textContent = text.listed(count(body.rows.length))
    more.hidden = next === null
  }
  /** What was listed stays where it is; whoever goes by keyboard goes on with the first new one. */
  const extend = (): Promise<void> =>
    continued(foot, more, async () => {
      const page = await ask(PAGE, next ?? undefined)
      const fresh = page.keys.map((key) => rowOf(columns, key))
      body.append(...fresh)
      next = page.next
      settle()
      fresh[0]?.querySelector<HTMLElement>('.opens')?.focus()
    })
  const foot = h('div', { class: 'actions more' }, more, listed)
  settle()
  return [h('section', { class: 'card list' }, rows), foot]
}

const columnsOf = (again: () => void): readonly Column<IssuedKey>[] => [
  {
    label: text.columns.path,
    cell: (key) =>
      h(
        'button',
        { type: 'button', class: 'opens', onclick: () => openKey(key, again) },
        nameOf(key.paths.join(', ')),
        h('span', { class: 'muted id' }, key.id),
      ),
  },
  { label: text.columns.subject, cell: ({ subjects }) => nameOf(subjects.join(', ') || text.none) },
  { label: text.columns.methods, cell: ({ methods }) => methods.join(' ') },
  { label: text.columns.state, cell: stateOf },
  { label: text.columns.uses, kind: 'number', cell: usesOf },
  { label: text.columns.used, cell: ({ activity }) => lastUse(activity?.lastUsed) },
]

const lastUse = (time: number | undefined): Node | string => {
  if (time === undefined) return text.never
  const title = moment(time)
  return h(
    'time',
    { title, class: 'whole', datetime: new Date(time * 1000).toISOString() },
    fromNow(time - Date.now() / 1000, 'narrow'),
  )
}
