/** The few parts that all views are made of. */
import { button, fill, h, icon } from '../common/dom.ts'
import { moment } from '../common/format.ts'
import { insist, tell } from '../common/say.ts'
import { Refused } from './api.ts'
import { text } from './texts.ts'

/** Where a view draws, and how long it lives. */
export interface View {
  readonly root: HTMLElement
  /** aborted when another view takes its place */
  readonly signal: AbortSignal
  /** what the address says beside the view's name */
  readonly query: URLSearchParams
}

/** What was refused; undefined for what was only called off. @throws what is neither */
export function refusedIn(error: unknown): Refused | undefined {
  if (error instanceof Error && error.name === 'AbortError') return undefined
  if (!(error instanceof Refused)) throw error
  return error
}

/** Why something is not done: a sentence of ours, and in small print what the issuer said, in English. */
export const told = ({ code, message }: Refused): readonly Node[] => [
  h('p', {}, text.problems[code] ?? text.problems.other),
  ...smallPrint(message),
]

export const smallPrint = (said: string): readonly Node[] =>
  said === '' ? [] : [h('small', { lang: 'en' }, said)]

/** Says why something was not done; nothing of what was only called off. */
export function complain(error: unknown): void {
  const refused = refusedIn(error)
  if (refused !== undefined) insist(...told(refused))
}

/** Why there is nothing to be seen here, and a way to try again where no other is beside it. */
export function failure(refused: Refused, again?: () => void): HTMLElement {
  const retry = (): void => {
    document.querySelector('h1')?.focus()
    again?.()
  }
  return h(
    'div',
    { class: 'notice bad failure', role: 'alert' },
    icon('warning'),
    h('div', {}, ...told(refused)),
    again && button(text.tryAgain, retry, { image: 'retry' }),
  )
}

/** Runs something that may be refused. */
export const attempt = (action: () => Promise<void>): void => {
  action().catch(complain)
}

export interface Column<T> {
  readonly label: string
  readonly cell: (row: T) => Node | string
  /** numbers stand at the end of their column; what can be done with a row needs no visible name */
  readonly kind?: 'number' | 'acts'
}

/** A table on a wide screen, a stack of cards on a phone. */
export function table<T>(
  caption: string,
  columns: readonly Column<T>[],
  rows: readonly T[],
): HTMLTableElement {
  const head = columns.map(({ label, kind }) =>
    h(
      'th',
      { scope: 'col', class: kind },
      kind === 'acts' ? h('span', { class: 'visually-hidden' }, label) : label,
    ),
  )
  const body = h('tbody', {}, ...rows.map((row) => rowOf(columns, row)))
  return h(
    'table',
    { class: 'rows' },
    h('caption', { class: 'visually-hidden' }, caption),
    h('thead', {}, h('tr', {}, ...head)),
    body,
  )
}

export const rowOf = <T>(columns: readonly Column<T>[], row: T): HTMLTableRowElement =>
  h(
    'tr',
    {},
    ...columns.map(({ label, cell, kind }) =>
      h('td', { class: kind, 'data-label': label }, cell(row)),
    ),
  )

export const chip = (label: string, tone: string): HTMLElement =>
  h('span', { class: `chip ${tone}` }, label)

/** A moment of which the exact text is there as well. @param time in Unix seconds */
export const timeOf = (time: number): HTMLElement =>
  h('time', { datetime: new Date(time * 1000).toISOString() }, moment(time))

export interface Field {
  readonly label: string
  readonly input: HTMLElement
  readonly hint?: string | undefined
}

let fields = 0

/** A labelled input, with room for what is wrong with it. */
export function fieldOf({ label, input, hint }: Field): HTMLElement {
  fields += 1
  const id = `field-${fields}`
  input.id = id
  input.setAttribute('aria-describedby', `${id}-hint ${id}-wrong`)
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    input,
    h('p', { class: 'hint', id: `${id}-hint` }, hint),
    h('p', { class: 'wrong', id: `${id}-wrong`, role: 'alert' }),
  )
}

export const textInput = (name: string, value = '', placeholder = ''): HTMLInputElement =>
  h('input', { class: 'input', name, value, placeholder, autocomplete: 'off', spellcheck: 'false' })

export const choice = (
  name: string,
  options: Readonly<Record<string, string>>,
  chosen: string,
): HTMLSelectElement =>
  h(
    'select',
    { class: 'input', name },
    ...Object.entries(options).map(([value, label]) =>
      h('option', { value, selected: value === chosen }, label),
    ),
  )

export const toggle = (name: string, label: string, isOn: boolean): HTMLLabelElement =>
  h('label', { class: 'toggle' }, h('input', { type: 'checkbox', name, checked: isOn }), label)

/** A text that is there to be taken along. */
export function copyable(
  label: string,
  value: string,
  kind: 'line' | 'block' = 'line',
): HTMLElement {
  const shown = h(
    'code',
    {
      class: `copy ${kind}`,
      tabindex: 0,
      role: 'textbox',
      'aria-readonly': 'true',
      'aria-label': label,
    },
    value,
  )
  const copy = button(text.copy, () => {
    navigator.clipboard.writeText(value).then(
      () => tell(text.copied),
      // a page without TLS may not: then it is selected, to be copied by hand
      () => getSelection()?.selectAllChildren(shown),
    )
  })
  copy.setAttribute('aria-label', `${text.copy}: ${label}`)
  return h('div', { class: 'copyable' }, h('p', { class: 'label' }, label), shown, copy)
}

/** Facts under their names; those that are not known are left out. */
export const facts = (
  entries: readonly (readonly [string, Node | string | undefined])[],
): HTMLElement =>
  h(
    'dl',
    { class: 'about' },
    ...entries.flatMap(([name, value]) =>
      value === undefined ? [] : [h('dt', {}, name), h('dd', {}, value)],
    ),
  )

export const nothing = (sentence: string): HTMLElement =>
  h('p', { class: 'nothing muted' }, sentence)

/** The heading of a view, with what can be done beside it. */
export const heading = (title: string, ...beside: readonly Node[]): HTMLElement =>
  h(
    'header',
    { class: 'heading' },
    h('h1', { tabindex: -1 }, title),
    h('div', { class: 'actions' }, ...beside),
  )

/** Draws once the answer is there; until then, that it is being waited for; else why there is none. */
export async function loading(
  root: HTMLElement,
  draw: () => Promise<readonly Node[]>,
): Promise<void> {
  root.setAttribute('aria-busy', 'true')
  if (root.childElementCount === 0) fill(root, h('p', { class: 'nothing muted' }, text.loading))
  try {
    fill(root, ...(await draw()))
  } catch (error) {
    const refused = refusedIn(error)
    if (refused === undefined) return
    const again = (): void => {
      fill(root)
      attempt(() => loading(root, draw))
    }
    fill(root, failure(refused, again))
  } finally {
    root.removeAttribute('aria-busy')
  }
}

/** Reads on in a list, once at a time; why that failed stands beside the button. */
export async function continued(
  foot: HTMLElement,
  more: HTMLButtonElement,
  read: () => Promise<void>,
): Promise<void> {
  foot.querySelector('.failure')?.remove()
  more.disabled = true
  try {
    await read()
  } catch (error) {
    const refused = refusedIn(error)
    if (refused !== undefined) foot.append(failure(refused))
  } finally {
    more.disabled = false
  }
}

/** `key_not_yet_valid`, which may go on in the next line behind each `_`. */
export const breakable = (code: string): readonly Node[] =>
  code.split(/(?<=_)/).flatMap((part, at) => [...(at === 0 ? [] : [h('wbr')]), new Text(part)])
