/** Schemas as a reader takes them in: a type in a few words, properties in rows. */
import { h } from '../common/dom.ts'
import type { Schema } from './document.ts'

export const nameIn = (name: string): string => `schema-${name}`

/** `string`, `integer, 1 to 1000`, `array of IssuedKey`, each schema a link. */
export function typeOf(schema: Schema): HTMLElement {
  const words = h('span', { class: 'type' })
  words.append(...wordsOf(schema))
  return words
}

function wordsOf(schema: Schema): readonly (Node | string)[] {
  const { $ref, anyOf, oneOf, allOf, items } = schema
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1)
    return [h('a', { href: `#${nameIn(name)}` }, name)]
  }
  const [only] = allOf ?? []
  if (only !== undefined) return wordsOf(only)
  const either = anyOf ?? oneOf
  if (either !== undefined) {
    return either.flatMap((one, at) => (at === 0 ? wordsOf(one) : [' or ', ...wordsOf(one)]))
  }
  if (items !== undefined) return ['array of ', ...wordsOf(items)]
  return [plainOf(schema)]
}

function plainOf(schema: Schema): string {
  const { type, minimum, maximum } = schema
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) {
    const shown = schema.enum.map((value) => JSON.stringify(value))
    return shown.length > 12 ? `${shown.slice(0, 12).join(' | ')} | …` : shown.join(' | ')
  }
  const bounds =
    minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
      ? `, ${minimum} to ${maximum}`
      : ''
  return `${[type ?? 'anything'].flat().join(' or ')}${bounds}`
}

/** What a value is about; where nobody says it, the form that it has. */
export function aboutOf({ description, pattern }: Schema): HTMLElement | undefined {
  if (description !== undefined) return h('p', {}, description)
  return pattern === undefined ? undefined : h('p', {}, 'Of the form ', h('code', {}, pattern))
}

export const rowsOf = ({ properties = {}, required = [] }: Schema): HTMLElement =>
  h(
    'dl',
    {},
    ...Object.entries(properties).flatMap(([name, schema]) => [
      h('dt', {}, h('code', {}, name)),
      h(
        'dd',
        {},
        typeOf(schema),
        required.includes(name) && h('span', { class: 'muted' }, ' · always'),
        aboutOf(schema),
      ),
    ]),
  )
