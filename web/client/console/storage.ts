/** How much lies where: a map of areas, and the same as a table. */
import { button, fill, h, nameOf, plainName } from '../common/dom.ts'
import { count, size } from '../common/format.ts'
import { api } from './api.ts'
import { attempt, type Column, heading, loading, nothing, table, type View } from './parts.ts'
import type { Level, StorageEntry } from './shapes.ts'
import { pictureWidth, svg } from './svg.ts'
import { text } from './texts.ts'
import { treemap } from './treemap.ts'

const HEIGHT = 300
/** More would be specks; the rest is in the table. */
const MOST_AREAS = 40

export async function showStorage({ root, signal, query }: View): Promise<void> {
  const prefix = query.get('prefix') ?? ''
  const content = h('div', {})
  const look = (): Promise<void> =>
    loading(content, async () => {
      const asked = `/v1/storage?prefix=${encodeURIComponent(prefix)}`
      return drawn(await api<Level>('GET', asked, { signal }))
    })
  const again = button(text.again, () => attempt(look), { image: 'retry' })
  fill(root, heading(text.nav.storage, again), crumbs(prefix), content)
  await look()
}

const linkTo = (prefix: string): string => `#storage?prefix=${encodeURIComponent(prefix)}`

function crumbs(prefix: string): HTMLElement {
  const names = prefix.split('/').slice(0, -1)
  const steps = names.map((name, at) => ({
    name: nameOf(name),
    path: `${names.slice(0, at + 1).join('/')}/`,
  }))
  return h(
    'nav',
    { class: 'crumbs', 'aria-label': text.name },
    h('a', { href: linkTo('') }, text.allBuckets),
    ...steps.map(({ name, path }) => h('a', { href: linkTo(path) }, name)),
  )
}

function drawn({ prefix, entries, complete }: Level): readonly Node[] {
  if (entries.length === 0) return [nothing(text.nothingStored)]
  const columns: readonly Column<StorageEntry>[] = [
    { label: text.name, cell: ({ path }) => named(path, prefix) },
    { label: text.objects, kind: 'number', cell: (entry) => amount(entry, count(entry.objects)) },
    { label: text.size, kind: 'number', cell: (entry) => amount(entry, size(entry.bytes)) },
  ]
  const isWhole = complete && entries.every((entry) => entry.complete)
  return [
    h('section', { class: 'card panel' }, mapOf(entries, prefix)),
    ...(isWhole ? [] : [h('p', { class: 'notice' }, text.storagePart)]),
    h('section', { class: 'card list' }, table(text.nav.storage, columns, entries)),
  ]
}

const amount = ({ complete }: StorageEntry, shown: string): string =>
  complete ? shown : text.atLeast(shown)

function named(path: string, prefix: string): Node {
  const name = nameOf(path.slice(prefix.length))
  return path.endsWith('/') ? h('a', { href: linkTo(path) }, name) : name
}

/** For the eyes alone: the table below says the same. */
function mapOf(entries: readonly StorageEntry[], prefix: string): Node {
  const drawn = entries.filter(({ bytes }) => bytes > 0).slice(0, MOST_AREAS)
  const whole = pictureWidth()
  const areas = treemap(
    drawn.map(({ bytes }) => bytes),
    whole,
    HEIGHT,
  )
  const shapes = drawn.flatMap((entry, at) => {
    const area = areas[at]
    if (area === undefined) return []
    const { x, y, width, height } = area
    const name = plainName(entry.path.slice(prefix.length))
    const letters = Math.floor((width - 14) / 7.5)
    const box = {
      x: x + 1,
      y: y + 1,
      width: Math.max(0, width - 2),
      height: Math.max(0, height - 2),
      rx: 4,
    }
    const label =
      letters >= 4 && height > 40
        ? [
            svg('text', { x: x + 10, y: y + 22, class: 'area-name' }, cut(name, letters)),
            svg(
              'text',
              { x: x + 10, y: y + 39, class: 'area-size' },
              cut(size(entry.bytes), letters),
            ),
          ]
        : []
    const title = svg('title', {}, `${name}: ${size(entry.bytes)}`)
    return [svg('g', {}, title, svg('rect', { ...box, class: `series-${at % 6}` }), ...label)]
  })
  const attributes = { class: 'map', viewBox: `0 0 ${whole} ${HEIGHT}`, role: 'img' }
  return svg('svg', { ...attributes, 'aria-label': text.mapLabel }, ...shapes)
}

const cut = (name: string, letters: number): string =>
  name.length > letters ? `${name.slice(0, letters - 1)}…` : name
