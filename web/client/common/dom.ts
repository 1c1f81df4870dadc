/** Elements, made without any HTML text: what strangers named or wrote can only ever be text. */
import { piecesOf, visible } from '../../../key/display.ts'

type Attribute = string | number | boolean | undefined | ((event: never) => void)
type Child = Node | string | undefined | false

/**
 * An element. `onclick` and the like take functions; true sets an attribute without a value, false
 * and undefined none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value as EventListener)
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value))
    }
  }
  append(element, children)
  return element
}

const append = (parent: Element, children: readonly Child[]): void =>
  parent.append(...children.filter((child): child is Node | string => Boolean(child)))

/** The element with these children and no others. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren()
  append(parent, children)
}

/** Lines on a field of 24 by 24, in the colour of the text. */
const ICONS = {
  archive: 'M4 7h16v12H4zM3 3h18v4H3zM10 11h4',
  arrow: 'M15 5l-7 7 7 7',
  audio: 'M9 18V6l10-2v12M9 18a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM19 16a3 3 0 1 1-6 0 3 3 0 0 1 6 0z',
  calendar: 'M4 6h16v14H4zM4 10h16M8 3v4M16 3v4',
  camera: 'M4 8h3l2-3h6l2 3h3v11H4zM15.5 13a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0z',
  check: 'M5 12.5l4.5 4.5L19 7',
  clock: 'M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0zM12 7v5l3.5 2',
  close: 'M6 6l12 12M18 6L6 18',
  download: 'M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19h14',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM15 12a3 3 0 1 1-6 0 3 3 0 0 1 6 0z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  folder: 'M3 6h6l2 2.5h10V19H3z',
  image: 'M4 4h16v16H4zM4 16l5-5 5 5 2.5-2.5L20 17M15.5 8.5h.01',
  key: 'M12 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM12 12h9v4M17 12v3',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  offline:
    'M3 3l18 18M5 12.5a10 10 0 0 1 4-2.4M2 9a15 15 0 0 1 4-2.6M12 5.1c3.8 0 7.3 1.5 10 3.900M15 10.600a10 10 0 0 1 4 1.900M8.5 16a5 5 0 0 1 7 0M12 19.500h.01',
  pause: 'M8 5v14M16 5v14',
  pdf: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h4',
  play: 'M7 5l12 7-12 7z',
  retry: 'M4 12a8 8 0 1 0 2.5-5.800M4 4v4h4',
  search: 'M17 11a6 6 0 1 1-12 0 6 6 0 0 1 12 0zM15.5 15.500L20 20',
  text: 'M6 3h8l4 4v14H6zM14 3v4h4M9 11h6M9 14h6M9 17h6',
  upload: 'M12 16V5m-4.5 4.500L12 5l4.5 4.500M5 19h14',
  video: 'M3 6h12v12H3zM15 10.500l6-3.500v10l-6-3.500z',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01',
} as const
export type IconName = keyof typeof ICONS

const SVG = 'http://www.w3.org/2000/svg'

/** A picture that says nothing that the text beside it does not. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', ICONS[name])
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  svg.append(path)
  return svg
}

/**
 * A name that somebody else chose: set apart, so that it can't turn round the text about it, and
 * with what nobody sees made visible, so that it can't pose as another.
 */
export const nameOf = (name: string): HTMLElement =>
  h(
    'bdi',
    {},
    ...piecesOf(name).map(({ text, unseen }) =>
      unseen ? h('span', { class: 'unseen' }, text) : text,
    ),
  )

/** The same where only text goes, such as in a label or a title: nothing unseen is left in it. */
export function plainName(name: string): string {
  const plain = visible(name)
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/u.test(plain) ? `\u2068${plain}\u2069` : plain
}

/** A button with a picture before its words. */
export const button = (
  label: string,
  onclick: (event: MouseEvent) => void,
  { image, kind = '', ...rest }: { image?: IconName; kind?: string; [name: string]: unknown } = {},
): HTMLButtonElement =>
  h(
    'button',
    { type: 'button', class: `button ${kind}`, onclick, ...(rest as Record<string, Attribute>) },
    image && icon(image),
    h('span', {}, label),
  )
