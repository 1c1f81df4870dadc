/**
 * From a link to an open page: the key is read, asked about, and shown the PIN where it wants one;
 * whatever stands in the way is told in a sentence. The same watches over the page while it is open.
 */
import { parted } from '../../../key/refusal-words.ts'
import { askKey, type KeyFacts, Problem, type ProblemCode, showPin } from './ask.ts'
import { button, fill, h, type IconName, icon } from './dom.ts'
import { atMost, count, duration, fromNow, moment } from './format.ts'
import { keyInFragment, timesOf } from './key.ts'
import { say } from './say.ts'
import { common, problems } from './texts.ts'

/** Below this, what is left of the key's life is counted down, in seconds. */
const SOON = 3600
/** As long as a timer of a browser can run, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Refusals after which the page has nothing more to show. */
const FINAL: ReadonlySet<ProblemCode> = new Set([
  'key_expired',
  'key_revoked',
  'key_paused',
  'policy_not_found',
  'key_not_yet_valid',
  'signature_invalid',
  'pin_required',
  'address_not_granted',
  'uses_exhausted',
  'bytes_exhausted',
])

/** A key that the gateway honours, and what it said of it; `change` when it says something else. */
export class Session extends EventTarget {
  readonly key: string
  readonly #page: HTMLElement
  readonly #reopen: () => void
  readonly #stopped = new AbortController()
  #facts: KeyFacts
  /** of the server's clock, in seconds: this one may be wrong by days */
  #ahead: number
  /** whether what the key allows was used up by what was begun here */
  tookLast = false
  /** asked before a problem ends the session: true where the page goes on nevertheless */
  keeps: (problem: Problem) => boolean = () => false

  constructor(key: string, facts: KeyFacts, page: HTMLElement, reopen: () => void) {
    super()
    this.key = key
    this.#page = page
    this.#reopen = reopen
    this.#facts = facts
    this.#ahead = facts.now - Date.now() / 1000
    this.#watchExpiry()
  }

  get facts(): KeyFacts {
    return this.#facts
  }

  /** Aborted when this session is over: what still runs is for nobody. */
  get signal(): AbortSignal {
    return this.#stopped.signal
  }

  /** What the server takes for now, in Unix seconds. */
  now(): number {
    return Math.floor(Date.now() / 1000 + this.#ahead)
  }

  /** Asks anew what is left of the key. @throws Problem */
  async refresh(): Promise<void> {
    this.#facts = await factsOf(this.key)
    this.#ahead = this.#facts.now - Date.now() / 1000
    this.dispatchEvent(new Event('change'))
  }

  /** The same after a while; what does not end the session is left for later. @param after in milliseconds */
  refreshSoon(after: number): void {
    const timer = setTimeout(() => {
      this.refresh().catch((error: unknown) => this.ended(error))
    }, after)
    this.signal.addEventListener('abort', () => clearTimeout(timer))
  }

  /** Shows a problem that ends the session; false for one that does not. */
  ended(problem: unknown): boolean {
    if (!(problem instanceof Problem) || !FINAL.has(problem.code)) return false
    if (this.signal.aborted || this.keeps(problem)) return true
    this.stop()
    if (problem.code === 'pin_required') this.#reopen()
    else showProblem(this.#page, problem, this.key, this.#reopen)
    return true
  }

  stop(): void {
    this.#stopped.abort()
  }

  #watchExpiry(): void {
    const left = (this.#facts.expires - this.now()) * 1000
    const timer = setTimeout(
      () => {
        if (this.now() < this.#facts.expires) this.#watchExpiry()
        else this.ended(new Problem('key_expired'))
      },
      Math.min(Math.max(left, 250), LONGEST_TIMER),
    )
    this.signal.addEventListener('abort', () => clearTimeout(timer))
  }
}

/** What a key allows that can still be used for anything new. @throws Problem */
async function factsOf(key: string): Promise<KeyFacts> {
  const facts = await askKey(key)
  if (facts.uses?.left === 0) throw new Problem('uses_exhausted')
  if (facts.bytes?.left === 0) throw new Problem('bytes_exhausted')
  return facts
}

/**
 * Opens the page for the key in its fragment, and again whenever that changes.
 * @param show fills the page; what it throws is told like what stands in the way of opening
 * @param learn what the key allows, or why the page has nothing to show
 */
export function openPage(
  page: HTMLElement,
  show: (session: Session) => Promise<void>,
  learn = factsOf,
): void {
  let session: Session | undefined
  let latest = 0
  const open = async (): Promise<void> => {
    latest += 1
    const turn = latest
    session?.stop()
    session = undefined
    const key = keyInFragment()
    showLoading(page)
    try {
      if (key === '') throw new Problem('fragment_missing')
      const facts = await learn(key)
      // another link was pasted meanwhile
      if (turn !== latest) return
      session = new Session(key, facts, page, open)
      await show(session)
    } catch (error) {
      if (turn !== latest || session?.ended(error) || (error as Error).name === 'AbortError') return
      session?.stop()
      if (!(error instanceof Problem)) throw error
      if (error.code === 'pin_required') askPin(page, key, () => void open().then(focusTitle))
      else showProblem(page, error, key, open)
    }
  }
  /** The form that had the focus has gone. */
  const focusTitle = (): void => {
    if (document.activeElement === document.body) page.querySelector('h1')?.focus()
  }
  window.addEventListener('hashchange', () => void open())
  void open()
}

// ── what stands in the way ──────────────────────────────────────────────────

const BADGES: Readonly<Record<string, readonly [IconName, string]>> = {
  offline: ['offline', 'warn'],
  unavailable: ['retry', 'warn'],
  rate_limited: ['clock', 'warn'],
  key_not_yet_valid: ['clock', 'warn'],
  key_expired: ['clock', 'bad'],
  uses_exhausted: ['check', 'warn'],
  bytes_exhausted: ['check', 'warn'],
}

/** Those that may pass, so that trying again is worth a button. */
const PASSING: ReadonlySet<ProblemCode> = new Set([
  'offline',
  'unavailable',
  'rate_limited',
  'internal',
  'not_understood',
  'key_not_yet_valid',
  'key_paused',
  'address_not_granted',
])

function showLoading(page: HTMLElement): void {
  const spinner = h('div', { class: 'spinner' })
  fill(page, h('div', { class: 'state', role: 'status' }, spinner, h('p', {}, common.loading)))
}

/** One thing to say, in the middle of the page; its heading gets the focus, so that it is read out. */
export function showState(
  page: HTMLElement,
  [picture, tone]: readonly [IconName, string],
  title: string,
  ...rest: readonly (Node | undefined)[]
): void {
  const heading = h('h1', { tabindex: -1 }, title)
  const badge = h('div', { class: `badge ${tone}` }, icon(picture))
  for (const dialog of document.querySelectorAll('dialog')) dialog.close()
  fill(page, h('section', { class: 'state card' }, badge, heading, ...rest))
  heading.focus()
}

function showProblem(page: HTMLElement, problem: Problem, key: string, reopen: () => void): void {
  const when = whenOf(problem, key)
  const again = PASSING.has(problem.code)
    ? button(common.tryAgain, reopen, { image: 'retry', kind: 'primary' })
    : undefined
  const badge = BADGES[problem.code] ?? ['warning', 'bad']
  const [title, rest] = parted(problem.sentence)
  const hint = [when, rest].filter(Boolean).join(' ')
  document.title = title
  showState(page, badge, title, hint === '' ? undefined : h('p', { class: 'muted' }, hint), again)
  const onOnline = (): void => {
    if (again?.isConnected) reopen()
  }
  if (problem.code === 'offline') window.addEventListener('online', onOnline, { once: true })
}

function whenOf({ code, wait }: Problem, key: string): string | undefined {
  if (wait !== undefined) return common.waitFor(duration(wait))
  const times = timesOf(key)
  if (code === 'key_expired' && times) return common.endedAt(moment(times.expires))
  if (code === 'key_not_yet_valid' && times) return common.from(moment(times.notBefore))
  return undefined
}

function askPin(page: HTMLElement, key: string, reopen: () => void): void {
  const form = pinForm(key, reopen)
  document.title = common.pinTitle
  showState(page, ['lock', ''], common.pinTitle, h('p', { class: 'muted' }, common.pinHint), form)
  form.querySelector('input')?.focus()
}

/** @param go called when the gateway has taken the PIN */
export function pinForm(key: string, go: () => void): HTMLFormElement {
  const input = h('input', {
    class: 'input',
    id: 'pin',
    name: 'pin',
    type: 'password',
    autocomplete: 'off',
    required: true,
    'aria-describedby': 'pin-problem',
  })
  const trouble = h('p', { id: 'pin-problem', class: 'notice bad', role: 'alert', hidden: true })
  const send = h('button', { class: 'button primary' }, common.pinSend)
  const onsubmit = (event: SubmitEvent): void => {
    event.preventDefault()
    send.disabled = true
    showPin(key, input.value).then(go, (error: unknown) => {
      if (!(error instanceof Problem)) throw error
      send.disabled = false
      input.setAttribute('aria-invalid', 'true')
      trouble.hidden = false
      trouble.textContent = [error.sentence, whenOf(error, key)].filter(Boolean).join(' ')
      input.select()
    })
  }
  const label = h('label', { for: 'pin' }, common.pinLabel)
  return h('form', { onsubmit }, label, input, trouble, send)
}

// ── while it is open ────────────────────────────────────────────────────────

/** Until when the key works: a moment, and towards the end a countdown that is read out twice. */
export function expiryOf(session: Session): HTMLElement {
  const text = h('span')
  const update = (): void => {
    const { expires } = session.facts
    const left = expires - session.now()
    text.textContent = left < SOON ? common.endsSoon(fromNow(left)) : common.ends(moment(expires))
    if (left <= 0) text.textContent = common.endedAt(moment(expires))
    text.parentElement?.classList.toggle('soon', left < SOON)
    if (left === 300 || left === 60) say(common.endsSoon(fromNow(left)))
  }
  const timer = setInterval(update, 1000)
  session.signal.addEventListener('abort', () => clearInterval(timer))
  const fact = h('li', { class: 'fact' }, icon('clock'), text)
  update()
  return fact
}

/** How often, or for how much, the key still works; nothing for one that does not count. */
export function leftOf(session: Session): HTMLElement | undefined {
  const text = h('span')
  const update = (): void => {
    const { uses, bytes } = session.facts
    const words = [
      uses && common.usesLeft(uses.left, count(uses.left)),
      bytes && common.bytesLeft(atMost(bytes.left)),
    ]
    text.textContent = words.filter(Boolean).join(' · ')
  }
  session.addEventListener('change', update)
  update()
  return text.textContent === '' ? undefined : h('li', { class: 'fact' }, icon('key'), text)
}

/** A sentence for a problem of any sort, for where the page goes on. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Problem ? error.sentence : problems.not_understood
