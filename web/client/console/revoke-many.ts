/** On the day something leaks: every key of somebody, or for some place, taken back at once. */
import { button, h } from '../common/dom.ts'
import { tell } from '../common/say.ts'
import { api } from './api.ts'
import { confirmed } from './confirm.ts'
import { choice, fieldOf, textInput } from './parts.ts'
import { text } from './texts.ts'

/** @param again called once they are revoked */
export function revokeMany(again: () => void): void {
  const { subject, path } = text.by
  const what = choice('what', { subject, path }, 'subject')
  const which = textInput('which')
  which.required = true
  const named = fieldOf({ label: text.by.subject, input: which })
  what.addEventListener('change', () => {
    const label = named.querySelector('label')
    if (label !== null) label.textContent = text.by[what.value as 'subject' | 'path']
  })
  const reason = textInput('reason')
  const dialog = h(
    'dialog',
    { class: 'card ask', 'aria-labelledby': 'many-title' },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'many-title' }, text.manyTitle),
      h('p', { class: 'muted' }, text.manyHint),
      fieldOf({ label: text.manyWhat, input: what }),
      named,
      fieldOf({ label: text.reason, input: reason }),
      h(
        'div',
        { class: 'actions' },
        button(text.cancel, () => dialog.close()),
        h('button', { class: 'button grave', value: 'go' }, text.revoke),
      ),
    ),
  )
  dialog.addEventListener('close', () => {
    dialog.remove()
    const value = which.value.trim()
    if (dialog.returnValue !== 'go' || value === '') return
    const why = reason.value.trim()
    const body = { [what.value]: value, ...(why !== '' && { reason: why }) }
    confirmed({
      title: text.manyTitle,
      effect: text.manyEffect,
      id: value,
      act: text.revoke,
      proceed: () => api('POST', '/v1/revocations', { body }),
      after: () => {
        again()
        tell(text.manyDone)
      },
    })
  })
  document.body.append(dialog)
  dialog.showModal()
}
