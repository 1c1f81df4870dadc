/** What is read out, and shown for a moment, without taking the focus. */
import { button, h, icon } from './dom.ts'
import { common } from './texts.ts'

/** How long a message stays in sight, in milliseconds. */
const STAY = 6000

const region = h('div', { class: 'says', role: 'status', 'aria-live': 'polite' })
const alarms = h('div', { class: 'says', role: 'alert' })
const spoken = h('p', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' })
const shelf = h('div', { class: 'shelf' }, region, alarms)
document.body.append(spoken, shelf)

/** For screen readers alone: what others see anyway. */
export function say(text: string): void {
  foreground().append(spoken)
  spoken.textContent = text
}

/** For everybody. */
export const tell = (text: string): void => show(region, text, 'good')

/** For everybody, at once. */
export const warn = (text: string): void => show(alarms, text, 'bad')

/** The same until somebody closes it, or {@link hush} does. */
export function insist(...words: readonly (Node | string)[]): void {
  const back = document.activeElement
  const close = (): void => {
    notice.remove()
    if (back instanceof HTMLElement) back.focus()
  }
  const notice = h(
    'div',
    { class: 'notice bad' },
    icon('warning'),
    h('div', {}, ...words),
    button(common.close, close, { image: 'close', kind: 'bare' }),
  )
  alarms.replaceChildren(notice)
  foreground().append(shelf)
}

/** Takes away what was said of something that is no longer shown. */
export const hush = (): void => alarms.replaceChildren()

function show(where: HTMLElement, text: string, tone: 'good' | 'bad'): void {
  const picture = icon(tone === 'good' ? 'check' : 'warning')
  where.replaceChildren(h('p', { class: `notice ${tone}` }, picture, h('span', {}, text)))
  const shown = where.firstChild
  setTimeout(() => shown?.remove(), STAY)
  foreground().append(shelf)
}

/** An open dialog covers everything else, and nothing behind it is read out. */
const foreground = (): Element => document.querySelector('dialog[open]') ?? document.body
