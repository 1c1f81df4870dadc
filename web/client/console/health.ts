/** How things stand. */
import { button, fill, h } from '../common/dom.ts'
import { duration } from '../common/format.ts'
import { api } from './api.ts'
import { attempt, chip, facts, heading, loading, timeOf, type View } from './parts.ts'
import type { Condition, Status } from './shapes.ts'
import { text } from './texts.ts'

export async function showHealth({ root, signal }: View): Promise<void> {
  const content = h('div', {})
  const look = (): Promise<void> =>
    loading(content, async () => drawn(await api<Status>('GET', '/v1/status', { signal })))
  fill(
    root,
    heading(
      text.nav.health,
      button(text.again, () => attempt(look), { image: 'retry' }),
    ),
    content,
  )
  await look()
}

function drawn(status: Status): readonly Node[] {
  const parts = Object.entries(text.parts).map(([name, label]) =>
    partOf(label, status[name as keyof typeof text.parts]),
  )
  return [
    h('div', { class: 'parts' }, ...parts),
    h(
      'section',
      { class: 'card panel' },
      facts([
        [text.version, `valetkey ${status.version}, Node ${status.node}`],
        [text.runsSince, timeOf(status.startedAt)],
        [text.publicUrl, h('code', {}, status.publicUrl)],
        [
          text.defaultLife,
          `${duration(status.defaultExpires)}, ${text.mostLife} ${duration(status.maxExpires)}`,
        ],
      ]),
    ),
  ]
}

const partOf = (label: string, { ok, detail }: Condition): HTMLElement =>
  h(
    'section',
    { class: 'card panel' },
    h('h2', {}, label),
    chip(ok ? text.good : text.bad, ok ? 'good' : 'bad'),
    detail !== undefined && h('p', { class: 'muted' }, detail),
  )
