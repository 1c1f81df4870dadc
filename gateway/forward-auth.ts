/**
 * `/-/auth`: a key in front of any service. A proxy asks before it forwards (nginx `auth_request`,
 * Caddy and Traefik `forward_auth`); the answer is 204, 401 or 403, which is all that they understand.
 */
import type { IncomingMessage } from 'node:http'
import { quoted, withoutKeys } from '../audit/text.ts'
import type { Method } from '../key/claims.ts'
import { type ObjectPath, type Prefix, parseTarget, type Target } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import { attemptOf } from './attempt.ts'
import { holderOf, traceMember } from './audit-record.ts'
import { type Client, clientOf, isTrusted, peerOf } from './client.ts'
import { nextId } from './exchange.ts'
import { checkCookieOrigin } from './origin.ts'
import { claimOf } from './protocols/claim.ts'
import { asRefusal } from './protocols/problem.ts'
import { type Headers, type RawRequest, rawRequestOf, readHeaders } from './request.ts'
import type { Services } from './services.ts'

export type Verdict =
  | { readonly status: 204; readonly id: string; readonly subject: string | undefined }
  | { readonly status: 401 | 403; readonly refusal: Refusal }

/** Services know more methods than keys do: what changes something is a PUT, unless it deletes. */
const METHODS: Readonly<Record<string, Method>> = {
  GET: 'GET',
  HEAD: 'GET',
  OPTIONS: 'GET',
  PUT: 'PUT',
  POST: 'PUT',
  PATCH: 'PUT',
  DELETE: 'DELETE',
}

/** What becomes known of the request that is judged, for its record. */
interface Judged {
  readonly id: string
  method: string
  request?: RawRequest
  client?: Client
  grant?: Grant
}

/** What the proxy was asked. A use is counted for each request that is let through. */
export async function judge(incoming: IncomingMessage, services: Services): Promise<Verdict> {
  const judged: Judged = { id: nextId(), method: incoming.method ?? '' }
  const verdict = await verdictOn(judged, incoming, services)
  services.audit.note(recordOf(judged, verdict))
  return verdict
}

async function verdictOn(
  judged: Judged,
  incoming: IncomingMessage,
  services: Services,
): Promise<Verdict> {
  try {
    const { grantedId: id, grantedTo: subject } = await authorized(judged, incoming, services)
    return { status: 204, id, subject }
  } catch (error) {
    const refusal = asRefusal(error)
    return { status: refusal.status === 401 ? 401 : 403, refusal }
  }
}

function recordOf({ id, method, request, client, grant }: Judged, verdict: Verdict): string {
  const path = request === undefined ? '' : `,"path":${quoted(withoutKeys(request.path))}`
  const holder = grant === undefined ? '' : holderOf(grant)
  const code = verdict.status === 204 ? '' : `,"code":"${verdict.refusal.code}"`
  const trace = traceMember(request?.headers.get('traceparent'))
  return `"kind":"request","by":"gateway","id":"${id}","act":${quoted(`auth ${method}`)}${path}${holder},"address":${quoted(client?.address ?? '')},"status":${verdict.status}${code}${trace}`
}

async function authorized(
  judged: Judged,
  incoming: IncomingMessage,
  services: Services,
): Promise<Grant> {
  const { settings, gatekeeper, clock } = services
  const headers = readHeaders(incoming.rawHeaders)
  const peer = peerOf(incoming.socket)
  judged.client = { address: peer, tls: false }
  if (!isTrusted(peer, settings.trustedProxies)) {
    throw new Refusal('address_not_granted', 'only a proxy named in trustedProxies may ask here')
  }
  const request = forwardedRequest(headers, settings.basePath)
  const client = clientOf(incoming.socket, headers, settings.trustedProxies)
  Object.assign(judged, { request, client, method: request.method })
  const method = METHODS[request.method]
  if (method === undefined) {
    throw new Refusal('method_not_allowed', `${request.method} is a method that no key grants`)
  }
  checkCookieOrigin(asForwarded(request), client, services.publicUrls)
  const grant = await gatekeeper.verify(claimOf(request))
  judged.grant = grant
  const path = judgedPath(request.path)
  const attempt = attemptOf({ method, path }, request, client, clock.now())
  const admitted = await gatekeeper.admit(grant, attempt, judged.id)
  const use = await gatekeeper.takeUse(admitted)
  await use?.settle(1)
  return grant
}

/** Encoded once more, or encoded where a service may decode before it splits. */
const ENCODED = /%(?:25)*(?:2f|5c)|%25(?:25)*(?:2e|3b)/i
/** `..;x`: some services cut parameters off segments, and then walk up. */
const DOTS_WITH_PARAMETERS = /(?:^|\/)\.{1,2};/

/** What is granted or not: a path that the service behind reads as it was judged. */
function judgedPath(raw: string): ObjectPath | Prefix {
  const { path } = parsedTarget(raw)
  if (!ENCODED.test(raw) && !DOTS_WITH_PARAMETERS.test(path)) return path
  throw new Refusal(
    'path_malformed',
    'the service could read this path as another: it has an encoded slash or backslash, dots or a semicolon encoded twice, or a segment such as "..;"',
  )
}

function parsedTarget(raw: string): Target {
  try {
    return parseTarget(raw)
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'path_malformed') throw error
    throw new Refusal(
      'path_malformed',
      `${error.detail}; no key grants any other path: serve what is behind /-/auth below a name such as /grafana/`,
    )
  }
}

/** With the host that the client named, where the proxy tells. */
function asForwarded({ method, headers }: RawRequest): Pick<RawRequest, 'method' | 'headers'> {
  const host = headers.get('x-forwarded-host')
  return { method, headers: host === undefined ? headers : new Map([...headers, ['host', host]]) }
}

/** How the two families of proxies state what they were asked. */
const FAMILIES = [
  ['x-forwarded-method', 'x-forwarded-uri'],
  ['x-original-method', 'x-original-uri'],
] as const

/**
 * A proxy sets one family and passes on what a client sent of the other: only one may be there,
 * or a client could have another URI judged than the one that is then served.
 */
function forwardedRequest(headers: Headers, basePath: string): RawRequest {
  const stated = FAMILIES.filter((names) => names.some((name) => headers.has(name)))
  const [family] = stated
  const [method, uri] = family?.map((name) => headers.get(name)) ?? []
  if (stated.length !== 1 || method === undefined || uri === undefined) {
    throw new Refusal(
      'request_malformed',
      'the proxy states what it was asked in X-Forwarded-Method and X-Forwarded-Uri, or in X-Original-Method and X-Original-URI: both of one pair, none of the other',
    )
  }
  return rawRequestOf(method, uri, Object.fromEntries(headers), basePath)
}
