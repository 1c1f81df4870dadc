/** Policies and plans: what keys refer to by name, and what can be changed while they are in use. */
import type { Block } from '../../../key/claims.ts'
import type { Plan } from '../../../key/plan.ts'
import { button, fill, h, nameOf } from '../common/dom.ts'
import { duration, moment } from '../common/format.ts'
import { tell } from '../common/say.ts'
import { api } from './api.ts'
import { confirmed } from './confirm.ts'
import { type Options, optionsOf } from './option-form.ts'
import {
  attempt,
  type Column,
  heading,
  loading,
  nothing,
  table,
  timeOf,
  type View,
} from './parts.ts'
import { editRule, type Kind, type Rule } from './rule-form.ts'
import { text, rules as words } from './texts.ts'

/** What both kinds differ in. */
const KINDS = {
  policies: { schema: 'PolicyRequest', title: text.policies },
  plans: { schema: 'PlanRequest', title: text.plans },
} as const

export async function showRules({ root, signal }: View): Promise<void> {
  const content = h('div', {})
  fill(root, heading(text.nav.rules), content)
  const look = (): Promise<void> =>
    loading(content, async () => {
      const kinds = Object.keys(KINDS) as Kind[]
      const sections = await Promise.all(kinds.map((kind) => sectionOf(kind, done, signal)))
      return sections.flat()
    })
  const done = (sentence: string): void => {
    tell(sentence)
    attempt(look)
  }
  await look()
}

type Done = (sentence: string) => void

async function sectionOf(kind: Kind, done: Done, signal: AbortSignal): Promise<readonly Node[]> {
  const { schema, title } = KINDS[kind]
  const [options, answer] = await Promise.all([
    optionsOf(schema, signal),
    api<Record<Kind, readonly Rule[]>>('GET', `/v1/${kind}`, { signal }),
  ])
  const rules = answer[kind]
  const list =
    rules.length === 0
      ? nothing(text.noRules)
      : h('section', { class: 'card list' }, table(title, columnsOf(kind, options, done), rules))
  const add = button(text.ruleTitles[kind].fresh, () => editRule(kind, undefined, options, done))
  return [h('header', { class: 'heading' }, h('h2', {}, title), add), list]
}

const columnsOf = (kind: Kind, options: Options, done: Done): readonly Column<Rule>[] => [
  { label: text.name, cell: ({ name }) => h('b', {}, name) },
  { label: text.says, cell: saidBy },
  { label: text.changed, cell: ({ changedAt }) => timeOf(changedAt) },
  {
    label: text.actions,
    kind: 'acts',
    cell: (rule) =>
      h(
        'div',
        { class: 'actions' },
        button(text.change, () => editRule(kind, rule, options, done), {
          'aria-label': `${text.change} ${rule.name}`,
        }),
        button(text.remove, () => askToRemove(kind, rule.name, done), {
          kind: 'grave',
          'aria-label': `${text.remove} ${rule.name}`,
        }),
      ),
  },
]

function saidBy({ claims, plan }: Rule): Node | string {
  const sentences =
    plan === undefined
      ? words.policy((claims ?? {}) as Block, { moment, duration })
      : words.plan(plan as Plan)
  if (sentences.length === 0) return text.none
  return h('ul', { class: 'says-that' }, ...sentences.map((said) => h('li', {}, nameOf(said))))
}

const askToRemove = (kind: Kind, name: string, done: Done): void =>
  confirmed({
    title: text.removeRule,
    effect: text.removeEffect,
    id: name,
    act: text.remove,
    proceed: () => api('DELETE', `/v1/${kind}/${encodeURIComponent(name)}`),
    after: () => done(text.removed),
  })
