/** Policies and plans: what keys refer to by name, and what can be changed while they are in use. */
import { button, fill, h } from '../common/dom.ts'
import { size } from '../common/format.ts'
import { tell } from '../common/say.ts'
import { api } from './api.ts'
import { confirmed } from './confirm.ts'
import { fieldFor, fillIn, type Options, optionsOf, statedIn, tellMistakes } from './option-form.ts'
import {
  attempt,
  type Column,
  fieldOf,
  heading,
  loading,
  nothing,
  table,
  textInput,
  timeOf,
  type View,
} from './parts.ts'
import { type Plan, type Prefilled, prefilledPlan, prefilledPolicy } from './prefill.ts'
import type { Claims } from './shapes.ts'
import { text } from './texts.ts'

interface Rule {
  readonly name: string
  readonly changedAt: number
  /** of a policy */
  readonly claims?: Claims
  readonly plan?: Plan
}

/** What both kinds differ in. */
const KINDS = {
  policies: { schema: 'PolicyRequest', title: text.policies, add: text.addPolicy },
  plans: { schema: 'PlanRequest', title: text.plans, add: text.addPlan },
} as const
type Kind = keyof typeof KINDS

/** Said by another option as well, or not by a box: what they say already stays. */
const LEFT_OUT = ['once', 'respond', 'overwrite']

export async function showRules(view: View): Promise<void> {
  const sections = (Object.keys(KINDS) as Kind[]).map((kind) => ({ kind, content: h('div', {}) }))
  fill(view.root, heading(text.nav.rules), ...sections.map(({ content }) => content))
  await Promise.all(sections.map(({ kind, content }) => showKind(kind, content, view)))
}

async function showKind(kind: Kind, content: HTMLElement, { signal }: View): Promise<void> {
  const { schema, title, add } = KINDS[kind]
  const options = await optionsOf(schema, signal)
  const look = (): Promise<void> =>
    loading(content, async () => {
      const answer = await api<Record<Kind, readonly Rule[]>>('GET', `/v1/${kind}`, { signal })
      const rules = answer[kind]
      const edit = (rule?: Rule): void => editRule(kind, rule, options, done)
      const list =
        rules.length === 0
          ? nothing(text.noRules)
          : h('section', { class: 'card list' }, table(title, columnsOf(kind, edit, done), rules))
      const more = button(add, () => edit())
      return [h('header', { class: 'heading' }, h('h2', {}, title), more), list]
    })
  const done = (sentence: string): void => {
    tell(sentence)
    attempt(look)
  }
  await look()
}

const columnsOf = (
  kind: Kind,
  edit: (rule: Rule) => void,
  done: (sentence: string) => void,
): readonly Column<Rule>[] => [
  { label: text.name, cell: ({ name }) => h('b', {}, name) },
  { label: text.says, cell: (rule) => h('code', {}, saidBy(rule)) },
  { label: text.changed, cell: ({ changedAt }) => timeOf(changedAt) },
  {
    label: '',
    cell: (rule) =>
      h(
        'div',
        { class: 'actions' },
        button(text.change, () => edit(rule), { 'aria-label': `${text.change} ${rule.name}` }),
        button(text.remove, () => askToRemove(kind, rule.name, done), {
          kind: 'grave',
          'aria-label': `${text.remove} ${rule.name}`,
        }),
      ),
  },
]

function saidBy({ claims, plan }: Rule): string {
  if (plan === undefined) return JSON.stringify(claims ?? {})
  const { rate, burst, quota, per } = plan
  const said = [
    rate && `${rate.requests} / ${rate.seconds} s`,
    burst !== undefined && `burst ${burst}`,
    quota?.requests !== undefined && `${quota.requests} / ${quota.period}`,
    quota?.bytes !== undefined && `${size(quota.bytes)} / ${quota.period}`,
    `per ${per}`,
  ]
  return said.filter(Boolean).join(', ')
}

const askToRemove = (kind: Kind, name: string, done: (sentence: string) => void): void =>
  confirmed({
    title: text.removeRule,
    effect: text.removeEffect,
    id: name,
    act: text.remove,
    proceed: () => api('DELETE', `/v1/${kind}/${encodeURIComponent(name)}`),
    after: () => done(text.removed),
  })

const saidAlready = ({ claims, plan }: Rule): Prefilled =>
  plan === undefined ? prefilledPolicy(claims ?? {}) : prefilledPlan(plan)

/** A new one, or one that is there, all of which is in the form: it is replaced as a whole. */
function editRule(
  kind: Kind,
  rule: Rule | undefined,
  options: Options,
  done: (sentence: string) => void,
): void {
  const called = textInput('name', rule?.name)
  called.required = true
  called.readOnly = rule !== undefined
  const { fields, kept } = rule === undefined ? { fields: {}, kept: {} } : saidAlready(rule)
  const form = h(
    'form',
    {},
    h('h2', { id: 'rule-title' }, KINDS[kind].title),
    h('p', { class: 'muted' }, text.ruleHint),
    fieldOf({ label: text.name, input: called }),
    h('div', { class: 'grid' }, ...fieldsOf(kind, options)),
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
    return fieldOf({ label: text.requestRate, input: textInput('rate', '', '600/m') })
  })
}

/** How a download is saved or shown is stated once. */
const together = ({ respond, ...kept }: Claims, stated: Claims): Claims => {
  const isSaid = stated.attachment !== undefined || stated.inline !== undefined
  return { ...kept, ...(respond !== undefined && !isSaid && { respond }), ...stated }
}
