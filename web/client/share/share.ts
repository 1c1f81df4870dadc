/** What the page shows of a key: one file, one folder, or several of either; or why it shows nothing. */
import { parted } from '../../../key/refusal-words.ts'
import { Problem } from '../common/ask.ts'
import { button, fill, h, type IconName, icon, nameOf, plainName } from '../common/dom.ts'
import { count, moment, size } from '../common/format.ts'
import { keyInFragment, ours } from '../common/key.ts'
import { expiryOf, leftOf, type Session, showState } from '../common/session.ts'
import { common } from '../common/texts.ts'
import { attempt, download, downloadZip, spent } from './download.ts'
import { isFolder, type Listing, list, look, lookAtAll, titleOf } from './files.ts'
import { Folder } from './folder.ts'
import { kindOf, pictureOf } from './kinds.ts'
import { preview } from './preview.ts'
import { share } from './texts.ts'

export class Share {
  readonly #page: HTMLElement
  readonly #session: Session
  /** what the key opens, outermost */
  readonly #root: string
  /** until when, and how often; the same on every view, since they count on */
  readonly #limits: readonly (HTMLElement | undefined)[]
  /** how often another view was asked for: one that comes late is not shown any more */
  #turn = 0

  constructor(page: HTMLElement, session: Session) {
    this.#page = page
    this.#session = session
    this.#root = session.facts.paths[0] ?? ''
    this.#limits = [expiryOf(session), leftOf(session)]
  }

  /** Shows what the key opens. @throws Problem */
  async open(): Promise<void> {
    const { methods, paths } = this.#session.facts
    if (paths.length === 0) throw new Problem('path_not_granted')
    if (!methods.includes('GET') && !methods.includes('LIST')) {
      return this.#showNothing(methods.includes('PUT'))
    }
    this.#watch()
    this.#session.keeps = (problem) => this.#endWell(problem)
    const { folder } = history.state ?? {}
    await (this.#reaches(folder) ? this.#showFolder(folder) : this.#showTop())
  }

  /** @throws Problem */
  async #showTop(): Promise<void> {
    const { methods, paths } = this.#session.facts
    if (paths.length > 1) return this.#showSeveral(paths)
    if (!isFolder(this.#root)) return this.#showFile(this.#root)
    if (!methods.includes('LIST')) return this.#askName()
    await this.#showFolder(prefixOf(this.#root))
  }

  /** Whether a folder of the browser's history is one of this key's: another link may have left it. */
  #reaches(folder: unknown): folder is string {
    const { methods, paths } = this.#session.facts
    return (
      typeof folder === 'string' &&
      methods.includes('LIST') &&
      paths.some((path) => isFolder(path) && folder.startsWith(prefixOf(path)))
    )
  }

  /** What is left of the key is asked anew whenever somebody comes back to the page. */
  #watch(): void {
    const { signal } = this.#session
    const onReturn = (): void => {
      if (document.visibilityState === 'visible') this.#session.refreshSoon(0)
    }
    document.addEventListener('visibilitychange', onReturn, { signal })
    const onBack = ({ state }: PopStateEvent): void => {
      // another link was pasted: the page is about to open anew
      if (keyInFragment() !== this.#session.key) return
      this.#go(state?.folder, false)
    }
    window.addEventListener('popstate', onBack, { signal })
  }

  /** What was taken last is on its way: nothing went wrong. */
  #endWell({ code }: Problem): boolean {
    if (!this.#session.tookLast || !/^(?:uses|bytes)_exhausted$/.test(code)) return false
    this.#session.stop()
    const [title, advice] = parted(share.lastTaken)
    document.title = title
    showState(this.#page, ['check', 'good'], title, h('p', { class: 'muted' }, advice))
    return true
  }

  // ── folders ───────────────────────────────────────────────────────────────

  /** @param folder undefined: what the key opens */
  #go(folder: string | undefined, remember = true): void {
    if (remember) history.pushState({ folder }, '')
    void attempt(this.#session, async () => {
      await (this.#reaches(folder) ? this.#showFolder(folder) : this.#showTop())
      this.#focusTitle()
    })
  }

  /** Listing takes a use where uses are counted, so then it is asked for. @throws Problem */
  async #showFolder(folder: string): Promise<void> {
    const { uses } = this.#session.facts
    if (uses === undefined) return this.#list(folder)
    const show = (): void =>
      void attempt(this.#session, async () => {
        await this.#list(folder)
        spent(this.#session)
        this.#focusTitle()
      })
    const sentence = uses.left === 1 ? share.listSpendsLast : share.listSpends(count(uses.left))
    const zip = (): void =>
      void attempt(this.#session, () => downloadZip(this.#session, folder, []))
    this.#fill(
      titleOf(folder),
      'folder',
      [],
      h(
        'section',
        { class: 'card ask' },
        h('p', {}, sentence),
        h(
          'div',
          { class: 'buttons' },
          this.#mayGet &&
            folder !== '' &&
            button(share.downloadAll, zip, { image: 'archive', kind: 'primary' }),
          button(share.showList, show, { image: 'eye' }),
        ),
      ),
    )
  }

  /** @throws Problem */
  async #list(folder: string): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    const listing = await list(this.#session, folder)
    if (turn === this.#turn) this.#showListing(folder, listing)
  }

  /** So that what was gone to is read out. */
  #focusTitle(): void {
    this.#page.querySelector('h1')?.focus()
  }

  get #mayGet(): boolean {
    return this.#session.facts.methods.includes('GET')
  }

  #showListing(folder: string | undefined, listing: Listing): void {
    const folders = listing.entries.filter((entry) => entry.isFolder).length
    const files = listing.entries.length - folders
    const more = listing.next === undefined ? '' : '+'
    const view = new Folder(this.#session, {
      folder,
      listing,
      open: (inner) => this.#go(inner),
      reload: () => this.#go(folder, false),
    })
    const facts = [
      folders > 0 && fact('folder', share.folders(folders, count(folders) + more)),
      (files > 0 || folders === 0) && fact('file', common.files(files, count(files) + more)),
    ]
    const title = folder === undefined ? share.title : titleOf(folder)
    const crumbs = folder === undefined ? undefined : this.#crumbs(folder)
    const notice = this.#mayGet ? undefined : h('p', { class: 'notice' }, icon('eye'), share.noGet)
    this.#fill(title, 'folder', facts, notice, view.element, crumbs)
  }

  async #showSeveral(paths: readonly string[]): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    const entries = await lookAtAll(this.#session, paths)
    if (turn === this.#turn) this.#showListing(undefined, { entries, next: undefined })
  }

  /** The folders above this one, as far as the key reaches. */
  #crumbs(folder: string): HTMLElement | undefined {
    const { paths } = this.#session.facts
    const root = prefixOf(paths.find((path) => folder.startsWith(prefixOf(path))) ?? this.#root)
    const inner = folder.slice(root.length).split('/').slice(0, -1)
    if (inner.length === 0 && paths.length === 1) return undefined
    const above = [root, ...inner.map((_, at) => `${root}${inner.slice(0, at + 1).join('/')}/`)]
    const items = above.slice(0, -1).map((path) => this.#crumb(titleOf(path), () => this.#go(path)))
    return this.#trail(paths.length > 1 ? [this.#topCrumb(), ...items] : items)
  }

  /** Of many, the first and the last two; those between them on demand. */
  #trail(crumbs: readonly HTMLElement[]): HTMLElement {
    const trail = h('ol', { class: 'crumbs' }, ...crumbs)
    const [first, ...between] = crumbs.slice(0, -2)
    if (first !== undefined && between.length > 0) {
      const unfold = (): void => {
        first.after(...between)
        dots.remove()
        between[0]?.querySelector('button')?.focus()
      }
      const show = h(
        'button',
        { type: 'button', onclick: unfold, 'aria-label': share.between },
        '…',
      )
      const dots = h('li', {}, show)
      for (const crumb of between) crumb.remove()
      first.after(dots)
    }
    return h('nav', { 'aria-label': share.path }, trail)
  }

  #topCrumb(): HTMLElement {
    const isOne = this.#session.facts.paths.length === 1
    const name = isOne ? titleOf(prefixOf(this.#root)) : share.title
    return this.#crumb(name, () => this.#go(undefined))
  }

  #crumb(name: string, onclick: () => void): HTMLElement {
    return h('li', {}, h('button', { type: 'button', onclick }, nameOf(name)))
  }

  // ── one file ──────────────────────────────────────────────────────────────

  /** @throws Problem */
  async #showFile(path: string): Promise<void> {
    const session = this.#session
    if (!this.#mayGet) throw new Problem('method_not_granted')
    const entry = await look(session, path)
    const body = h('div', { class: 'stage' })
    const facts = [
      fact(pictureOf(entry), kindOf(entry)),
      fact('file', size(entry.size)),
      entry.modified > 0 && fact('calendar', moment(entry.modified)),
    ]
    const again = (): void =>
      void attempt(
        session,
        () => this.#showFile(path),
        () => this.#lost(),
      )
    const act = (action: () => Promise<void>): void => void attempt(session, action, again)
    const save = button(share.download, () => act(() => download(session, entry)), {
      image: 'download',
      kind: 'primary',
    })
    const view = h('section', { class: 'card one', 'aria-label': share.preview }, body)
    const buttons = h('div', { class: 'buttons' }, save)
    const back = path === this.#root ? undefined : this.#trail([this.#topCrumb()])
    this.#fill(entry.name, pictureOf(entry), facts, buttons, view, back)
    const fail = (error: unknown): void => act(() => Promise.reject(error))
    preview({ session, entry, body, signal: session.signal, fail })
  }

  #lost(): void {
    this.#session.stop()
    const sentence = new Problem('object_not_found').sentence
    showState(this.#page, ['file', 'warn'], sentence)
  }

  // ── what does not show ────────────────────────────────────────────────────

  #showNothing(mayPut: boolean): void {
    const url = ours('drop')
    url.hash = this.#session.key
    const go = mayPut
      ? h('a', { class: 'button primary', href: url.href }, icon('upload'), share.goToDrop)
      : undefined
    showState(this.#page, ['upload', ''], share.noRead, go)
  }

  /** Files that can be had, in a folder that is not shown. */
  #askName(): void {
    const input = h('input', {
      class: 'input',
      id: 'name',
      required: true,
      autocomplete: 'off',
      'aria-describedby': 'name-problem',
    })
    const onsubmit = (event: SubmitEvent): void => {
      event.preventDefault()
      const path = prefixOf(this.#root) + input.value.trim().replace(/^\/+/, '')
      void attempt(this.#session, async () => {
        if (!(await this.#finds(path))) return unknown()
        await this.#showFile(path)
        // so that the browser's own button leads back to the question
        history.pushState({}, '')
        this.#focusTitle()
      })
    }
    const trouble = h('p', { id: 'name-problem', class: 'notice bad', role: 'alert', hidden: true })
    const unknown = (): void => {
      input.setAttribute('aria-invalid', 'true')
      trouble.hidden = false
      trouble.textContent = share.noSuchName
      input.select()
    }
    const label = h('label', { for: 'name' }, share.noListLabel)
    const send = h('button', { class: 'button primary' }, share.noListOpen)
    showState(
      this.#page,
      ['folder', ''],
      titleOf(prefixOf(this.#root)),
      h('p', { class: 'muted' }, share.noList),
      h('form', { onsubmit }, label, input, trouble, send),
    )
  }

  /** Costs no use. @throws Problem any other than that it is not there */
  #finds(path: string): Promise<boolean> {
    return look(this.#session, path).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Problem && error.code === 'object_not_found') return false
        throw error
      },
    )
  }

  // ── the frame about all of it ─────────────────────────────────────────────

  #fill(
    title: string,
    picture: IconName,
    facts: readonly (HTMLElement | false)[],
    ...rest: readonly (HTMLElement | undefined)[]
  ): void {
    const { message } = this.#session.facts
    const crumbs = rest.find((element) => element?.localName === 'nav')
    document.title = plainName(title)
    const known = [...facts, ...this.#limits]
    fill(
      this.#page,
      crumbs,
      h(
        'header',
        { class: 'head' },
        h('div', { class: `tile large ${picture}` }, icon(picture)),
        h(
          'div',
          { class: 'what' },
          h('h1', { tabindex: -1 }, nameOf(title)),
          h('ul', { class: 'facts' }, ...known),
        ),
      ),
      message &&
        h(
          'figure',
          { class: 'message' },
          h('figcaption', { class: 'muted' }, common.messageLabel),
          h('blockquote', { dir: 'auto' }, message),
        ),
      ...rest.filter((element) => element !== crumbs),
    )
  }
}

const fact = (picture: IconName, text: string): HTMLElement =>
  h('li', { class: 'fact' }, icon(picture), h('span', {}, text))

/** The scope `/` is written without its slash where paths are. */
const prefixOf = (scope: string): string => (scope === '/' ? '' : scope)
