/** A new key, by a form that is made of what the API takes. */
import { fill, h } from '../common/dom.ts'
import { api } from './api.ts'
import { showMinted } from './minted.ts'
import { boxesLast, fieldFor, optionsOf, statedIn } from './option-form.ts'
import type { Option } from './options.ts'
import { heading, loading, type View } from './parts.ts'
import type { NewKey, Status } from './shapes.ts'
import { text } from './texts.ts'
import { tellMistakes } from './trouble.ts'

/** Those that nearly every key states; the others are folded away. */
const FIRST = ['path', 'expiresIn', 'subject', 'uses']
/** Said otherwise: by boxes, or by another option. */
const LEFT_OUT = ['methods', 'expires', 'once', 'respond']
const USUAL_LIFE = '1h'
const METHODS = ['GET', 'PUT', 'LIST', 'DELETE']

export async function showMint(view: View): Promise<void> {
  const { root, signal } = view
  const content = h('div', {})
  const begin = (): void => content.querySelector<HTMLElement>('[name=path]')?.focus()
  fill(root, heading(text.nav.mint), content)
  await loading(content, async () => {
    const [options, status] = await Promise.all([
      optionsOf('KeyRequest', signal),
      api<Status>('GET', '/v1/status', { signal }),
    ])
    const again = (): void => {
      fill(content, fresh())
      begin()
    }
    const fresh = (): HTMLFormElement =>
      formOf(options, (key) => showMinted(content, key, status.publicUrl, again))
    return [fresh()]
  })
  begin()
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
  const life = form.querySelector<HTMLInputElement>('[name=expiresIn]')
  if (life !== null) life.value = USUAL_LIFE
  form.querySelector('[name=path]')?.setAttribute('aria-required', 'true')
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

const methodBoxes = (): HTMLElement =>
  h(
    'fieldset',
    { class: 'methods' },
    h('legend', {}, text.methodsLabel),
    h('p', { class: 'wrong', id: 'methods-wrong', role: 'alert' }),
    ...METHODS.map((method) =>
      h(
        'label',
        { class: 'toggle' },
        h('input', {
          type: 'checkbox',
          name: 'methods',
          value: method,
          checked: method === 'GET',
          'aria-describedby': 'methods-wrong',
        }),
        text.methods[method] ?? method,
      ),
    ),
  )
