/** The dialog in which files are looked at, one after the other. */
import { button, fill, h, icon, nameOf, plainName } from '../common/dom.ts'
import { moment, size } from '../common/format.ts'
import { say } from '../common/say.ts'
import type { Session } from '../common/session.ts'
import { common } from '../common/texts.ts'
import { attempt, download } from './download.ts'
import type { Entry } from './files.ts'
import { pictureOf } from './kinds.ts'
import { preview } from './preview.ts'
import { share } from './texts.ts'

/** Keys that media, texts and readers need for themselves. */
const KEEPS_ARROWS = 'video, audio, pre, iframe'

/**
 * Opens the dialog; the focus goes back to where it was when it is closed.
 * @param files those that can be leafed through, in the order shown
 * @param gone told when a file turns out to be there no more
 */
export function openViewer(
  session: Session,
  files: readonly Entry[],
  first: Entry,
  gone: () => void,
): void {
  const dialog = h('dialog', {
    class: 'viewer',
    tabindex: -1,
    'aria-labelledby': 'viewer-title',
  })
  let looking = new AbortController()
  const show = (entry: Entry): void => {
    looking.abort()
    looking = new AbortController()
    const body = h('div', { class: 'stage' })
    const { signal } = looking
    const act = (action: () => Promise<void>): void => void attempt(session, action, leave)
    const at = files.indexOf(entry)
    const leaf = (by: -1 | 1): void => {
      const next = files[at + by]
      if (next === undefined) return
      show(next)
      // the button that was pressed has been replaced by its like
      const again = dialog.querySelector<HTMLElement>(`[data-by="${by}"]:enabled`) ?? dialog
      again.focus()
      say(plainName(next.name))
    }
    fill(dialog, headOf(entry, { act, session, leave: () => dialog.close() }), body)
    if (files.length > 1) dialog.append(leavesOf(files, at, leaf))
    dialog.onkeydown = (event) => {
      if ((event.target as Element).closest(KEEPS_ARROWS) || event.altKey || event.ctrlKey) return
      if (event.key === 'ArrowLeft') leaf(-1)
      if (event.key === 'ArrowRight') leaf(1)
    }
    preview({ session, entry, body, signal, fail: (error) => act(() => Promise.reject(error)) })
  }
  const leave = (): void => {
    dialog.close()
    gone()
  }
  dialog.addEventListener('close', () => {
    looking.abort()
    dialog.remove()
  })
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close()
  })
  document.body.append(dialog)
  show(first)
  dialog.showModal()
}

interface Acts {
  readonly session: Session
  readonly act: (action: () => Promise<void>) => void
  readonly leave: () => void
}

function headOf(entry: Entry, { session, act, leave }: Acts): HTMLElement {
  const picture = pictureOf(entry)
  const facts = [size(entry.size), entry.modified > 0 && moment(entry.modified)].filter(Boolean)
  return h(
    'header',
    {},
    h('div', { class: `tile ${picture}` }, icon(picture)),
    h(
      'div',
      { class: 'what' },
      h('h2', { id: 'viewer-title' }, nameOf(entry.name)),
      h('p', { class: 'muted tabular' }, facts.join(' · ')),
    ),
    button(share.download, () => act(() => download(session, entry)), {
      image: 'download',
      kind: 'primary',
      class: 'button primary shrinks',
    }),
    button(common.close, leave, { image: 'close', kind: 'bare' }),
  )
}

function leavesOf(files: readonly Entry[], at: number, leaf: (by: -1 | 1) => void): HTMLElement {
  const arrow = { image: 'arrow', kind: 'bare' } as const
  const previous = button(share.previous, () => leaf(-1), { ...arrow, 'data-by': -1 })
  const next = button(share.next, () => leaf(1), {
    ...arrow,
    class: 'button bare turned',
    'data-by': 1,
  })
  previous.disabled = at <= 0
  next.disabled = at >= files.length - 1
  const place = h('p', { class: 'muted tabular', role: 'status' }, `${at + 1} / ${files.length}`)
  return h('footer', {}, previous, place, next)
}
