/** The console: a frame with a view in it, named by the address. */
import { fill, h } from '../common/dom.ts'
import { hush } from '../common/say.ts'
import { isSignedIn, signOut, whenSessionEnds } from './api.ts'
import { showAudit } from './audit.ts'
import { showHealth } from './health.ts'
import { showKeys } from './keys.ts'
import { showMint } from './mint.ts'
import { attempt, type View } from './parts.ts'
import { showRefusals } from './refusals.ts'
import { showRules } from './rules.ts'
import { showSignIn } from './sign-in.ts'
import { showSigningKeys } from './signing-keys.ts'
import { showStorage } from './storage.ts'
import { text } from './texts.ts'

const VIEWS: Readonly<Record<keyof typeof text.nav, (view: View) => Promise<void>>> = {
  mint: showMint,
  keys: showKeys,
  audit: showAudit,
  refusals: showRefusals,
  storage: showStorage,
  rules: showRules,
  signing: showSigningKeys,
  health: showHealth,
}
type Name = keyof typeof VIEWS

const page = document.querySelector('#page') as HTMLElement
let leaving = new AbortController()

/** `#audit?id=…`: the view and what it is about. */
function addressed(): { readonly name: Name; readonly query: URLSearchParams } {
  const [name = '', query = ''] = location.hash.slice(1).split('?')
  return { name: name in VIEWS ? (name as Name) : 'keys', query: new URLSearchParams(query) }
}

function navigation(): HTMLElement {
  const links = Object.entries(text.nav).map(([name, label]) =>
    h('li', {}, h('a', { href: `#${name}`, 'data-view': name }, label)),
  )
  return h(
    'header',
    { class: 'bar' },
    h('button', { type: 'button', class: 'button skip', onclick: toContent }, text.skip),
    h('p', { class: 'brand' }, text.brand),
    h('nav', { 'aria-label': text.title }, h('ul', {}, ...links)),
    h(
      'div',
      { class: 'end' },
      h('a', { href: 'docs' }, text.reference),
      h('button', { type: 'button', class: 'button quiet', onclick: leave }, text.signOut),
    ),
  )
}

/** Past the links, for those who go by keyboard. */
const toContent = (): void => page.querySelector('h1')?.focus()

function leave(): void {
  attempt(async () => {
    try {
      await signOut()
    } finally {
      // the proof is forgotten in any case
      close('')
    }
  })
}

function close(why: string): void {
  leaving.abort()
  hush()
  document.querySelector('.bar')?.remove()
  for (const dialog of document.querySelectorAll('dialog')) dialog.close()
  document.body.classList.remove('inside')
  showSignIn(page, why, open)
}

function open(): void {
  if (document.querySelector('.bar') === null) document.body.prepend(navigation())
  document.body.classList.add('inside')
  show()
}

function show(): void {
  leaving.abort()
  hush()
  leaving = new AbortController()
  const { name, query } = addressed()
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.getAttribute('data-view') === name) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  document.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  document.title = `${text.nav[name]} · ${text.brand}`
  const root = h('div', { class: `view ${name}` })
  fill(page, root)
  const { signal } = leaving
  attempt(() => VIEWS[name]({ root, signal, query }))
  root.querySelector('h1')?.focus({ preventScroll: true })
}

whenSessionEnds(() => close(text.signedOut))
addEventListener('hashchange', () => {
  if (isSignedIn()) show()
})
if (isSignedIn()) open()
else showSignIn(page, '', open)
