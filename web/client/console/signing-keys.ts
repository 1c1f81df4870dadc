/** Signing keys: which there are, and their rotation. */
import { button, fill, h } from '../common/dom.ts'
import { tell } from '../common/say.ts'
import { api } from './api.ts'
import { confirmed } from './confirm.ts'
import { attempt, type Column, chip, heading, loading, table, timeOf, type View } from './parts.ts'
import type { SigningKey } from './shapes.ts'
import { text } from './texts.ts'

const TONES = { active: 'good', retiring: 'warn', revoked: 'bad' } as const

export async function showSigningKeys({ root, signal }: View): Promise<void> {
  const content = h('div', {})
  let all: readonly SigningKey[] = []
  const look = (): Promise<void> =>
    loading(content, async () => {
      const answer = await api<{ signingKeys: SigningKey[] }>('GET', '/v1/signing-keys', { signal })
      all = answer.signingKeys.toReversed()
      return [h('section', { class: 'card list' }, table(text.nav.signing, columnsOf(done), all))]
    })
  const done = (sentence: string): void => {
    tell(sentence)
    attempt(look)
  }
  const rotate = button(text.rotate, () => rotation(all, done), { image: 'retry', kind: 'primary' })
  fill(root, heading(text.nav.signing, rotate), content)
  await look()
}

type Done = (sentence: string) => void

function rotation(all: readonly SigningKey[], done: Done): void {
  const active = all.find(({ status, kind }) => status === 'active' && kind === 'native')
  confirmed({
    title: text.rotateTitle,
    effect: text.rotateEffect,
    id: active?.kid ?? text.rotate,
    act: text.rotate,
    isGrave: false,
    proceed: () => api('POST', '/v1/signing-keys', { body: {} }),
    after: () => done(text.rotated),
  })
}

const columnsOf = (done: Done): readonly Column<SigningKey>[] => [
  { label: text.kid, cell: ({ kid }) => h('code', {}, kid) },
  { label: text.kind, cell: ({ kind }) => kind },
  {
    label: text.status,
    cell: ({ status }) => chip(text.statuses[status] ?? status, TONES[status]),
  },
  {
    label: text.created,
    cell: ({ createdAt }) => (createdAt === undefined ? text.none : timeOf(createdAt)),
  },
  {
    label: text.graceEnds,
    cell: ({ graceEnds }) => (graceEnds === undefined ? text.none : timeOf(graceEnds)),
  },
  { label: text.secret, cell: ({ secret }) => text.secrets[secret] ?? secret },
  { label: text.actions, kind: 'acts', cell: (key) => actionsOf(key, done) },
]

function actionsOf({ kid, status }: SigningKey, done: Done): HTMLElement {
  if (status === 'revoked') return h('span', {})
  const path = `/v1/signing-keys/${kid}`
  const retire = () =>
    confirmed({
      title: text.retireTitle,
      effect: text.retireEffect,
      id: kid,
      act: text.retire,
      proceed: () => api('POST', `${path}/retire`, { body: {} }),
      after: () => done(text.retired),
    })
  const revoke = () =>
    confirmed({
      title: text.revokeSigningTitle,
      effect: text.revokeSigningEffect,
      id: kid,
      act: text.revoke,
      proceed: () => api('POST', `${path}/revoke`),
      after: () => done(text.signingRevoked),
    })
  return h(
    'div',
    { class: 'actions' },
    status === 'active' && button(text.retire, retire, { 'aria-label': `${text.retire} ${kid}` }),
    button(text.revoke, revoke, { kind: 'grave', 'aria-label': `${text.revoke} ${kid}` }),
  )
}
