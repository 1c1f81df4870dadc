/** What stands in the way of a form, where it stands: at the fields, and above the buttons. */
import { h, icon } from '../common/dom.ts'
import type { Mistake, Refused } from './api.ts'
import { meantBy } from './mistakes.ts'
import { refusedIn, smallPrint, told } from './parts.ts'
import { text } from './texts.ts'

type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

/** Why it is not done, above the buttons of a form or a dialog; what was said before goes. */
export function trouble(container: HTMLElement, error: unknown): void {
  container.querySelector(':scope > .trouble')?.remove()
  const refused = refusedIn(error)
  if (refused !== undefined) put(container, ...told(refused))
}

/** Under each field what is wrong with it; the first of them gets the focus. The rest is trouble. */
export function tellMistakes(form: HTMLFormElement, error: unknown, isFocused = true): void {
  clear(form)
  const refused = refusedIn(error)
  if (refused === undefined) return
  const untold = refused.mistakes.filter((mistake) => !tellAt(form, mistake))
  if (refused.mistakes.length === 0) put(form, ...told(refused))
  else if (untold.length > 0) put(form, ...toldOf(refused, untold))
  if (isFocused) form.querySelector<HTMLElement>('[aria-invalid]')?.focus()
}

const toldOf = ({ code }: Refused, mistakes: readonly Mistake[]): readonly Node[] => [
  h('p', {}, text.problems[code] ?? text.problems.other),
  ...mistakes.flatMap(({ option, message }) => smallPrint(`${option}: ${message}`)),
]

function put(container: HTMLElement, ...words: readonly Node[]): void {
  const notice = h(
    'div',
    { class: 'notice bad trouble', role: 'alert' },
    icon('warning'),
    h('div', {}, ...words),
  )
  const buttons = container.querySelector(':scope > .actions')
  if (buttons === null) container.append(notice)
  else buttons.before(notice)
  notice.scrollIntoView({ block: 'nearest' })
}

/** Nothing is wrong any more, until the issuer says so again. */
export function clear(form: HTMLFormElement): void {
  form.querySelector(':scope > .trouble')?.remove()
  for (const place of form.querySelectorAll('.wrong')) place.replaceChildren()
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid')
}

/** @returns false where the form has no place for it */
function tellAt(form: HTMLFormElement, { option, message }: Mistake): boolean {
  const [name = ''] = option.split('.')
  const inputs = [...form.querySelectorAll<Input>(`[name="${CSS.escape(name)}"]`)]
  const field = inputs[0]?.closest('.field, .methods')
  const place = field?.querySelector('.wrong')
  if (!place) return false
  place.replaceChildren(...saidOf(inputs, message))
  field?.closest('details')?.setAttribute('open', '')
  const forget = (): void => {
    place.replaceChildren()
    for (const input of inputs) input.removeAttribute('aria-invalid')
  }
  for (const input of inputs) {
    input.setAttribute('aria-invalid', 'true')
    input.addEventListener('input', forget, { once: true })
  }
  return true
}

function saidOf([input, ...more]: readonly Input[], message: string): readonly (Node | string)[] {
  const { kind, most = '' } = meantBy(message)
  if (kind === 'required') return [more.length > 0 ? text.wrong.chooseOne : text.wrong.required]
  const example = input !== undefined && 'placeholder' in input ? input.placeholder : ''
  const sentence =
    kind === 'longest'
      ? text.wrong.longest(most)
      : kind === 'value' && example !== ''
        ? text.wrong.suchAs(example)
        : text.wrong[kind]
  return [sentence, ...smallPrint(message)]
}
