/** CORS, from what the key grants and what the configuration allows (Fetch standard, §3.2). */
import { grantsOrigin } from '../key/clear.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { FlatHeaders } from './exchange.ts'
import type { Headers } from './request.ts'

/** What a page may read of a response. */
const EXPOSED = [
  'ETag',
  'Location',
  'Content-Length',
  'Content-Range',
  'Content-Disposition',
  'Accept-Ranges',
  'Last-Modified',
  'Content-Digest',
  'Repr-Digest',
  'Content-Location',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Defer-Length',
  'Upload-Metadata',
  'Upload-Expires',
  'Upload-Complete',
  'Upload-Limit',
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Checksum-Algorithm',
  'Retry-After',
  'X-Request-Id',
] as const

const namesOfOthers = (headers: readonly string[]): readonly string[] =>
  headers.filter((name, index) => index % 2 === 0 && /^x-amz-/i.test(name))

/** How long a browser may remember a preflight, in seconds: a revoked key is refused all the same. */
const MAX_AGE = '600'

const VARY: FlatHeaders = ['Vary', 'Origin']

const namesOrigins = (grant: Grant | undefined): boolean =>
  grant?.blocks.some(({ origins }) => origins !== undefined) === true

const METHODS = { GET: 'GET, HEAD', PUT: 'PUT, POST', DELETE: 'DELETE', LIST: 'GET, HEAD' } as const

function methodsOf(grant: Grant | undefined): string {
  const granted =
    grant?.blocks.flatMap(({ methods }) => (methods === undefined ? [] : [methods])) ?? []
  const methods = (['GET', 'PUT', 'DELETE', 'LIST'] as const).filter((method) =>
    granted.every((list) => list.includes(method)),
  )
  return [...new Set(methods.flatMap((method) => METHODS[method].split(', ')))].join(', ')
}

export class Cors {
  readonly #allowed: readonly string[]

  /** @param allowed origins whose pages may use any key that does not itself name origins */
  constructor(allowed: readonly string[]) {
    this.#allowed = allowed.map((origin) => origin.toLowerCase())
  }

  /**
   * For every response, refusals too: nothing where no CORS is granted to anybody. A response that
   * would be another for another origin says so, or a cache gives the one to the other.
   * @param sent the response's headers: those of another protocol may be read as well
   */
  headers(
    origin: string | undefined,
    grant: Grant | undefined,
    sent: () => readonly string[] = () => [],
  ): FlatHeaders {
    const differs = this.#allowed.length > 0 || namesOrigins(grant)
    if (origin === undefined || !this.#grants(origin, grant)) return differs ? VARY : []
    return [
      'Access-Control-Allow-Origin',
      origin,
      'Access-Control-Expose-Headers',
      [...EXPOSED, ...namesOfOthers(sent())].join(', '),
      ...VARY,
    ]
  }

  /**
   * The answer to a preflight. A browser sends it without credentials, so the key is known only
   * where it stands in the URL.
   * @param offered methods of a protocol that has others than objects have
   * @throws Refusal origin_not_granted
   */
  preflight(headers: Headers, grant: Grant | undefined, offered?: string): FlatHeaders {
    const origin = headers.get('origin') ?? ''
    if (!this.#grants(origin, grant)) {
      throw new Refusal(
        'origin_not_granted',
        'neither the key in the URL nor the configuration allows pages of this origin',
      )
    }
    return [
      'Access-Control-Allow-Methods',
      offered ?? methodsOf(grant),
      'Access-Control-Allow-Headers',
      headers.get('access-control-request-headers') ?? '',
      'Access-Control-Max-Age',
      MAX_AGE,
    ]
  }

  #grants(origin: string, grant: Grant | undefined): boolean {
    if (grant !== undefined && namesOrigins(grant)) return grantsOrigin(grant, origin)
    return this.#allowed.includes(origin.toLowerCase())
  }
}
