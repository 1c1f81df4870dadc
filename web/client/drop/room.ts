/** The open drop page: the queue, what feeds it, what it says, and what happens around it. */
import type { ObjectPath } from '../../../key/object-path.ts'
import type { Problem } from '../common/ask.ts'
import { fill, h, type IconName, icon, plainName } from '../common/dom.ts'
import { count } from '../common/format.ts'
import { ours } from '../common/key.ts'
import { say, tell, warn } from '../common/say.ts'
import { expiryOf, type Session } from '../common/session.ts'
import { drop, problems } from '../common/texts.ts'
import { Announcer } from './announcer.ts'
import { Arrived } from './arrived.ts'
import type { FileHandle, Picked } from './collect.ts'
import { type Item, isPending } from './item.ts'
import { foldersOf } from './limits.ts'
import { Memory, type Remembered, turnOf } from './memory.ts'
import { pinDialog } from './pin-dialog.ts'
import { QueueView } from './queue-view.ts'
import { Sender } from './sender.ts'
import { Uploads } from './uploads.ts'
import { Wake } from './wake.ts'
import { limitsOf, limitWords, problemWords } from './words.ts'
import { xhr } from './xhr.ts'
import { zoneOf } from './zone.ts'

/** Milliseconds that changes are gathered for before they are shown. */
const SHOWN_AFTER = 50

/** Milliseconds between two looks at how fast it goes. */
const TICK = 500

/** Whether something can still become of it. */
const isOpen = (state: Item['state']): boolean =>
  isPending(state) || state === 'chosen' || state === 'interrupted'

const now = (): number => performance.now()

export class Room {
  readonly #session: Session
  readonly #sender: Sender
  readonly #memory: Memory
  readonly #uploads: Uploads
  readonly #view: QueueView
  readonly #arrived: Arrived
  readonly #announcer: Announcer
  readonly #handles = new Map<string, FileHandle>()
  readonly #notice = h('p', { class: 'notice', role: 'status', hidden: true })
  readonly #zone: HTMLElement
  readonly #wake: Wake
  readonly #single: string | undefined
  readonly #limits = h('ul', { class: 'facts', 'aria-label': drop.limits })
  /** whether the page is for a single file */
  readonly #isOne: boolean
  readonly #expiry: HTMLElement
  #limitsSaid: string | undefined
  #isAsking = false
  readonly #seen = new Set<Item>()
  #isDue = false
  #hasEnded = false

  constructor(session: Session) {
    const { facts, key } = session
    const limits = limitsOf(facts)
    const [folder] = foldersOf(limits)
    this.#session = session
    this.#single = folder === undefined ? facts.paths[0] : undefined
    this.#isOne = limits.filesLeft === 1
    this.#expiry = expiryOf(session)
    this.#sender = new Sender(xhr, ours('..').href.replace(/\/$/, ''), key, now)
    this.#memory = new Memory(facts.id)
    this.#wake = new Wake(session.signal)
    this.#uploads = this.#queue(folder ?? '', limits)
    this.#announcer = new Announcer(say, (milliseconds, callback) =>
      setTimeout(callback, milliseconds),
    )
    this.#arrived = new Arrived(facts.id, () => session.now(), session.signal)
    const actions = {
      go: (item: Item) => void this.#go(item),
      remove: (item: Item) => this.#view.remove(item),
    }
    this.#view = new QueueView(this.#uploads, actions, now)
    this.#zone = zoneOf(limits, (picked) => this.#take(picked), session.signal)
  }

  /** Fills the page, and goes on with what was begun before a reload. */
  async open(page: HTMLElement): Promise<void> {
    const { facts } = this.#session
    document.title = this.#title
    fill(
      page,
      h(
        'div',
        { class: 'drop' },
        this.#header(),
        this.#notice,
        this.#zone,
        this.#view.element,
        this.#arrived.element,
      ),
    )
    this.#watch()
    const { signal } = this.#session
    await turnOf(facts.id, signal)
    if (signal.aborted) return
    for (const begun of await this.#memory.recall(Date.now())) await this.#restore(begun)
  }

  #header(): HTMLElement {
    const { facts } = this.#session
    return h(
      'header',
      { class: 'intro' },
      h('h1', { tabindex: -1 }, this.#title),
      h('p', { class: 'muted' }, this.#isOne ? drop.one.intro : drop.intro),
      facts.message !== undefined &&
        h(
          'figure',
          { class: 'message' },
          h('figcaption', { class: 'muted' }, drop.message),
          h('blockquote', { dir: 'auto' }, facts.message),
        ),
      this.#limits,
      this.#folders(),
    )
  }

  get #title(): string {
    return this.#isOne ? drop.one.title : drop.title
  }

  /** Less and less, as files arrive. */
  #showLimits(): void {
    const said = limitWords(this.#session.facts, this.#uploads.left, this.#isOne)
    const text = said.map(({ words }) => words).join('\n')
    if (text === this.#limitsSaid) return
    this.#limitsSaid = text
    const limits = said.map(({ picture, words }) =>
      h('li', { class: 'fact' }, icon(picture), h('span', {}, words)),
    )
    fill(this.#limits, ...limits, this.#expiry)
  }

  /** A key for several folders lets the person say into which. */
  #folders(): HTMLElement | undefined {
    const folders = foldersOf(this.#session.facts)
    if (folders.length < 2) return undefined
    const onchange = (event: Event): void => {
      this.#uploads.folder = (event.target as HTMLSelectElement).value
    }
    const options = folders.map((folder) => h('option', { value: folder }, plainName(folder)))
    return h(
      'label',
      { class: 'into' },
      drop.folder,
      h('select', { class: 'input', onchange }, ...options),
    )
  }

  #queue(folder: string, limits: ReturnType<typeof limitsOf>): Uploads {
    return new Uploads(folder, limits, {
      send: (item, listener, signal) => this.#sender.send(item, listener, signal),
      find: (upload, signal) => this.#sender.find(upload, signal),
      now,
      later: (milliseconds, callback) => {
        const timer = setTimeout(callback, milliseconds)
        return () => clearTimeout(timer)
      },
      random: Math.random,
      changed: (item) => this.#changed(item),
      remember: (item) => void this.#remember(item),
      forget: (upload) => void this.#sender.forget(upload),
      pinNeeded: () => void this.#askPin(),
    })
  }

  // ── files come in ─────────────────────────────────────────────────────────

  #take(picked: readonly Picked[]): void {
    if (this.#hasEnded) {
      warn(drop.closed)
      return
    }
    const taken = picked.flatMap(({ file, relative, handle }) => {
      const item =
        this.#single === undefined
          ? this.#uploads.add(file, relative)
          : this.#uploads.addAs(file, this.#single as ObjectPath)
      if (item !== undefined && handle !== undefined) this.#handles.set(item.fingerprint, handle)
      return item ?? []
    })
    if (picked.length > 0 && taken.length === 0) this.#announcer.say(drop.nothingNew)
    const refused = taken.filter(({ state }) => state === 'refused').length
    const words = [
      taken.length > 0 && drop.added(taken.length, count(taken.length)),
      refused > 0 && drop.refused(refused, count(refused)),
    ]
    if (taken.length > 0) this.#announcer.say(words.filter(Boolean).join(' '))
  }

  /** By itself where the browser lets the page read the file again; else the person says so. */
  async #restore(begun: Remembered): Promise<void> {
    const found = await this.#sender.find(begun.upload)
    if (found === 'gone') return this.#memory.drop(begun.fingerprint)
    const item = this.#uploads.restore(begun, found)
    if (begun.handle === undefined) return
    this.#handles.set(begun.fingerprint, begun.handle)
    const permission = await begun.handle.queryPermission?.({ mode: 'read' })
    if (permission === 'granted') await this.#readAgain(item, begun.handle)
  }

  /** The file may have been changed meanwhile: then what is there of it is of no use. */
  async #readAgain(item: Item, handle: FileHandle): Promise<void> {
    const file = await handle.getFile().catch(() => undefined)
    const isSame =
      file !== undefined && item.fingerprint.startsWith(`${file.size}-${file.lastModified}-`)
    if (isSame) this.#uploads.provide(item, file)
    else warn(drop.fileChanged(item.name))
  }

  // ── what people do ────────────────────────────────────────────────────────

  async #go(item: Item): Promise<void> {
    if (item.state === 'interrupted') return this.#continue(item)
    const isPause = item.state === 'uploading' || item.state === 'waiting'
    this.#uploads.act(item, isPause ? 'pause' : 'resume')
  }

  async #continue(item: Item): Promise<void> {
    const handle = this.#handles.get(item.fingerprint)
    const permission = await handle?.requestPermission?.({ mode: 'read' })
    if (handle !== undefined && permission === 'granted') return this.#readAgain(item, handle)
    const input = h('input', { type: 'file' })
    input.addEventListener('change', () => {
      const [file] = input.files ?? []
      if (file === undefined) return
      const parts = item.name.split('/').slice(0, -1)
      const known = this.#uploads.add(file, [...parts, file.name].join('/'))
      if (known !== item) warn(drop.otherFile(item.name))
    })
    input.click()
  }

  /** Whoever closes it without a PIN is asked again when they go on. */
  async #askPin(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    const isProven = await pinDialog(this.#session.key)
    this.#isAsking = false
    if (!isProven) this.#uploads.actOnAll('pause', ['waiting', 'uploading'])
    this.#uploads.release()
  }

  // ── what happens ──────────────────────────────────────────────────────────

  #changed(item: Item | undefined): void {
    if (item !== undefined) this.#tellOf(item)
    if (this.#isDue) return
    this.#isDue = true
    setTimeout(() => {
      this.#isDue = false
      this.#update()
    }, SHOWN_AFTER)
  }

  #update(): void {
    const { items } = this.#uploads
    this.#view.update()
    this.#arrived.update(this.#hasAll())
    this.#zone.classList.toggle('small', items.length > 0)
    this.#wake.keep(items.some(({ state }) => state === 'uploading'))
    this.#showLimits()
    this.#showNotice()
    this.#arrange()
  }

  /**
   * Once nothing is on its way, what arrived is told before what did not, to whoever waited for it;
   * who is about something else stays there.
   */
  #arrange(): void {
    const { items } = this.#uploads
    const [arrived, queue] = [this.#arrived.element, this.#view.element]
    const isOver = this.#arrived.count > 0 && items.every(({ state }) => !isOpen(state))
    const [first, second] = isOver ? [arrived, queue] : [queue, arrived]
    if (first.nextElementSibling === second) return
    const { activeElement } = document
    const isWaiting = activeElement === document.body || activeElement?.id === 'queue-title'
    first.after(second)
    if (isOver && isWaiting && items.length > 0) this.#arrived.focus()
    else if (activeElement instanceof HTMLElement) activeElement.focus()
  }

  /** Once per item and outcome: what arrived goes to the receipt, what failed is said. */
  #tellOf(item: Item): void {
    if (item.state === 'failed' && item.problem !== undefined) {
      this.#announcer.say(drop.failedOne(item.name, problemWords(item.problem)))
    }
    if (item.state !== 'done' || item.stored === undefined || this.#seen.has(item)) return
    this.#seen.add(item)
    const name = item.stored.path.slice(
      item.folder?.length ?? item.stored.path.lastIndexOf('/') + 1,
    )
    const isRenamed = item.folder !== undefined && name !== item.name
    this.#arrived.add({ ...item.stored, name, ...(isRenamed && { sentAs: item.name }) })
    const total = this.#arrived.count
    const all = drop.allArrived(total, count(total))
    this.#announcer.say(this.#hasAll() ? all : drop.arrivedNamed(name))
  }

  #hasAll(): boolean {
    return this.#uploads.items.every(({ state }) => state === 'done' || state === 'cancelled')
  }

  /** What holds for all of the page; undefined while everything is as it should be. */
  #noticeOf(): readonly [IconName, string] | undefined {
    const { online, filesLeft, items } = this.#uploads
    if (!online) return ['offline', drop.offline]
    if (this.#hasEnded) return ['clock', drop.endedWhileOpen]
    const isUsedUp = filesLeft === 0 && items.every(({ state }) => !isOpen(state))
    return isUsedUp ? ['check', problems.files_exhausted] : undefined
  }

  #showNotice(): void {
    this.#zone.hidden = this.#hasEnded || this.#uploads.filesLeft === 0
    const notice = this.#noticeOf()
    this.#notice.hidden = notice === undefined
    this.#notice.classList.toggle('good', notice?.[0] === 'check' && this.#arrived.count > 0)
    if (notice === undefined || this.#notice.textContent === notice[1]) return
    fill(this.#notice, icon(notice[0]), h('span', {}, notice[1]))
  }

  async #remember(item: Item): Promise<void> {
    const { upload, fingerprint } = item
    if (upload === undefined) return this.#memory.drop(fingerprint)
    await this.#memory.keep({ ...item, upload }, this.#handles.get(fingerprint), Date.now())
  }

  // ── around ────────────────────────────────────────────────────────────────

  #watch(): void {
    const { signal } = this.#session
    const look = (): void => {
      const was = this.#uploads.online
      this.#uploads.online = navigator.onLine
      if (!was && navigator.onLine) tell(drop.onlineAgain)
    }
    window.addEventListener('online', look, { signal })
    window.addEventListener('offline', look, { signal })
    window.addEventListener('beforeunload', (event) => this.#guard(event), { signal })
    const timer = setInterval(() => this.#view.tick(), TICK)
    signal.addEventListener('abort', () => {
      clearInterval(timer)
      this.#uploads.actOnAll('pause')
    })
    this.#session.keeps = (problem) => this.#end(problem)
    look()
    this.#update()
  }

  /** What runs goes on to its end, and the receipt stays: the page is not taken away by the clock. */
  #end(problem: Problem): boolean {
    if (problem.code !== 'key_expired') return false
    this.#hasEnded = true
    this.#view.closed = drop.closed
    this.#update()
    return true
  }

  #guard(event: BeforeUnloadEvent): void {
    const isLost = ({ state }: Item): boolean =>
      isPending(state) || (state === 'chosen' && !this.#hasEnded)
    if (this.#uploads.items.some(isLost)) event.preventDefault()
  }
}
