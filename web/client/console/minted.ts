/** A key that was just made: to copy, to show to a phone, to paste into a terminal. */
import { button, fill, h } from '../common/dom.ts'
import { moment } from '../common/format.ts'
import { copyable, facts } from './parts.ts'
import type { NewKey } from './shapes.ts'
import { qrOf } from './svg.ts'
import { text } from './texts.ts'

export function showMinted(
  content: HTMLElement,
  key: NewKey,
  publicUrl: string,
  again: () => void,
): void {
  const title = h('h2', { tabindex: -1 }, text.mintedTitle)
  const pages = pagesFor(key, publicUrl)
  fill(
    content,
    h(
      'section',
      { class: 'card panel minted' },
      title,
      h('p', { class: 'notice' }, text.shownOnce),
      h(
        'div',
        { class: 'pair' },
        h(
          'div',
          { class: 'texts' },
          copyable(text.link, key.url),
          ...pages.map(([label, url]) => copyable(label, url)),
          copyable(text.curl, curlLines(key).join('\n'), 'block'),
        ),
        pictureOf(pages[0] ?? [text.link, key.url]),
      ),
      facts([
        [text.by.id, h('code', {}, key.id)],
        [text.by.path, [key.path].flat().join(', ')],
        [text.columns.methods, key.methods.join(', ')],
        [text.ends, moment(key.expires)],
      ]),
      h('div', { class: 'actions' }, button(text.another, again, { image: 'key' })),
    ),
  )
  title.focus()
}

/** A code for a phone, and what it leads to. */
function pictureOf([label, url]: readonly [string, string]): HTMLElement {
  const code = qrOf(url, text.qr(label))
  if (code === undefined) return h('p', { class: 'muted' }, text.qrTooLong)
  return h('figure', { class: 'code' }, code, h('figcaption', {}, label))
}

/** What a person opens, where the key is for one: the key stands behind the `#`. */
function pagesFor({ methods, key }: NewKey, publicUrl: string): [string, string][] {
  const base = publicUrl.replace(/\/$/, '')
  if (methods.includes('GET')) return [[text.sharePage, `${base}/-/share#${key}`]]
  return methods.includes('PUT') ? [[text.dropPage, `${base}/-/drop#${key}`]] : []
}

/** For a POSIX shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** A link to all beneath a prefix is given a name to fill in. */
const named = (url: string): string => url.replace(/\/(?=\?|$)/, '/FILE')

const LINES: Readonly<Record<string, (url: string) => string>> = {
  GET: (url) => `-o FILE ${quoted(named(url))}`,
  PUT: (url) => `-T FILE ${quoted(named(url))}`,
  DELETE: (url) => `-X DELETE ${quoted(named(url))}`,
  LIST: (url) => quoted(url),
}

const curlLines = ({ url, methods }: NewKey): readonly string[] =>
  methods.flatMap((method) => {
    const line = LINES[method]?.(url)
    return line === undefined ? [] : [`curl --fail-with-body ${line}`]
  })
