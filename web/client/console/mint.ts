/** A new key, by a form that is made of what the API takes. */
import { fill, h } from '../common/dom.ts'
import { api } from './api.ts'
import { showMinted } from './minted.ts'
import { fieldFor, optionsOf, statedIn, tellMistakes } from './option-form.ts'
import type { Option } from './options.ts'
import { heading, type View } from './parts.ts'
import type { NewKey, Status } from './shapes.ts'
import { text } from './texts.ts'

/** Those that nearly every key states; the others are folded away. */
const FIRST = ['path', 'expiresIn', 'subject', 'uses']
/** Said otherwise: by boxes, or by another option. */
const LEFT_OUT = ['methods', 'expires', 'once', 'respond']
const USUAL_LIFE = '1h'
const METHODS = ['GET', 'PUT', 'LIST', 'DELETE']

export async function showMint(view: View): Promise<void> {
  const { root, signal } = view
  const content = h('div', {}, h('p', { class: 'nothing muted' }, text.loading))
  fill(root, heading(text.nav.mint), content)
  const [options, status] = await Promise.all([
    optionsOf('KeyRequest', signal),
    api<Status>('GET', '/v1/status', { signal }),
  ])
  const again = (): void => {
    const form = formOf(options, (key) => {
      showMinted(content, key, status.publicUrl, again)
    })
    fill(content, form)
    const life = form.querySelector<HTMLInputElement>('[name=expiresIn]')
    if (life !== null) life.value = USUAL_LIFE
    const path = form.querySelector<HTMLInputElement>('[name=path]')
    path?.setAttribute('aria-required', 'true')
    path?.focus()
  }
  again()
}

function formOf(
  options: Readonly<Record<string, Option>>,
  then: (key: NewKey) => void,
): HTMLFormElement {
  const names = Object.keys(options).filter((name) => !LEFT_OUT.includes(name))
  const fields = new Map(names.map((name) => [name, fieldFor(name, options[name] ?? {})]))
  const isFirst = (name: string): boolean => FIRST.includes(name)
  const shown = (wanted: readonly string[]): HTMLElement[] =>
    wanted.flatMap((name) => fields.get(name) ?? [])
  const go = h('button', { class: 'button primary' }, text.mint)
  const form = h(
    'form',
    { class: 'card panel mint', novalidate: true },
    h('div', { class: 'grid' }, ...shown(FIRST.filter((name) => fields.has(name)))),
    methodBoxes(),
    h(
      'details',
      {},
      h('summary', {}, text.moreOptions),
      h('div', { class: 'grid' }, ...boxesLast(shown(names.filter((name) => !isFirst(name))))),
    ),
    h('div', { class: 'actions' }, go),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    go.disabled = true
    const methods = new FormData(form).getAll('methods')
    const body = { ...statedIn(form, options, names), methods }
    api<NewKey>('POST', '/v1/keys', { body })
      .then(then, (error: unknown) => tellMistakes(form, error))
      .finally(() => {
        go.disabled = false
      })
  })
  return form
}

const boxesLast = (fields: readonly HTMLElement[]): readonly HTMLElement[] => {
  const isBox = ({ classList }: HTMLElement): boolean => classList.contains('toggle')
  return [...fields.filter((field) => !isBox(field)), ...fields.filter(isBox)]
}

const methodBoxes = (): HTMLElement =>
  h(
    'fieldset',
    { class: 'methods' },
    h('legend', {}, text.methodsLabel),
    ...METHODS.map((method) =>
      h(
        'label',
        { class: 'toggle' },
        h('input', { type: 'checkbox', name: 'methods', value: method, checked: method === 'GET' }),
        text.methods[method] ?? method,
      ),
    ),
  )
