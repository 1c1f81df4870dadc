/**
 * Looking at a file without taking it along. What strangers stored is shown in ways that can't run
 * it: as an image, as media, as plain text, or by the browser's own reader of PDF, from bytes whose
 * type is stated here and not by them.
 */
import { ask } from '../common/ask.ts'
import { button, fill, h, icon, plainName } from '../common/dom.ts'
import { count, size } from '../common/format.ts'
import { LINK_LIFE, urlOf } from '../common/key.ts'
import type { Session } from '../common/session.ts'
import { spent } from './download.ts'
import type { Entry } from './files.ts'
import { type Preview, pictureOf, previewOf } from './kinds.ts'
import { sourceOf } from './source.ts'
import { share } from './texts.ts'

/** Of a text, in bytes. */
const TEXT_SHOWN = 256 * 1024
/** In bytes, of what is held in memory as a whole. */
const LARGEST: Partial<Record<Preview, number>> = { pdf: 100e6, image: 60e6 }

/** What a preview is shown in, and where what goes wrong is told. */
interface Stage {
  readonly session: Session
  readonly entry: Entry
  readonly body: HTMLElement
  /** aborted when nobody looks at it any more */
  readonly signal: AbortSignal
  readonly fail: (error: unknown) => void
}

/**
 * Shows a file, where it can be shown; a key that counts its uses is asked about first.
 * @param fail told of problems; the stage has a sentence already
 */
export function preview(stage: Stage): void {
  const { session, entry } = stage
  const kind = previewOf(entry)
  const { uses } = session.facts
  if (kind === 'none' || (kind === 'pdf' && !navigator.pdfViewerEnabled)) {
    placeholder(stage, share.noPreview)
  } else if (entry.size > (LARGEST[kind] ?? Number.POSITIVE_INFINITY)) {
    placeholder(stage, share.previewTooLarge)
  } else if (uses === undefined) {
    show(stage, kind)
  } else {
    const sentence = uses.left === 1 ? share.spendsLast : share.spends(count(uses.left))
    const look = (): void => {
      stage.body.tabIndex = -1
      stage.body.focus()
      show(stage, kind)
      spent(session)
    }
    placeholder(stage, sentence, button(share.showAnyway, look, { image: 'eye' }))
  }
}

function placeholder({ body, entry }: Stage, sentence: string, more?: HTMLElement): void {
  const picture = pictureOf(entry)
  fill(
    body,
    h(
      'div',
      { class: 'no-preview' },
      h('div', { class: `tile large ${picture}` }, icon(picture)),
      h('p', { class: 'muted' }, sentence),
      more,
    ),
  )
}

/** An image can't run anything, not even an SVG, when it stands in `<img>`. */
async function showImage({ session, entry, body, signal }: Stage): Promise<void> {
  const src = await sourceOf(session, entry, signal)
  await new Promise((onload, reject) => {
    const onerror = (): void => reject(new Unshown())
    body.append(h('img', { alt: plainName(entry.name), src, onload, onerror }))
  })
}

/**
 * The browser fetches parts as it plays; when its link has run out meanwhile, it gets another one
 * and goes on where it was.
 */
async function showMedia(stage: Stage, tag: 'video' | 'audio'): Promise<void> {
  const { session, entry, body, signal } = stage
  const src = await sourceOf(session, entry, signal)
  const media = h(tag, { controls: true, preload: 'metadata', src })
  media.setAttribute('aria-label', plainName(entry.name))
  let linked = session.now()
  media.addEventListener('error', () => {
    const now = session.now()
    if (signal.aborted) return
    if (now - linked < LINK_LIFE / 2) return void failed(stage, new Unshown())
    const { currentTime, paused } = media
    linked = now
    sourceOf(session, entry, signal).then(
      (address) => {
        media.src = address
        media.currentTime = currentTime
        if (!paused) void media.play()
      },
      (error: unknown) => failed(stage, error),
    )
  })
  signal.addEventListener('abort', () => {
    media.pause()
    media.removeAttribute('src')
    media.load()
  })
  body.append(media)
}

async function showPdf(stage: Stage): Promise<void> {
  const response = await read(stage)
  const bytes = await response.blob()
  const url = URL.createObjectURL(bytes.slice(0, bytes.size, 'application/pdf'))
  stage.signal.addEventListener('abort', () => URL.revokeObjectURL(url))
  stage.body.append(h('iframe', { src: url, title: plainName(stage.entry.name) }))
}

async function showText(stage: Stage): Promise<void> {
  const { entry, body } = stage
  const isCut = entry.size > TEXT_SHOWN
  const response = await read(stage, isCut ? { Range: `bytes=0-${TEXT_SHOWN - 1}` } : {})
  const text = decoderOf(entry).decode(await response.arrayBuffer(), { stream: isCut })
  if (text.includes('\0')) return placeholder(stage, share.noPreview)
  const label = plainName(entry.name)
  body.append(h('pre', { tabindex: 0, role: 'region', 'aria-label': label, dir: 'auto' }, text))
  if (isCut) body.append(h('p', { class: 'notice' }, share.cut(size(entry.size))))
}

function decoderOf({ type }: Entry): TextDecoder {
  try {
    return new TextDecoder(/charset="?([\w-]+)/i.exec(type)?.[1] ?? 'utf-8')
  } catch {
    return new TextDecoder()
  }
}

const read = ({ session, entry, signal }: Stage, headers: Record<string, string> = {}) =>
  ask(urlOf(entry.path), session.key, { signal, headers })

/** The browser does not say why it shows nothing. */
class Unshown extends Error {}

/** Says so; where only the gateway knows why, it is asked once more, at no cost. */
function failed(stage: Stage, error: unknown): void {
  const { session, entry, signal } = stage
  if (signal.aborted) return
  placeholder(stage, share.previewFailed)
  const reason =
    error instanceof Unshown
      ? ask(urlOf(entry.path), session.key, { method: 'HEAD', signal })
      : Promise.reject(error)
  reason.catch(stage.fail)
}

const SHOWS: { readonly [P in Exclude<Preview, 'none'>]: (stage: Stage) => Promise<void> } = {
  image: showImage,
  video: (stage) => showMedia(stage, 'video'),
  audio: (stage) => showMedia(stage, 'audio'),
  pdf: showPdf,
  text: showText,
}

function show(stage: Stage, kind: keyof typeof SHOWS): void {
  const spinner = h('div', { class: 'spinner' })
  fill(stage.body, spinner)
  SHOWS[kind](stage)
    .catch((error: unknown) => failed(stage, error))
    .finally(() => {
      spinner.remove()
      // it was waited for there: what can be scrolled or played gets the keys
      if (document.activeElement === stage.body) {
        stage.body.querySelector<HTMLElement>('pre, video, audio, iframe')?.focus()
      }
    })
}
