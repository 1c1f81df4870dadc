/** What a key is at this moment. */
import { h } from '../common/dom.ts'
import { briefly, count } from '../common/format.ts'
import { chip } from './parts.ts'
import type { IssuedKey } from './shapes.ts'
import { text } from './texts.ts'

/** A number that is counted only where it is limited. */
export const usesOf = ({ counted, uses, activity }: IssuedKey): string =>
  uses === undefined ? count(activity?.requests ?? counted) : `${count(counted)} / ${count(uses)}`

/** Until when it is honoured: the end that is kept beside a key counts where it is the earlier. */
export const endOf = ({ expires, rule }: IssuedKey): number =>
  Math.min(expires, rule?.claims.exp ?? expires)

export function stateOf(key: IssuedKey): HTMLElement {
  const { revocation, uses, counted, rule } = key
  if (revocation !== undefined) return chip(text.states.revoked, 'bad')
  if (endOf(key) <= Date.now() / 1000) return chip(text.states.expired, 'dull')
  if (uses !== undefined && counted >= uses) return chip(text.states.spent, 'warn')
  const isPaused = rule?.paused === true
  const state = chip(text.states[isPaused ? 'paused' : 'active'], isPaused ? 'warn' : 'good')
  const until = h('span', { class: 'muted' }, text.until(briefly(endOf(key))))
  return h('span', { class: 'state-of' }, state, until)
}
