/** Taking files along: one by one, or many as one zip. */
import type { Block } from '../../../key/claims.ts'
import { ask, Problem } from '../common/ask.ts'
import { plainName } from '../common/dom.ts'
import { LINK_LIFE, narrowed, urlOf } from '../common/key.ts'
import { tell, warn } from '../common/say.ts'
import { type Session, sentenceOf } from '../common/session.ts'
import { type Entry, nameIn, titleOf } from './files.ts'
import { sourceOf } from './source.ts'
import { share } from './texts.ts'

/** A query has 64 parameters; these leave room for the others. */
const MOST_CHOSEN = 60
/** When what is left of a key is asked for after a use, in milliseconds. */
const AFTER_USE = 2500
/** A request target has 8,192 characters, and the narrower key takes its part. */
const MOST_CHARACTERS = 7600

/**
 * Lets the browser save a file. The gateway is asked first, at no cost, so that a refusal is told
 * here and not saved as a file.
 */
export async function download(session: Session, entry: Entry): Promise<void> {
  const { key, signal } = session
  await ask(urlOf(entry.path), key, { method: 'HEAD', signal })
  await checkUses(session)
  save(await sourceOf(session, entry, signal), entry.name)
  noteLast(session, entry.size)
  tell(share.started(plainName(entry.name)))
}

/**
 * Lets the browser save a folder, or some of what is in it, as a zip.
 * @param names relative to the folder; folders with a slash at their end; none: everything
 */
export async function downloadZip(
  session: Session,
  folder: string,
  names: readonly string[],
): Promise<void> {
  const url = zipUrl(folder, names)
  if (names.length > MOST_CHOSEN || url.href.length > MOST_CHARACTERS - session.key.length) {
    warn(share.tooMany(String(MOST_CHOSEN)))
    return
  }
  await ask(url, session.key, { method: 'HEAD', signal: session.signal })
  await checkUses(session)
  const block: Block = {
    path: folder,
    methods: ['GET', 'LIST'],
    exp: session.now() + LINK_LIFE,
  }
  url.searchParams.set('vk', narrowed(session.key, block))
  save(url.href, '')
  noteLast(session, 0)
  tell(share.started(zipName(folder)))
}

const zipName = (folder: string): string => `${plainName(titleOf(folder))}.zip`

function zipUrl(folder: string, names: readonly string[]): URL {
  const url = urlOf(folder)
  url.search = '?zip'
  if (titleOf(folder) !== nameIn(folder)) url.searchParams.set('filename', titleOf(folder))
  for (const name of names) url.searchParams.append('only', name)
  return url
}

/** @param size of what is on its way now, in bytes */
function noteLast(session: Session, size: number): void {
  const { uses, bytes } = session.facts
  if (uses?.left === 1 || (bytes !== undefined && bytes.left <= size)) session.tookLast = true
}

/** Refused here where nothing is left, and not in a download that fails. @throws Problem */
async function checkUses(session: Session): Promise<void> {
  const { uses, bytes } = session.facts
  if (uses === undefined && bytes === undefined) return
  await session.refresh()
  session.refreshSoon(AFTER_USE)
}

/** Has what is left counted anew after a use; not after the last one, of which somebody looks at the result. */
export function spent(session: Session): void {
  if ((session.facts.uses?.left ?? 0) > 1) session.refreshSoon(AFTER_USE)
}

/** @param name where the address does not say one */
function save(address: string, name: string): void {
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.rel = 'noreferrer'
  document.body.append(link)
  link.click()
  link.remove()
}

/** Does it, and tells what went wrong. @param gone when the file is not there any more */
export async function attempt(
  session: Session,
  action: () => Promise<void>,
  gone?: () => void,
): Promise<void> {
  try {
    await action()
  } catch (error) {
    if ((error as Error).name === 'AbortError' || session.ended(error)) return
    // first, since it may take away a dialog, and the message with it
    if (error instanceof Problem && error.code === 'object_not_found') gone?.()
    warn(sentenceOf(error))
  }
}
