/** A policy or a plan in a dialog: a new one, or one that is there, all of which is in the form. */
import { button, h } from '../common/dom.ts'
import { api } from './api.ts'
import { boxesLast, fieldFor, fillIn, type Options, statedIn } from './option-form.ts'
import { fieldOf, textInput } from './parts.ts'
import { type Plan, type Prefilled, prefilledPlan, prefilledPolicy } from './prefill.ts'
import type { Claims } from './shapes.ts'
import { text } from './texts.ts'
import { tellMistakes } from './trouble.ts'

export type Kind = 'policies' | 'plans'

export interface Rule {
  readonly name: string
  readonly changedAt: number
  /** of a policy */
  readonly claims?: Claims
  readonly plan?: Plan
}

/** Said by another option as well, or not by a box: what they say already stays. */
const LEFT_OUT = ['once', 'respond', 'overwrite']

const saidAlready = ({ claims, plan }: Rule): Prefilled =>
  plan === undefined ? prefilledPolicy(claims ?? {}) : prefilledPlan(plan)

/** @param rule is replaced as a whole; undefined: a new one */
export function editRule(
  kind: Kind,
  rule: Rule | undefined,
  options: Options,
  done: (sentence: string) => void,
): void {
  const called = textInput('name', rule?.name)
  called.required = true
  called.readOnly = rule !== undefined
  const { fields, kept } = rule === undefined ? { fields: {}, kept: {} } : saidAlready(rule)
  const { fresh, changed } = text.ruleTitles[kind]
  const form = h(
    'form',
    {},
    h('h2', { id: 'rule-title' }, rule === undefined ? fresh : changed(rule.name)),
    h('p', { class: 'muted' }, rule === undefined ? text.newRuleHint : text.ruleHint),
    fieldOf({ label: text.name, input: called, hint: rule === undefined ? text.nameHint : '' }),
    h('div', { class: 'grid' }, ...boxesLast(fieldsOf(kind, options))),
    h(
      'div',
      { class: 'actions' },
      button(text.cancel, () => dialog.close()),
      h('button', { class: 'button primary' }, text.save),
    ),
  )
  fillIn(form, fields)
  const dialog = h('dialog', { class: 'card ask wide', 'aria-labelledby': 'rule-title' }, form)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const path = `/v1/${kind}/${encodeURIComponent(called.value.trim())}`
    const body = together(kept, statedIn(form, options))
    api('PUT', path, { body }).then(
      () => {
        dialog.close()
        done(text.saved)
      },
      (error: unknown) => tellMistakes(form, error),
    )
  })
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}

function fieldsOf(kind: Kind, options: Options): readonly HTMLElement[] {
  const asked = Object.entries(options).filter(([option]) => !LEFT_OUT.includes(option))
  return asked.map(([option, schema]) => {
    if (kind === 'policies' || option !== 'rate') return fieldFor(option, schema)
    const input = textInput('rate', '', '600/m')
    return fieldOf({ label: text.requestRate, input, hint: text.requestRateHint })
  })
}

/** How a download is saved or shown is stated once. */
const together = ({ respond, ...kept }: Claims, stated: Claims): Claims => {
  const isSaid = stated.attachment !== undefined || stated.inline !== undefined
  return { ...kept, ...(respond !== undefined && !isSaid && { respond }), ...stated }
}
