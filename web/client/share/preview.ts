/**
 * Looking at a file without taking it along. What strangers stored is shown in ways that can't run
 * it: as an image, as media, as plain text, or by the browser's own reader of PDF, from bytes whose
 * type is stated here and not by them.
 */
import { ask } from '../common/ask.ts'
import { button, fill, h, icon, plainName } from '../common/dom.ts'
import { count, size } from '../common/format.ts'
import { LINK_LIFE, linkTo, urlOf } from '../common/key.ts'
import type { Session } from '../common/session.ts'
import type { Entry } from './files.ts'
import { type Preview, pictureOf, previewOf } from './kinds.ts'
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
  const { session, entry, body } = stage
  const kind = previewOf(entry)
  const { uses } = session.facts
  const show = (): void => {
    fill(body)
    if (kind !== 'none') SHOWS[kind](stage)
  }
  if (kind === 'none' || (kind === 'pdf' && !navigator.pdfViewerEnabled)) {
    placeholder(stage, share.noPreview)
  } else if (entry.size > (LARGEST[kind] ?? Number.POSITIVE_INFINITY)) {
    placeholder(stage, share.previewTooLarge)
  } else if (uses === undefined) {
    show()
  } else {
    const sentence = uses.left === 1 ? share.spendsLast : share.spends(count(uses.left))
    placeholder(stage, sentence, button(share.showAnyway, show, { image: 'eye' }))
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

const link = ({ session, entry }: Stage): string =>
  linkTo(session.key, entry.path, session.now()).href

/** An image can't run anything, not even an SVG, when it stands in `<img>`. */
function showImage(stage: Stage): void {
  const image = h('img', { alt: plainName(stage.entry.name), src: link(stage) })
  image.addEventListener('error', () => failed(stage))
  stage.body.append(image)
}

/**
 * The browser fetches parts as it plays; when its link has run out meanwhile, it gets another one
 * and goes on where it was.
 */
function showMedia(stage: Stage, tag: 'video' | 'audio'): void {
  const media = h(tag, { controls: true, preload: 'metadata', src: link(stage) })
  media.setAttribute('aria-label', plainName(stage.entry.name))
  let linked = stage.session.now()
  media.addEventListener('error', () => {
    const now = stage.session.now()
    if (stage.signal.aborted) return
    if (now - linked < LINK_LIFE / 2) return void failed(stage)
    const { currentTime, paused } = media
    linked = now
    media.src = link(stage)
    media.currentTime = currentTime
    if (!paused) void media.play()
  })
  stage.signal.addEventListener('abort', () => {
    media.pause()
    media.removeAttribute('src')
    media.load()
  })
  stage.body.append(media)
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

const waiting =
  (show: (stage: Stage) => Promise<void>) =>
  (stage: Stage): void => {
    const spinner = h('div', { class: 'spinner' })
    stage.body.append(spinner)
    show(stage)
      .catch((error: unknown) => {
        if (stage.signal.aborted) return
        placeholder(stage, share.previewFailed)
        stage.fail(error)
      })
      .finally(() => spinner.remove())
  }

const SHOWS = {
  image: showImage,
  video: (stage: Stage) => showMedia(stage, 'video'),
  audio: (stage: Stage) => showMedia(stage, 'audio'),
  pdf: waiting(showPdf),
  text: waiting(showText),
} as const

/** Why is not told to an image: the gateway is asked once more, at no cost. */
function failed(stage: Stage): void {
  const { session, entry, signal } = stage
  if (signal.aborted) return
  placeholder(stage, share.previewFailed)
  ask(urlOf(entry.path), session.key, { method: 'HEAD', signal }).catch(stage.fail)
}
