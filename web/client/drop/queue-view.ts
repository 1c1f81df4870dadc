/** The list of what is not there yet, with how far all of it is. */
import { button, fill, h } from '../common/dom.ts'
import { count, duration, percent, size } from '../common/format.ts'
import { drop } from '../common/texts.ts'
import type { Item, State } from './item.ts'
import { Pace } from './pace.ts'
import { Row, type RowActions } from './row.ts'
import type { Uploads } from './uploads.ts'

/** Rows on the page; the others come up as these go. */
const MOST_SHOWN = 100

const RUNNING: readonly State[] = ['waiting', 'uploading', 'retrying']

export interface Totals {
  readonly files: number
  readonly done: number
  readonly bytes: number
  readonly sent: number
}

/** Of everything that was sent off, and neither called off nor given up. */
export const totalsOf = (items: readonly Item[]): Totals => {
  const counted = items.filter(({ state }) =>
    [...RUNNING, 'paused', 'interrupted', 'done'].includes(state),
  )
  const done = counted.filter(({ state }) => state === 'done').length
  const sum = (of: (item: Item) => number): number =>
    counted.reduce((total, item) => total + of(item), 0)
  return {
    files: counted.length,
    done,
    bytes: sum((one) => one.size),
    sent: sum((one) => one.sent),
  }
}

export class QueueView {
  readonly element: HTMLElement
  /** why nothing new can be sent any more */
  closed: string | undefined
  readonly #uploads: Uploads
  readonly #actions: RowActions
  readonly #now: () => number
  readonly #pace = new Pace()
  readonly #rows = new Map<Item, Row>()
  readonly #title = h('h2', { id: 'queue-title', tabindex: -1 })
  readonly #words = h('p', { class: 'muted tabular', id: 'queue-words' })
  readonly #bar = h('progress', { max: 1, 'aria-label': drop.progressOfAll })
  readonly #send: HTMLButtonElement
  readonly #pause: HTMLButtonElement
  readonly #resume: HTMLButtonElement
  readonly #list = h('ul', { class: 'rows', 'aria-labelledby': 'queue-title' })
  readonly #more = h('p', { class: 'muted' })

  constructor(uploads: Uploads, actions: RowActions, now: () => number) {
    this.#uploads = uploads
    this.#actions = actions
    this.#now = now
    this.#send = button('', () => uploads.actOnAll('send'), {
      kind: 'primary send',
      'aria-describedby': 'queue-words',
    })
    this.#pause = button(drop.pauseAll, () => this.#toggle('pause'), { image: 'pause' })
    this.#resume = button(drop.resumeAll, () => this.#toggle('resume'), { image: 'play' })
    this.element = h(
      'section',
      { class: 'queue card', 'aria-labelledby': 'queue-title', hidden: true },
      h(
        'header',
        {},
        h('div', { class: 'about' }, this.#title, this.#words),
        h('div', { class: 'ways' }, this.#pause, this.#resume, this.#send),
      ),
      this.#bar,
      this.#list,
      this.#more,
    )
  }

  /** Brings all of it up to date. */
  update(): void {
    const { items } = this.#uploads
    const open = items.filter(({ state }) => state !== 'done' && state !== 'cancelled')
    this.element.hidden = open.length === 0
    this.#updateRows(open)
    this.#updateHead(items, open)
  }

  /** Another mark of the speed, and what depends on it. */
  tick(): void {
    if (this.#uploads.items.some(({ state }) => state === 'uploading')) {
      this.#pace.mark(totalsOf(this.#uploads.items).sent, this.#now())
    } else this.#pace.forget()
    this.update()
  }

  /** The row that takes the place of one that goes gets the focus; without any, the title. */
  remove(item: Item): void {
    const shown = [...this.#rows.keys()]
    const next = shown[shown.indexOf(item) + 1] ?? shown[shown.indexOf(item) - 1]
    this.#uploads.clear(item)
    this.update()
    const row = next && this.#rows.get(next)
    if (row !== undefined) row.focus()
    else if (!this.element.hidden) this.#title.focus()
  }

  #updateRows(open: readonly Item[]): void {
    const shown = open.slice(0, MOST_SHOWN)
    for (const [item, row] of this.#rows) {
      if (shown.includes(item)) continue
      row.element.remove()
      this.#rows.delete(item)
    }
    for (const item of shown) {
      let row = this.#rows.get(item)
      if (row === undefined) {
        row = new Row(item, this.#actions)
        this.#rows.set(item, row)
        this.#list.append(row.element)
      }
      row.update(this.#now(), this.closed === undefined)
    }
    const hidden = open.length - shown.length
    this.#more.hidden = hidden === 0
    this.#more.textContent = drop.more(hidden, count(hidden))
  }

  #updateHead(items: readonly Item[], open: readonly Item[]): void {
    const chosen = open.filter(({ state }) => state === 'chosen')
    const totals = totalsOf(items)
    const isOnItsWay = open.some(({ state }) => RUNNING.includes(state) || state === 'paused')
    this.#bar.hidden = !isOnItsWay
    this.#bar.value = totals.bytes === 0 ? 0 : totals.sent / totals.bytes
    const bytes = chosen.reduce((sum, item) => sum + item.size, 0)
    this.#show(this.#send, chosen.length > 0)
    this.#disableSend(this.closed !== undefined)
    fill(this.#send, h('span', {}, drop.send(chosen.length, count(chosen.length), size(bytes))))
    this.#show(
      this.#pause,
      open.some(({ state }) => RUNNING.includes(state)),
    )
    this.#show(this.#resume, this.#pause.hidden && open.some(({ state }) => state === 'paused'))
    this.#title.textContent = isOnItsWay
      ? drop.sending(count(totals.done), totals.files, count(totals.files))
      : drop.listTitle
    const closed = chosen.length > 0 ? this.closed : undefined
    this.#words.textContent = isOnItsWay ? this.#progressWords(totals) : (closed ?? '')
    this.#words.hidden = this.#words.textContent === ''
  }

  #progressWords({ sent, bytes }: Totals): string {
    const now = this.#now()
    const speed = this.#pace.speed(now)
    const left = this.#pace.timeLeft(bytes - sent, now)
    const words = [
      percent(bytes === 0 ? 0 : sent / bytes),
      drop.bytesOf(size(sent), size(bytes)),
      speed !== undefined && speed >= 1 && drop.speed(size(speed)),
      left !== undefined && drop.timeLeft(duration(left)),
    ]
    return words.filter(Boolean).join(' · ')
  }

  /** One takes the place of the other, and the focus with it. */
  #toggle(event: 'pause' | 'resume'): void {
    const states: readonly State[] = event === 'pause' ? RUNNING : ['paused']
    this.#uploads.actOnAll(event, states)
    this.update()
    const other = event === 'pause' ? this.#resume : this.#pause
    if (!other.hidden) other.focus()
  }

  #disableSend(isDisabled: boolean): void {
    const hadFocus = isDisabled && document.activeElement === this.#send
    this.#send.disabled = isDisabled
    if (hadFocus) this.#title.focus()
  }

  /** A button that goes while it has the focus gives it to the title of what it began. */
  #show(element: HTMLButtonElement, isShown: boolean): void {
    const hadFocus = !isShown && document.activeElement === element
    element.hidden = !isShown
    if (hadFocus) this.#title.focus()
  }
}
