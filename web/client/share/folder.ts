/** A folder: its files in a list that can be searched, sorted, chosen from, and looked at. */
import { button, fill, h, type IconName, icon, nameOf, plainName } from '../common/dom.ts'
import { count, day, size } from '../common/format.ts'
import { say } from '../common/say.ts'
import type { Session } from '../common/session.ts'
import { common } from '../common/texts.ts'
import { attempt, download, downloadZip } from './download.ts'
import { type Entry, found, type Listing, list, ORDER_NAMES, type Order, sorted } from './files.ts'
import { pictureOf } from './kinds.ts'
import { share } from './texts.ts'
import { openViewer } from './viewer.ts'

/** Rows that are shown at once; more on demand. */
const ROWS = 200

export interface FolderOptions {
  /** with a slash at its end, or empty: everything; undefined: what a key of several paths opens */
  readonly folder: string | undefined
  readonly listing: Listing
  readonly open: (folder: string) => void
  /** reads the folder anew */
  readonly reload: () => void
}

/** The list of one folder, and what can be done with it. */
export class Folder {
  readonly element = h('div', { class: 'folder' })
  readonly #session: Session
  readonly #options: FolderOptions
  readonly #rows = h('ul', { class: 'rows card' })
  readonly #below = h('div', { class: 'below' })
  readonly #bar = h('div', { class: 'selection card', role: 'group', hidden: true })
  readonly #chosen = new Set<Entry>()
  readonly #mayDownload: boolean
  #entries: readonly Entry[]
  #next: string | undefined
  #text = ''
  #order: Order = 'name'
  #most = ROWS
  #isZipping = false
  #isLoading = false

  constructor(session: Session, options: FolderOptions) {
    this.#session = session
    this.#options = options
    this.#entries = options.listing.entries
    this.#next = options.listing.next
    this.#mayDownload = session.facts.methods.includes('GET')
    const isEmpty = this.#entries.length === 0 && this.#next === undefined
    fill(
      this.element,
      isEmpty ? emptiness(share.nothingHere) : this.#tools(),
      isEmpty ? undefined : this.#rows,
      this.#below,
      this.#bar,
    )
    if (!isEmpty) this.#draw()
  }

  get #mayZip(): boolean {
    return this.#mayDownload && Boolean(this.#options.folder)
  }

  #tools(): HTMLElement {
    const search = h('input', {
      class: 'input',
      type: 'search',
      placeholder: share.search,
      'aria-label': share.search,
      oninput: () => {
        this.#text = search.value
        this.#most = ROWS
        this.#draw()
        this.#sayFound()
      },
    })
    const order = h(
      'select',
      {
        class: 'input',
        'aria-label': share.sort,
        onchange: () => {
          this.#order = order.value as Order
          this.#draw()
        },
      },
      ...ORDER_NAMES.map((name) => h('option', { value: name }, share[name])),
    )
    const all = this.#mayZip
      ? button(share.downloadAll, () => this.#zip([]), { image: 'archive', kind: 'primary' })
      : undefined
    const field = h('div', { class: 'search' }, icon('search'), search)
    return h('div', { class: 'tools', role: 'search' }, field, order, all)
  }

  readonly #shown = (): readonly Entry[] => sorted(found(this.#entries, this.#text), this.#order)

  #draw(): void {
    const shown = this.#shown()
    const files = shown.filter(({ isFolder }) => !isFolder)
    fill(this.#rows, ...shown.slice(0, this.#most).map((entry) => this.#row(entry, files)))
    this.#rows.hidden = shown.length === 0
    const isSearched = this.#text.trim() !== ''
    const isCut = this.#next !== undefined
    const none = isCut ? share.foundNotYet(this.#text) : share.nothingFound(this.#text)
    const rest = isSearched ? this.#searchedOnly() : share.truncated
    fill(
      this.#below,
      shown.length === 0 && isSearched && emptiness(none),
      isCut && h('p', { class: 'muted' }, rest),
      (shown.length > this.#most || (isCut && !isSearched)) &&
        button(share.more, () => void this.#more()),
      isCut &&
        isSearched &&
        button(share.searchRest, () => void this.#searchRest(), { image: 'search', kind: 'rest' }),
    )
  }

  readonly #searchedOnly = (): string => share.searchedOnly(count(this.#entries.length))

  #sayFound(): void {
    const { length } = this.#shown()
    const rest = this.#next === undefined ? '' : this.#searchedOnly()
    say(`${share.found(length, count(length))} ${rest}`.trim())
  }

  async #more(): Promise<void> {
    const before = new Set(this.#inSight())
    if (this.#shown().length <= this.#most) await this.#loading(() => this.#load())
    this.#most += ROWS
    this.#draw()
    this.#focusNew(before)
  }

  /** Page after page, while it is the same that is sought; one only where each takes a use. */
  async #searchRest(): Promise<void> {
    const before = new Set(this.#inSight())
    const text = this.#text
    await this.#loading(async () => {
      do {
        const isPressed = document.activeElement?.matches('.rest')
        await this.#load()
        this.#draw()
        if (isPressed) this.#below.querySelector<HTMLElement>('.rest')?.focus()
      } while (
        this.#next !== undefined &&
        this.#text === text &&
        this.element.isConnected &&
        this.#session.facts.uses === undefined
      )
    })
    if (document.activeElement === document.body) this.#focusNew(before)
    this.#sayFound()
  }

  /** One at a time, or what is listed next would be there twice. */
  async #loading(load: () => Promise<void>): Promise<void> {
    if (this.#isLoading) return
    this.#isLoading = true
    await attempt(this.#session, load)
    this.#isLoading = false
  }

  /** What the gateway lists next. @throws Problem */
  async #load(): Promise<void> {
    const { folder } = this.#options
    if (this.#next === undefined || folder === undefined) return
    const page = await list(this.#session, folder, this.#next)
    this.#entries = [...this.#entries, ...page.entries]
    this.#next = page.next
  }

  readonly #inSight = (): readonly Entry[] => this.#shown().slice(0, this.#most)

  /** The button that was pressed has gone: the first row that has come gets the focus. */
  #focusNew(before: ReadonlySet<Entry>): void {
    const at = this.#inSight().findIndex((entry) => !before.has(entry))
    this.#focusRow(at, '.name')
  }

  #focusRow(at: number, part: string): void {
    const row = this.#rows.children[at]
    const target =
      row?.querySelector<HTMLElement>(part) ?? this.#below.querySelector('button') ?? this.#below
    if (target.localName !== 'button' && target.localName !== 'input') target.tabIndex = -1
    target.focus()
  }

  #row(entry: Entry, files: readonly Entry[]): HTMLElement {
    const { isFolder, modified } = entry
    const name = plainName(entry.name)
    const picture: IconName = pictureOf(entry)
    const label = isFolder ? share.open(name) : share.previewNamed(name)
    const look = (): void =>
      isFolder
        ? this.#options.open(entry.path)
        : openViewer(this.#session, files, entry, this.#options.reload)
    const canOpen = isFolder || this.#mayDownload
    const title = canOpen
      ? h(
          'button',
          { type: 'button', class: 'name', 'aria-label': label, onclick: look },
          nameOf(entry.name),
        )
      : h('span', { class: 'name' }, nameOf(entry.name))
    return h(
      'li',
      { class: 'row' },
      this.#mayZip && this.#checkbox(entry, name),
      h('div', { class: `tile ${picture}` }, icon(picture)),
      h(
        'div',
        { class: 'what' },
        title,
        h(
          'p',
          { class: 'muted tabular' },
          h('span', {}, isFolder ? share.kinds.folder : size(entry.size)),
          modified > 0 &&
            h('time', { datetime: new Date(modified * 1000).toISOString() }, day(modified)),
        ),
      ),
      !isFolder && this.#mayDownload
        ? this.#downloadButton(entry, name)
        : h('div', { class: 'enters' }, isFolder && icon('arrow')),
    )
  }

  #downloadButton(entry: Entry, name: string): HTMLElement {
    const act = (): void =>
      void attempt(this.#session, () => download(this.#session, entry), this.#options.reload)
    return button(share.downloadNamed(name), act, { image: 'download', kind: 'bare' })
  }

  #checkbox(entry: Entry, name: string): HTMLElement {
    const box = h('input', {
      type: 'checkbox',
      'aria-label': share.select(name),
      onchange: () => {
        if (box.checked) this.#chosen.add(entry)
        else this.#chosen.delete(entry)
        this.#drawSelection()
      },
    })
    box.checked = this.#chosen.has(entry)
    return h('label', { class: 'choice' }, box)
  }

  /** What is chosen stays so while somebody searches on. */
  #drawSelection(): void {
    const chosen = [...this.#chosen]
    const bytes = chosen.reduce((sum, entry) => sum + entry.size, 0)
    const hasFolder = chosen.some(({ isFolder }) => isFolder)
    this.#bar.hidden = chosen.length === 0
    fill(
      this.#bar,
      h(
        'p',
        { class: 'tabular', role: 'status' },
        h('span', {}, share.selected(chosen.length, count(chosen.length))),
        !hasFolder && h('span', { class: 'muted' }, size(bytes)),
      ),
      button(share.downloadSelected, () => this.#takeChosen(chosen), {
        image: 'download',
        kind: 'primary',
      }),
      button(common.cancel, () => this.#clear(), { image: 'close', kind: 'bare' }),
    )
  }

  #takeChosen(chosen: readonly Entry[]): void {
    const [only, second] = chosen
    if (only !== undefined && second === undefined && !only.isFolder) {
      void attempt(this.#session, () => download(this.#session, only), this.#options.reload)
    } else this.#zip(chosen.map(({ name, isFolder }) => (isFolder ? `${name}/` : name)))
  }

  #clear(): void {
    const last = [...this.#chosen].at(-1)
    this.#chosen.clear()
    this.#bar.hidden = true
    this.#draw()
    const at = this.#inSight().indexOf(last as Entry)
    this.#focusRow(Math.max(at, 0), '.choice input')
  }

  /** One at a time: finding out what is in a large folder takes the gateway a while. */
  #zip(names: readonly string[]): void {
    if (this.#isZipping) return
    this.#isZipping = true
    const { folder = '' } = this.#options
    void attempt(this.#session, () => downloadZip(this.#session, folder, names)).then(() => {
      this.#isZipping = false
    })
  }
}

const emptiness = (sentence: string): HTMLElement =>
  h(
    'div',
    { class: 'empty' },
    h('div', { class: 'tile large folder' }, icon('folder')),
    h('p', { class: 'muted' }, sentence),
  )
