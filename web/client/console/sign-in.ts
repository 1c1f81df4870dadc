/** The door: the admin token, once. */
import { fill, h, icon } from '../common/dom.ts'
import { Refused, signIn } from './api.ts'
import { fieldOf, told } from './parts.ts'
import { text } from './texts.ts'

/**
 * @param why what is said at first, such as that a session has ended
 * @param then called once somebody is signed in
 */
export function showSignIn(page: HTMLElement, why: string, then: () => void): void {
  const input = h('input', {
    class: 'input',
    type: 'password',
    name: 'token',
    required: true,
    autocomplete: 'current-password',
    placeholder: 'vkadm_…',
  })
  const field = fieldOf({ label: text.tokenLabel, input })
  const wrong = field.querySelector('.wrong') as HTMLElement
  const go = h('button', { class: 'button primary' }, text.signIn)
  const form = h('form', { onsubmit: (event: SubmitEvent) => void enter(event) }, field, go)
  async function enter(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    go.disabled = true
    try {
      await signIn(input.value.trim())
      then()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      wrong.replaceChildren(...told(error))
      input.setAttribute('aria-invalid', 'true')
      input.focus()
    } finally {
      go.disabled = false
    }
  }
  wrong.textContent = why
  input.addEventListener('input', () => {
    input.removeAttribute('aria-invalid')
    wrong.replaceChildren()
  })
  fill(
    page,
    h(
      'section',
      { class: 'state card' },
      h('div', { class: 'badge' }, icon('lock')),
      h('h1', {}, `${text.brand} · ${text.signInTitle}`),
      h('p', { class: 'muted' }, `${text.signInHint} `, h('code', {}, 'secrets/admin-token')),
      form,
    ),
  )
  input.focus()
}
