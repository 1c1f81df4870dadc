/** The receipt on the page: what arrived, to look at, to copy, and to keep. */
import { button, h, icon, nameOf, plainName } from '../common/dom.ts'
import { count, moment, size } from '../common/format.ts'
import { tell, warn } from '../common/say.ts'
import { drop } from '../common/texts.ts'
import { asCsv, asText, type Line } from './receipt.ts'

/** Milliseconds after which a longer receipt is kept over a reload. */
const KEPT_AFTER = 2_000

/** More than these are in the receipt only, not on the page. */
const MOST_SHOWN = 100

export class Arrived {
  readonly element: HTMLElement
  readonly #storageKey: string
  readonly #now: () => number
  readonly #title = h('h2', { id: 'arrived-title', tabindex: -1 })
  readonly #list = h('ul', { class: 'lines' })
  readonly #more = h('p', { class: 'muted' })
  #lines: Line[]
  #due: number | undefined

  /**
   * @param keyId what a receipt is kept under until the tab is closed
   * @param now Unix seconds
   */
  constructor(keyId: string, now: () => number, signal: AbortSignal) {
    this.#storageKey = `valetkey-receipt-${keyId}`
    this.#now = now
    this.#lines = this.#recall()
    this.element = h(
      'section',
      { class: 'arrived card', 'aria-labelledby': 'arrived-title', hidden: true },
      h('header', {}, h('span', { class: 'badge good' }, icon('check')), this.#title),
      h('p', { class: 'muted' }, drop.receiptHint),
      h(
        'div',
        { class: 'ways' },
        button(drop.receiptText, () => this.#save('text'), { image: 'download' }),
        button(drop.receiptCsv, () => this.#save('csv'), { image: 'download' }),
        button(drop.receiptCopy, () => void this.#copy(), { image: 'text' }),
      ),
      this.#list,
      this.#more,
    )
    for (const line of this.#lines.slice(-MOST_SHOWN)) this.#list.prepend(rowOf(line))
    this.update(true)
    window.addEventListener('pagehide', () => this.#keep(), { signal })
  }

  get count(): number {
    return this.#lines.length
  }

  add(line: Line): void {
    this.#lines.push(line)
    this.#list.prepend(rowOf(line))
    if (this.#list.childElementCount > MOST_SHOWN) this.#list.lastElementChild?.remove()
    // all of it is written each time: seldom, or a thousand files would make the page slow
    this.#due ??= window.setTimeout(() => this.#keep(), KEPT_AFTER)
  }

  focus(): void {
    this.#title.focus()
  }

  /** @param isAll whether nothing is on its way any more */
  update(isAll: boolean): void {
    const { length } = this.#lines
    this.element.hidden = length === 0
    this.element.classList.toggle('whole', isAll)
    const shown = count(length)
    this.#title.textContent = isAll ? drop.allArrived(length, shown) : drop.arrived(length, shown)
    const hidden = length - this.#list.childElementCount
    this.#more.hidden = hidden === 0
    this.#more.textContent = drop.more(hidden, count(hidden))
  }

  #heading(): string {
    return drop.receiptHeading(location.host, moment(this.#now()))
  }

  #save(form: 'text' | 'csv'): void {
    const [text, type, name] =
      form === 'text'
        ? [asText(this.#lines, this.#heading()), 'text/plain', 'receipt.txt']
        : [`\ufeff${asCsv(this.#lines)}`, 'text/csv', 'receipt.csv']
    const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
    h('a', { href: url, download: name }).click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(asText(this.#lines, this.#heading()))
      tell(drop.copied)
    } catch {
      warn(drop.notCopied)
    }
  }

  #keep(): void {
    clearTimeout(this.#due)
    this.#due = undefined
    try {
      sessionStorage.setItem(this.#storageKey, JSON.stringify(this.#lines))
    } catch {
      // where nothing may be kept the receipt is on the page only
    }
  }

  #recall(): Line[] {
    try {
      return JSON.parse(sessionStorage.getItem(this.#storageKey) ?? '[]')
    } catch {
      return []
    }
  }
}

const rowOf = ({ name, size: bytes, sha256, sentAs }: Line): HTMLElement =>
  h(
    'li',
    { class: 'row' },
    h('span', { class: 'picture' }, icon('check')),
    h(
      'div',
      { class: 'about' },
      h('span', { class: 'name' }, nameOf(name)),
      h('span', { class: 'muted tabular' }, size(bytes)),
      sentAs !== undefined && h('span', { class: 'muted' }, drop.renamed(plainName(sentAs))),
      sha256 !== undefined &&
        h(
          'span',
          { class: 'digest muted' },
          h('abbr', { title: drop.digestTitle }, 'SHA-256'),
          ' ',
          h('code', {}, sha256),
        ),
    ),
  )
