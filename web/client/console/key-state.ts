/** What a key is at this moment. */
import { h } from '../common/dom.ts'
import { count, moment } from '../common/format.ts'
import { chip } from './parts.ts'
import type { IssuedKey } from './shapes.ts'
import { text } from './texts.ts'

/** A number that is counted only where it is limited. */
export const usesOf = ({ counted, uses, activity }: IssuedKey): string =>
  uses === undefined ? count(activity?.requests ?? counted) : `${count(counted)} / ${count(uses)}`

export function stateOf({ revocation, expires, uses, counted }: IssuedKey): HTMLElement {
  if (revocation !== undefined) return chip(text.states.revoked, 'bad')
  if (expires <= Date.now() / 1000) return chip(text.states.expired, 'dull')
  if (uses !== undefined && counted >= uses) return chip(text.states.spent, 'warn')
  const state = chip(text.states.active, 'good')
  return h(
    'span',
    { class: 'state-of' },
    state,
    h('span', { class: 'muted' }, text.until(moment(expires))),
  )
}
