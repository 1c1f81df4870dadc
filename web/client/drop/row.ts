/** One file in the list: what it is, how far it is, and what can be done about it. */
import { button, fill, h, type IconName, icon, nameOf, plainName } from '../common/dom.ts'
import { size } from '../common/format.ts'
import { common, drop } from '../common/texts.ts'
import type { Item, State } from './item.ts'
import { shareOf, stateWords } from './words.ts'

export interface RowActions {
  /** pause, resume or retry, whatever the state asks for */
  go(item: Item): void
  remove(item: Item): void
}

/** The one thing that goes on with an item, where there is one. */
const GO: { readonly [S in State]?: readonly [IconName, (name: string) => string] } = {
  waiting: ['pause', drop.pauseNamed],
  uploading: ['pause', drop.pauseNamed],
  paused: ['play', drop.resumeNamed],
  retrying: ['retry', drop.retryNamed],
  failed: ['retry', drop.retryNamed],
  interrupted: ['play', drop.resumeNamed],
}

/** Trying these again would end the same. */
const FINAL: ReadonlySet<string> = new Set([
  'type_mismatch',
  'type_not_granted',
  'content_refused',
  'digest_mismatch',
  'too_large',
  'too_small',
  'path_not_granted',
  'path_malformed',
  'object_exists',
  'key_revoked',
  'key_expired',
  'uses_exhausted',
  'files_exhausted',
  'bytes_exhausted',
])

const PICTURES: { readonly [S in State]?: IconName } = {
  paused: 'pause',
  retrying: 'clock',
  failed: 'warning',
  refused: 'warning',
  interrupted: 'clock',
}

const hasBar = (state: State): boolean =>
  state === 'uploading' || state === 'paused' || state === 'retrying' || state === 'interrupted'

export class Row {
  readonly element: HTMLLIElement
  readonly #item: Item
  readonly #picture = h('span', { class: 'picture' })
  readonly #state = h('span', { class: 'words' })
  readonly #bar: HTMLProgressElement
  readonly #go: HTMLButtonElement
  readonly #remove: HTMLButtonElement
  #shown: State | undefined

  constructor(item: Item, actions: RowActions) {
    this.#item = item
    const name = plainName(item.name)
    this.#bar = h('progress', { max: 1, 'aria-label': drop.progressOf(name) })
    this.#go = button('', () => actions.go(item), { kind: 'bare' })
    this.#remove = button(drop.removeNamed(name), () => actions.remove(item), {
      kind: 'bare',
      image: 'close',
      title: common.cancel,
    })
    this.element = h(
      'li',
      { class: 'row' },
      this.#picture,
      h(
        'div',
        { class: 'about' },
        h('span', { class: 'name', title: name }, nameOf(item.name)),
        h('span', { class: 'muted tabular' }, size(item.size), ' · ', this.#state),
        this.#bar,
      ),
      h('div', { class: 'actions' }, this.#go, this.#remove),
    )
  }

  /**
   * @param now on the clock of the queue
   * @param isOpen whether what is chosen can still be sent
   */
  update(now: number, isOpen: boolean): void {
    const item = this.#item
    const words = isOpen || item.state !== 'chosen' ? stateWords(item, now) : drop.failed
    if (this.#state.textContent !== words) this.#state.textContent = words
    this.#bar.value = shareOf(item)
    if (item.state === this.#shown) return
    this.#shown = item.state
    this.element.dataset.state = item.state
    this.#bar.hidden = !hasBar(item.state)
    fill(this.#picture, icon(PICTURES[item.state] ?? 'file'))
    const go = item.problem && FINAL.has(item.problem.code) ? undefined : GO[item.state]
    this.#go.hidden = go === undefined
    if (go !== undefined) {
      const label = go[1](plainName(item.name))
      // the same button, so that whoever pressed it is still there
      fill(this.#go, icon(go[0]), h('span', {}, label))
    }
  }

  /** Puts the focus where it can stay when this row goes. */
  focus(): void {
    this.#remove.focus()
  }
}
