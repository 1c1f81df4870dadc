/** The keys and their use: found, looked at, revoked. */
import { button, fill, h, nameOf } from '../common/dom.ts'
import { fromNow, moment } from '../common/format.ts'
import { api } from './api.ts'
import { stateOf, usesOf } from './key-state.ts'
import { openKey } from './key-view.ts'
import {
  attempt,
  type Column,
  choice,
  heading,
  loading,
  nothing,
  table,
  textInput,
  type View,
} from './parts.ts'
import { revokeMany } from './revoke-many.ts'
import type { IssuedKey } from './shapes.ts'
import { text } from './texts.ts'

const PAGE = 50

interface Page {
  readonly keys: readonly IssuedKey[]
  readonly next: string | null
}

export async function showKeys({ root, signal, query }: View): Promise<void> {
  const by = (Object.keys(text.by) as (keyof typeof text.by)[]).find((name) => query.has(name))
  const what = choice('by', text.by, by ?? 'subject')
  const wanted = textInput('wanted', by === undefined ? '' : (query.get(by) ?? ''))
  wanted.type = 'search'
  what.setAttribute('aria-label', text.searchBy)
  wanted.setAttribute('aria-label', text.search)
  const content = h('div', {})
  const look = (after?: string): Promise<void> => {
    const filter = new URLSearchParams({ limit: String(PAGE) })
    if (wanted.value.trim() !== '') filter.set(what.value, wanted.value.trim())
    if (after !== undefined) filter.set('after', after)
    return loading(content, async () => {
      const page = await api<Page>('GET', `/v1/keys?${filter}`, { signal })
      return drawn(
        page,
        () => attempt(() => look(after)),
        (next) => attempt(() => look(next)),
      )
    })
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

function drawn(
  { keys, next }: Page,
  again: () => void,
  turn: (next: string) => void,
): readonly Node[] {
  if (keys.length === 0) return [nothing(text.noKeys)]
  const more =
    next === null
      ? []
      : [
          h(
            'div',
            { class: 'actions' },
            button(text.more, () => turn(next)),
          ),
        ]
  return [
    h('section', { class: 'card list' }, table(text.nav.keys, columnsOf(again), keys)),
    ...more,
  ]
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
    { title, datetime: new Date(time * 1000).toISOString() },
    fromNow(time - Date.now() / 1000),
  )
}
