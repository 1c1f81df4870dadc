/** Forms that are made of what the API takes, as its OpenAPI document says. */
import { h } from '../common/dom.ts'
import { api, Refused } from './api.ts'
import { type Option, optionOf, READERS } from './options.ts'
import { complain, fieldOf, textInput } from './parts.ts'
import type { Claims } from './shapes.ts'
import { text } from './texts.ts'

export type Options = Readonly<Record<string, Option>>

interface Document {
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties: Options }>>
  }
}

/** The options that a schema has. */
export async function optionsOf(schema: string, signal: AbortSignal): Promise<Options> {
  const document = await api<Document>('GET', '/openapi.json', { signal })
  return document.components.schemas[schema]?.properties ?? {}
}

/** A field that asks for an option. */
export function fieldFor(name: string, option: Option): HTMLElement {
  const label = text.fields[name] ?? name
  const { kind, placeholder } = optionOf(name, option)
  if (kind === 'switch') {
    const box = h('input', { type: 'checkbox', name })
    return h('label', { class: 'toggle field' }, box, label)
  }
  const hint = name === 'path' ? text.pathHint : undefined
  const input =
    kind === 'lines'
      ? h('textarea', { class: 'input', name, rows: 2, placeholder, spellcheck: 'false' })
      : textInput(name, '', placeholder)
  if (kind === 'number') input.setAttribute('inputmode', 'numeric')
  return fieldOf({ label, input, hint })
}

/** @param values by the names of options; true: a box that is checked */
export function fillIn(
  form: HTMLFormElement,
  values: Readonly<Record<string, string | true>>,
): void {
  for (const [name, value] of Object.entries(values)) {
    const field = form.querySelector<HTMLInputElement | HTMLTextAreaElement>(
      `[name="${CSS.escape(name)}"]`,
    )
    if (field === null) continue
    if (value !== true) field.value = value
    else if (field instanceof HTMLInputElement) field.checked = true
  }
}

/** What was filled in, as the API takes it. */
export function statedIn(
  form: HTMLFormElement,
  options: Options,
  names: readonly string[] = Object.keys(options),
): Claims {
  const data = new FormData(form)
  const stated: Record<string, unknown> = {}
  for (const name of names) {
    const value = data.get(name)
    if (typeof value !== 'string' || value.trim() === '') continue
    stated[name] = READERS[optionOf(name, options[name] ?? {}).kind](value.trim())
  }
  return stated
}

/** Under each field what is wrong with it; the first of them gets the focus. */
export function tellMistakes(form: HTMLFormElement, error: unknown): void {
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
