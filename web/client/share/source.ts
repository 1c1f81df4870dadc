/** Where a browser can fetch a file by itself. */
import { Refusal } from '../../../key/refusal.ts'
import { ask } from '../common/ask.ts'
import { linkTo, urlOf } from '../common/key.ts'
import type { Session } from '../common/session.ts'
import type { Entry } from './files.ts'

/** Types of bytes held here that are given their own name; no page among them. */
const MEDIA = /^(?:image|video|audio)\//

/**
 * A link to the file for a minute. A key that can't be narrowed any further has none: then its bytes
 * are fetched with the key in a header, and held here.
 * @param signal aborted when nobody needs it any more
 * @throws Problem
 */
export async function sourceOf(
  session: Session,
  entry: Entry,
  signal: AbortSignal,
): Promise<string> {
  try {
    return linkTo(session.key, entry.path, session.now()).href
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
  const response = await ask(urlOf(entry.path), session.key, { signal })
  const bytes = await response.blob()
  const type = MEDIA.test(entry.type) ? entry.type : 'application/octet-stream'
  const url = URL.createObjectURL(bytes.slice(0, bytes.size, type))
  signal.addEventListener('abort', () => URL.revokeObjectURL(url))
  return url
}
