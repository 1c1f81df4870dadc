/** A new key, by a form that is made of what the API takes. */
import { fill, h } from '../common/dom.ts'
import { api, Refused } from './api.ts'
import { type Option, optionOf, READERS } from './mint-options.ts'
import { showMinted } from './minted.ts'
import { complain, fieldOf, heading, textInput, type View } from './parts.ts'
import type { Claims, NewKey, Status } from './shapes.ts'
import { text } from './texts.ts'

/** Those that nearly every key states; the others are folded away. */
const FIRST = ['path', 'expiresIn', 'subject', 'uses']
/** Said otherwise: by boxes, or by another option. */
const LEFT_OUT = ['methods', 'expires', 'once', 'respond']
const METHODS = ['GET', 'PUT', 'LIST', 'DELETE']

interface Document {
  readonly components: {
    readonly schemas: {
      readonly KeyRequest: { readonly properties: Readonly<Record<string, Option>> }
    }
  }
}

export async function showMint(view: View): Promise<void> {
  const { root, signal } = view
  const content = h('div', {}, h('p', { class: 'nothing muted' }, text.loading))
  fill(root, heading(text.nav.mint), content)
  const [document, status] = await Promise.all([
    api<Document>('GET', '/openapi.json', { signal }),
    api<Status>('GET', '/v1/status', { signal }),
  ])
  const options = document.components.schemas.KeyRequest.properties
  const again = (): void => {
    const form = formOf(options, (key) => {
      showMinted(content, key, status.publicUrl, again)
    })
    fill(content, form)
    form.querySelector<HTMLElement>('[name=path]')?.focus()
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
      h('div', { class: 'grid' }, ...shown(names.filter((name) => !isFirst(name)))),
    ),
    h('div', { class: 'actions' }, go),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    go.disabled = true
    api<NewKey>('POST', '/v1/keys', { body: statedIn(form, names) })
      .then(then, (error: unknown) => tellMistakes(form, error))
      .finally(() => {
        go.disabled = false
      })
  })
  return form
}

function fieldFor(name: string, option: Option): HTMLElement {
  const label = text.fields[name] ?? name
  const { kind, placeholder, value } = optionOf(name, option)
  if (kind === 'switch') {
    const box = h('input', { type: 'checkbox', name })
    return h('label', { class: 'toggle field' }, box, label)
  }
  const hint = name === 'path' ? text.pathHint : undefined
  const input =
    kind === 'lines'
      ? h('textarea', { class: 'input', name, rows: 2, placeholder, spellcheck: 'false' })
      : textInput(name, value, placeholder)
  if (kind === 'number') input.setAttribute('inputmode', 'numeric')
  if (name === 'path') input.setAttribute('required', '')
  return fieldOf({ label, input, hint })
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

/** What was filled in, as the API takes it. */
function statedIn(form: HTMLFormElement, names: readonly string[]): Claims {
  const data = new FormData(form)
  const stated: Record<string, unknown> = { methods: data.getAll('methods') }
  for (const name of names) {
    const value = data.get(name)
    if (typeof value !== 'string' || value.trim() === '') continue
    stated[name] = READERS[optionOf(name, {}).kind](value.trim())
  }
  return stated
}

/** Under each field what is wrong with it; the first of them gets the focus. */
function tellMistakes(form: HTMLFormElement, error: unknown): void {
  for (const place of form.querySelectorAll('.wrong')) place.textContent = ''
  if (!(error instanceof Refused) || error.mistakes.length === 0) {
    complain(error)
    return
  }
  const untold = error.mistakes.filter(({ option, message }) => {
    const [name = ''] = option.split('.')
    const input = form.querySelector<HTMLElement>(`[name="${CSS.escape(name)}"]`)
    const place = input?.closest('.field')?.querySelector('.wrong')
    if (!place) return true
    place.textContent = message
    input?.closest('details')?.setAttribute('open', '')
    return false
  })
  const first = [...form.querySelectorAll('.wrong')].find(({ textContent }) => textContent !== '')
  first?.closest('.field')?.querySelector<HTMLElement>('.input')?.focus()
  if (untold.length > 0) {
    complain(
      new Refused('', untold.map(({ option, message }) => `${option}: ${message}`).join('; ')),
    )
  }
}
