/** Forms that are made of what the API takes, as its OpenAPI document says. */
import { h } from '../common/dom.ts'
import { api } from './api.ts'
import { type Option, optionOf, READERS } from './options.ts'
import { choice, fieldOf, textInput } from './parts.ts'
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
  const hint = text.hints[name]
  if (kind === 'choice') {
    const words = option.enum?.map((word) => [word, text.choices[word] ?? word]) ?? []
    const input = choice(name, { '': text.unstated, ...Object.fromEntries(words) }, '')
    return fieldOf({ label, input, hint })
  }
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
    const field = form.querySelector<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(
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

/** Boxes behind what is to be written: those stand in rows. */
export const boxesLast = (fields: readonly HTMLElement[]): readonly HTMLElement[] => {
  const isBox = ({ classList }: HTMLElement): boolean => classList.contains('toggle')
  return [...fields.filter((field) => !isBox(field)), ...fields.filter(isBox)]
}
