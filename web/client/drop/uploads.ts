/** The queue: what waits, what runs, what is tried again and when. Knows no page and no network. */
import type { ObjectPath } from '../../../key/object-path.ts'
import {
  type Event,
  FRESH,
  fingerprintOf,
  type Item,
  isPending,
  nextState,
  type Problem,
  type Source,
  type State,
  type Stored,
} from './item.ts'
import { type Limits, objectionTo, type Promised, UNKNOWN_TYPE } from './limits.ts'
import { freshPath, isLitter, pathIn, tidyName } from './names.ts'
import { delayBefore } from './pace.ts'
import type { Listener } from './sender.ts'
import type { Begun, Surroundings } from './surroundings.ts'
import { Trouble } from './wire.ts'

/** Files that are sent at the same time; a browser has six connections to one host. */
const PARALLEL = 3

/** Tries in a row without a byte moving before a person is asked. */
const MOST_ATTEMPTS = 10

/** With these no other file would be let in either. */
const ENDS_ALL: ReadonlySet<string> = new Set([
  'key_expired',
  'key_revoked',
  'uses_exhausted',
  'files_exhausted',
])

/** With these nothing is sent before a person has said the PIN. */
const NEEDS_PIN: ReadonlySet<string> = new Set(['pin_required', 'pin_wrong'])

const willCome = ({ state }: Item): boolean =>
  state === 'chosen' || state === 'done' || isPending(state)

export class Uploads {
  readonly items: Item[] = []
  /** the folder that what is added goes into */
  folder: string
  limits: Limits
  readonly #around: Surroundings
  readonly #running = new Map<Item, AbortController>()
  /** what calls off a retry, or a look at what is there */
  readonly #timers = new Map<Item, () => void>()
  readonly #taken = new Set<string>()
  /** what the last answer on the key already knew of */
  readonly #counted = new Set<Item>()
  readonly #known = new Map<string, Item>()
  #online = true
  #held = false
  #gathering = 0
  #nextId = 1

  constructor(folder: string, limits: Limits, around: Surroundings) {
    this.folder = folder
    this.limits = limits
    this.#around = around
  }

  // ── what is chosen ────────────────────────────────────────────────────────

  /**
   * Takes a file into the list. Undefined where there is nothing to take: it is in the list, or one
   * of those that systems leave behind. One that was interrupted goes on.
   * @param relative its name, with the folders that were chosen or dropped with it
   */
  add(source: Source, relative: string): Item | undefined {
    if (isLitter(relative)) return undefined
    const name = tidyName(relative)
    const known = this.#known.get(fingerprintOf(name, source))
    if (known?.state === 'interrupted') {
      known.source = source
      this.act(known, 'resume')
      return known
    }
    if (known !== undefined && known.state !== 'cancelled') return undefined
    const item = this.#itemOf(name, source)
    const objection = objectionTo(
      { ...item, path: pathIn(this.folder, name) },
      this.limits,
      this.#promised(),
    )
    if (objection !== undefined) [item.state, item.problem] = ['refused', objection]
    else this.#taken.add(item.path)
    this.#enlist(item)
    return item
  }

  /** The one place that a key for a single object lets a file go to. */
  addAs(source: Source, path: ObjectPath): Item {
    const item: Item = { ...this.#itemOf(tidyName(source.name), source), path, folder: undefined }
    const objection = objectionTo({ ...item, path }, this.limits, this.#promised())
    if (objection !== undefined) [item.state, item.problem] = ['refused', objection]
    this.#enlist(item)
    return item
  }

  /** Puts what was begun before a reload into the list. @param kept bytes that are there already */
  restore(begun: Begun, kept = 0): Item {
    const item: Item = {
      ...FRESH,
      ...begun,
      sent: kept,
      kept,
      id: this.#nextId++,
      state: 'interrupted',
    }
    this.#taken.add(item.path)
    this.#counted.add(item)
    this.#enlist(item)
    return item
  }

  /** The file of an interrupted item, found again. */
  provide(item: Item, source: Source): void {
    item.source = source
    this.act(item, 'resume')
  }

  /** How many more files could be let in; undefined where nobody counts. */
  get filesLeft(): number | undefined {
    const { filesLeft } = this.limits
    return filesLeft === undefined ? undefined : Math.max(0, filesLeft - this.#promised().files)
  }

  /** What may still come in when all that arrived is counted; what is yet to be sent is not. */
  get left(): Limits {
    const arrived = this.#promised(({ state }) => state === 'done')
    const { filesLeft, bytesLeft } = this.limits
    return {
      ...this.limits,
      filesLeft: filesLeft && Math.max(0, filesLeft - arrived.files),
      bytesLeft: bytesLeft && Math.max(0, bytesLeft - arrived.bytes),
    }
  }

  // ── what people do ────────────────────────────────────────────────────────

  /** Whether the event meant something in the state that the item is in. */
  act(item: Item, event: Event): boolean {
    const state = nextState(item.state, event)
    if (state === undefined || (event === 'resume' && item.source === undefined)) return false
    item.state = state
    if (event === 'resume' || event === 'send') [item.attempts, item.problem] = [0, undefined]
    this.#timers.get(item)?.()
    this.#timers.delete(item)
    item.retryAt = undefined
    if (state !== 'uploading') this.#stop(item)
    if (state !== 'uploading' && state !== 'done') item.sent = item.kept
    if (state === 'cancelled') this.#letGo(item)
    if (state === 'paused' && item.upload !== undefined) void this.#look(item, item.upload)
    this.#around.changed(item)
    this.#pump()
    return true
  }

  /** The same to every item for which it means something. */
  actOnAll(event: Event, states?: readonly State[]): void {
    this.#together(() => {
      for (const item of [...this.items]) {
        if (states === undefined || states.includes(item.state)) this.act(item, event)
      }
    })
  }

  /** Takes what is over and did not arrive out of the list. */
  clear(item: Item): void {
    this.act(item, 'cancel')
    const index = this.items.indexOf(item)
    if (item.state === 'cancelled' && index >= 0) this.items.splice(index, 1)
    this.#around.changed(undefined)
  }

  // ── what happens around ───────────────────────────────────────────────────

  get online(): boolean {
    return this.#online
  }

  set online(online: boolean) {
    if (online === this.#online) return
    this.#online = online
    if (online) this.actOnAll('resume', ['retrying'])
    else this.#waitForNetwork()
    this.#around.changed(undefined)
  }

  #waitForNetwork(): void {
    for (const item of [...this.#running.keys()]) this.#stumble(item, { code: 'offline' })
    for (const item of this.#timers.keys()) item.retryAt = undefined
  }

  /** Goes on after a PIN was accepted. */
  release(): void {
    this.#held = false
    this.#pump()
  }

  // ── sending ───────────────────────────────────────────────────────────────

  /** Nothing new is begun before all of it has happened: the order of the list is kept. */
  #together(happen: () => void): void {
    this.#gathering += 1
    happen()
    this.#gathering -= 1
    this.#pump()
  }

  #pump(): void {
    while (this.#gathering === 0 && !this.#held && this.#online && this.#running.size < PARALLEL) {
      const item = this.items.find(({ state }) => state === 'waiting')
      if (item === undefined) return
      item.state = 'uploading'
      const controller = new AbortController()
      this.#running.set(item, controller)
      this.#around.changed(item)
      void this.#run(item, controller)
    }
  }

  async #run(item: Item, controller: AbortController): Promise<void> {
    const isCurrent = (): boolean => this.#running.get(item) === controller
    try {
      const listener = this.#listenerOf(item, isCurrent)
      const stored = await this.#around.send(item, listener, controller.signal)
      if (isCurrent()) this.#finish(item, stored)
    } catch (error) {
      if (isCurrent()) this.#fail(item, error)
    }
  }

  /** An upload that was called off may still have something to say; it is not listened to. */
  #listenerOf(item: Item, isCurrent: () => boolean): Listener {
    return {
      onSent: (bytes) => {
        if (!isCurrent() || bytes === item.sent) return
        item.sent = bytes
        this.#around.changed(item)
      },
      onKept: (bytes) => {
        if (!isCurrent()) return
        if (bytes > item.kept) item.attempts = 0
        item.kept = bytes
        item.sent = bytes
        this.#around.changed(item)
      },
      onUpload: (id) => {
        item.upload = id
        this.#around.remember(item)
      },
      rename: () => {
        if (item.folder === undefined) return undefined
        const path = freshPath(`${item.folder}${item.name}`, (taken) => this.#taken.has(taken))
        this.#taken.add(path)
        return path
      },
    }
  }

  #finish(item: Item, stored: Stored): void {
    item.stored = stored
    item.sent = item.size
    item.upload = undefined
    this.#around.remember(item)
    this.act(item, 'finish')
  }

  #fail(item: Item, error: unknown): void {
    const trouble = error instanceof Trouble ? error : new Trouble('internal')
    const problem = { code: trouble.code, detail: trouble.detail }
    if (NEEDS_PIN.has(trouble.code)) {
      this.#held = true
      this.act(item, 'hold')
      this.#around.pinNeeded(trouble.code)
    } else if (trouble.mayPass && item.attempts + 1 < MOST_ATTEMPTS) {
      item.attempts += 1
      this.#stumble(item, problem)
      this.#retryIn(item, delayBefore(item.attempts, this.#around.random(), trouble.retryAfter))
    } else {
      if (trouble.status !== undefined && trouble.status < 500) this.#abandon(item)
      this.#together(() => {
        this.#giveUp(item, problem)
        if (ENDS_ALL.has(trouble.code)) this.#endAll(problem)
      })
    }
  }

  #retryIn(item: Item, delay: number): void {
    item.retryAt = this.#around.now() + delay
    const cancel = this.#around.later(delay, () => this.#again(item))
    this.#timers.set(item, cancel)
    this.#around.changed(item)
  }

  #stumble(item: Item, problem: Problem): void {
    item.problem = problem
    this.act(item, 'stumble')
  }

  /** Like a person who resumes it, but the tries before are not forgotten. */
  #again(item: Item): void {
    const { attempts } = item
    if (this.#online && this.act(item, 'resume')) item.attempts = attempts
  }

  #giveUp(item: Item, problem: Problem): void {
    item.problem = problem
    this.act(item, 'fail')
  }

  /** What the server already holds a part of may be let in nevertheless: it is asked. */
  #endAll(problem: Problem): void {
    for (const item of this.items) {
      if (item.state === 'waiting' && item.upload === undefined) this.#giveUp(item, problem)
    }
  }

  /** Of a piece that a pause has cut, the server keeps what had arrived: it may be the last one. */
  async #look(item: Item, upload: string): Promise<void> {
    const controller = new AbortController()
    this.#timers.set(item, () => controller.abort())
    const kept = await this.#around.find(upload, controller.signal)
    if (controller.signal.aborted || typeof kept !== 'number') return
    ;[item.kept, item.sent] = [kept, kept]
    if (kept < item.size) this.#around.changed(item)
    else this.act(item, 'resume')
  }

  #stop(item: Item): void {
    const controller = this.#running.get(item)
    this.#running.delete(item)
    controller?.abort()
  }

  // ── bookkeeping ───────────────────────────────────────────────────────────

  #itemOf(name: string, source: Source): Item {
    const path = freshPath(`${this.folder}${name}`, (taken) => this.#taken.has(taken))
    return {
      ...FRESH,
      id: this.#nextId++,
      fingerprint: fingerprintOf(name, source),
      name,
      folder: this.folder,
      path,
      size: source.size,
      type: source.type || UNKNOWN_TYPE,
      source,
    }
  }

  #enlist(item: Item): void {
    this.items.push(item)
    this.#known.set(item.fingerprint, item)
    this.#around.changed(item)
  }

  #letGo(item: Item): void {
    this.#taken.delete(item.path)
    if (item.upload !== undefined) this.#around.forget(item.upload)
    this.#abandon(item)
  }

  /** What the server has of it is of no use any more. */
  #abandon(item: Item): void {
    item.kept = 0
    if (item.upload === undefined) return
    item.upload = undefined
    this.#around.remember(item)
  }

  /** Of what the last answer on the key could not know yet. */
  #promised(isDue = willCome): Promised {
    const { filesLeft, bytesLeft } = this.limits
    if (filesLeft === undefined && bytesLeft === undefined) return { files: 0, bytes: 0 }
    const due = this.items.filter((item) => !this.#counted.has(item) && isDue(item))
    return { files: due.length, bytes: due.reduce((sum, { size }) => sum + size, 0) }
  }
}
