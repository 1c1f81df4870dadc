/** One key in a dialog: all that is known of it, and its end. */
import { button, h, nameOf } from '../common/dom.ts'
import { count, size } from '../common/format.ts'
import { tell } from '../common/say.ts'
import { api } from './api.ts'
import { confirmed } from './confirm.ts'
import { endOf, stateOf, usesOf } from './key-state.ts'
import { facts, fieldOf, textInput, timeOf } from './parts.ts'
import type { Claims, IssuedKey } from './shapes.ts'
import { text } from './texts.ts'
import { tellMistakes, trouble } from './trouble.ts'

/** @param again called when something about the key has changed */
export function openKey(key: IssuedKey, again: () => void): void {
  const dialog = h('dialog', { class: 'card key', tabindex: -1, 'aria-labelledby': 'key-title' })
  const close = (): void => dialog.close()
  const changed = (sentence: string): void => {
    close()
    again()
    tell(sentence)
  }
  const audit = h(
    'a',
    { class: 'button', href: `#audit?id=${encodeURIComponent(key.id)}`, onclick: close },
    text.inAudit,
  )
  const revoke = button(
    text.revoke,
    () =>
      askToRevoke(key, () => {
        close()
        again()
      }),
    { kind: 'grave' },
  )
  dialog.append(
    h('h2', { id: 'key-title' }, nameOf(key.paths.join(', '))),
    knownOf(key),
    ...(key.revocation === undefined
      ? changesOf(key, changed, (error) => trouble(dialog, error))
      : []),
    h(
      'div',
      { class: 'actions' },
      button(text.close, close),
      audit,
      key.revocation === undefined && revoke,
    ),
  )
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
  dialog.focus()
}

/** What can be changed of a key that is in use, its link unchanged. */
function changesOf(
  key: IssuedKey,
  changed: (sentence: string) => void,
  refused: (error: unknown) => void,
): readonly Node[] {
  const path = `/v1/keys/${encodeURIComponent(key.id)}`
  const change = (body: Claims, sentence: string, otherwise = refused): void => {
    api('PATCH', path, { body }).then(() => changed(sentence), otherwise)
  }
  const isPaused = key.rule?.paused === true
  const pause = button(
    isPaused ? text.resume : text.pause,
    () => change({ paused: !isPaused }, isPaused ? text.isResumed : text.isPaused),
    { image: isPaused ? 'play' : 'pause' },
  )
  const end = textInput('expiresIn', '', '15m, 12h, 7d')
  end.required = true
  const form = h(
    'form',
    {
      class: 'beside',
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault()
        const told = (error: unknown): void => tellMistakes(form, error)
        change({ expiresIn: end.value.trim() }, text.endIsSet, told)
      },
    },
    fieldOf({ label: text.newEnd, input: end }),
    h('button', { class: 'button' }, text.setEnd),
  )
  return [form, h('div', {}, pause)]
}

function knownOf(key: IssuedKey): HTMLElement {
  const { activity, revocation } = key
  return facts([
    [text.by.id, h('code', {}, key.id)],
    [text.columns.state, stateOf(key)],
    [text.by.subject, key.subjects.length > 0 ? nameOf(key.subjects.join(', ')) : undefined],
    [text.columns.methods, key.methods.join(', ')],
    [text.minted, timeOf(key.issuedAt)],
    [text.mintedBy, key.issuedBy],
    [text.signedWith, h('code', {}, key.kid)],
    [text.ends, timeOf(endOf(key))],
    [text.columns.uses, key.uses === undefined ? undefined : usesOf(key)],
    [text.columns.used, activity === undefined ? text.never : timeOf(activity.lastUsed)],
    [text.lastAddress, activity?.lastAddress],
    [text.requests, activity && count(activity.requests)],
    [text.sent, activity && size(activity.bytesOut)],
    [text.received, activity && size(activity.bytesIn)],
    [text.revokedAt, revocation && timeOf(revocation.revokedAt)],
    [text.reason, revocation?.reason],
  ])
}

const askToRevoke = ({ id }: IssuedKey, done: () => void): void =>
  confirmed({
    title: text.revokeKey,
    effect: text.revokeEffect,
    id,
    act: text.revoke,
    proceed: () => api('DELETE', `/v1/keys/${encodeURIComponent(id)}`),
    after: () => {
      done()
      tell(text.wasRevoked)
    },
  })
