/** A question before something that can't be undone: it is answered by typing, not by a slip. */
import { button, h } from '../common/dom.ts'
import { text } from './texts.ts'
import { trouble } from './trouble.ts'

export interface Question {
  readonly title: string
  /** what will happen */
  readonly effect: string
  /** what it happens to: its first letters are to be typed */
  readonly id: string
  /** the word on the button */
  readonly act: string
  readonly isGrave?: boolean
  readonly proceed: () => Promise<unknown>
  /** once it is done, and the dialog closed */
  readonly after: () => void
}

const TYPED = 4

/** Opens the dialog; the focus goes back to where it was. */
export function confirmed(question: Question): void {
  const { id, act, isGrave = true, proceed, after } = question
  const start = id.slice(0, TYPED)
  const input = h('input', {
    class: 'input',
    'aria-label': text.confirmLabel(start),
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
  })
  const go = h('button', { class: `button ${isGrave ? 'grave' : 'primary'}`, disabled: true }, act)
  input.addEventListener('input', () => {
    go.disabled = input.value.trim() !== start
  })
  const dialog = dialogOf(question, input, go)
  const form = dialog.querySelector('form') as HTMLFormElement
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (go.disabled) return
    go.disabled = true
    proceed().then(
      () => {
        dialog.close()
        after()
      },
      (error: unknown) => {
        go.disabled = false
        trouble(form, error)
      },
    )
  })
  document.body.append(dialog)
  dialog.showModal()
  input.focus()
}

function dialogOf(
  { title, effect, id }: Question,
  input: HTMLElement,
  go: HTMLElement,
): HTMLDialogElement {
  const dialog = h(
    'dialog',
    { class: 'card ask', 'aria-labelledby': 'ask-title', 'aria-describedby': 'ask-effect' },
    h(
      'form',
      {},
      h('h2', { id: 'ask-title' }, title),
      h('p', { class: 'subject' }, h('code', {}, id)),
      h('p', { id: 'ask-effect' }, effect),
      h('p', { class: 'muted' }, text.confirmHint(id.slice(0, TYPED))),
      input,
      h(
        'div',
        { class: 'actions' },
        button(text.cancel, () => dialog.close()),
        go,
      ),
    ),
  )
  dialog.addEventListener('close', () => dialog.remove())
  return dialog
}
