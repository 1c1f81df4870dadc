/**
 * Refusals of the native protocol: problem details, RFC 9457, and a page where a person follows a
 * link or sends a form. The one place where they are rendered.
 */
import { DatabaseError } from '../../database/open.ts'
import { Refusal } from '../../key/refusal.ts'
import { UnsatisfiableRange } from '../body/range.ts'
import type { Exchange, FlatHeaders } from '../exchange.ts'
import { REFUSAL_PAGE_HEADERS, refusalPage } from '../pages/refusal.ts'
import { wantsHtml } from '../pages/strict.ts'
import { RateLimited } from '../pins.ts'
import { PlanLimited } from '../plans.ts'

/** A refusal as a protocol words it. */
export interface Problem {
  readonly status: number
  readonly headers: FlatHeaders
  readonly body: string
}

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { code, status, title, detail } = refusal
  const body = { type: `urn:valetkey:refusal:${code}`, title, status, code, detail, requestId }
  return {
    status,
    headers: [
      'Content-Type',
      'application/problem+json',
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
      ...hints(refusal),
    ],
    body: `${JSON.stringify(body)}\n`,
  }
}

/** The methods that a browser goes somewhere with. */
const NAVIGATING: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'POST'])

/** Status and hints are the same for a browser that asks for HTML; its page needs no key to be read. */
export function problemFor(
  refusal: Refusal,
  { id, incoming }: Pick<Exchange, 'id' | 'incoming'>,
): Problem {
  const { method, headers } = incoming
  if (!NAVIGATING.has(method) || !wantsHtml(headers.accept)) return problemOf(refusal, id)
  return {
    status: refusal.status,
    headers: [...REFUSAL_PAGE_HEADERS, ...hints(refusal)],
    body: refusalPage(refusal, id, headers['accept-language']),
  }
}

function hints(refusal: Refusal): FlatHeaders {
  if (refusal instanceof UnsatisfiableRange) return ['Content-Range', `bytes */${refusal.size}`]
  if (refusal instanceof RateLimited) return ['Retry-After', String(refusal.wait)]
  if (refusal.status === 401) return ['WWW-Authenticate', 'Bearer realm="valetkey"']
  if (refusal instanceof PlanLimited) return [...refusal.headers]
  if (refusal instanceof MethodNotAllowed) return ['Allow', refusal.allowed]
  if (refusal.status === 405) return ['Allow', ALLOWED]
  if (refusal.status === 503) return ['Retry-After', '5']
  return []
}

export const ALLOWED = 'GET, HEAD, PUT, DELETE, OPTIONS'

/** Where other methods are served than of objects. */
export class MethodNotAllowed extends Refusal {
  readonly allowed: string

  constructor(method: string, allowed: string) {
    super('method_not_allowed', `${method} is not served here; ${allowed} are`)
    this.allowed = allowed
  }
}

/** What an error of ours looks like from outside: nothing of it. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof DatabaseError) {
    return error.code === 'SQLITE_FULL'
      ? new Refusal('storage_full', 'there is no room left to write down what happened', {
          cause: error,
        })
      : new Refusal(
          'unavailable',
          'what is known of keys and objects can not be read or written now',
          { cause: error },
        )
  }
  return new Refusal(
    isOfTheMachine(error) ? 'unavailable' : 'internal',
    'the request could not be done; the log has more under this request id',
    { cause: error },
  )
}

/** An error of a call on the operating system, such as EMFILE or EIO: it may pass. */
const isOfTheMachine = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && 'errno' in error
