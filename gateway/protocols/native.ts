/** The native protocol: a key in the query, as a bearer token, or in a cookie; plain HTTP verbs. */
import { clear } from '../../key/clear.ts'
import { isMediaType } from '../../key/media-type.ts'
import { type Prefix, parseTarget, type Target, targetOf } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { type Bytes, bytes, formatTime } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { Admitted } from '../admit.ts'
import { attemptOf, type Wanted } from '../attempt.ts'
import { andThen } from '../awaitable.ts'
import { writeCondition } from '../body/conditional.ts'
import { Digester, etagOf, statedDigests } from '../body/digest.ts'
import { BodyReader } from '../body/receive.ts'
import type { Exchange } from '../exchange.ts'
import { Memo } from '../memo.ts'
import { LISTING_HEADERS, listingPage } from '../pages/listing.ts'
import { wantsHtml } from '../pages/strict.ts'
import { type Headers, isForm, parameter, type Query, type RawRequest } from '../request.ts'
import { respond, respondJson } from '../respond.ts'
import { sendObject } from '../send-object.ts'
import { respondZip } from '../send-zip.ts'
import type { Services } from '../services.ts'
import type { ObjectInfo } from '../store/store.ts'
import { remove } from '../verbs/delete.ts'
import { get, head } from '../verbs/get.ts'
import { type ListRequest, list, MAX_LISTED } from '../verbs/list.ts'
import { DEFAULT_TYPE, type PutRequest, put } from '../verbs/put.ts'
import { claimOf, shownIn, showsKey } from './claim.ts'
import { problemFor } from './problem.ts'
import type { Protocol } from './protocol.ts'

/** What a request asks for, in our own words. */
export interface Action extends Wanted {
  readonly kind: Target['kind']
  /** GET without its body */
  readonly head: boolean
}

export const native: Protocol = {
  name: 'native',
  recognises: (request) => !request.path.startsWith('/-/') && showsKey(request) && !isForm(request),
  serve,
  preflight: async (request, _, { gatekeeper }) =>
    request.query.some(([name]) => name === 'vk') ? gatekeeper.verify(claimOf(request)) : undefined,
  problemOf: problemFor,
}

function serve(request: RawRequest, exchange: Exchange, services: Services): Awaitable<void> {
  const { gatekeeper, clock } = services
  const action = actionOf(request)
  return andThen(gatekeeper.verify(claimOf(request)), (grant) => {
    exchange.grant = grant
    const attempt = attemptOf(action, request, exchange.client, clock.now())
    return andThen(gatekeeper.admit(grant, attempt, exchange.id), (admitted) =>
      perform(action, request, admitted, exchange, services),
    )
  })
}

// ── reading ─────────────────────────────────────────────────────────────────

const targets = new Memo<Target>(1 << 18)

/** @throws Refusal method_not_allowed, path_malformed, request_malformed */
export function actionOf({ method, path, headers }: RawRequest): Action {
  const target = targets.get(path) ?? targets.add(path, parseTarget(path))
  const { kind } = target
  switch (method) {
    case 'GET':
    case 'HEAD': {
      const head = method === 'HEAD'
      return { kind, path: target.path, method: kind === 'object' ? 'GET' : 'LIST', head }
    }
    case 'PUT': {
      const { path } = objectOnly(target)
      return { kind, path, method, head: false, upload: uploadOf(headers) }
    }
    case 'DELETE':
      return { kind, path: objectOnly(target).path, method, head: false }
    default:
      throw new Refusal(
        'method_not_allowed',
        `${method} is not served here; GET, HEAD, PUT and DELETE are`,
      )
  }
}

function objectOnly(target: Target): Target {
  if (target.kind === 'object') return target
  throw new Refusal('path_malformed', 'the path names a folder: write /BUCKET/KEY for one object')
}

/** @throws Refusal request_malformed */
function uploadOf(headers: Headers): NonNullable<Wanted['upload']> {
  const type = headers.get('content-type') ?? DEFAULT_TYPE
  if (!isMediaType(type)) {
    throw new Refusal('request_malformed', 'Content-Type is a media type such as image/png')
  }
  if (headers.has('content-range')) {
    // RFC 9110 §14.5: a PUT with Content-Range is to be refused by a server that does not support partial PUT
    throw new Refusal(
      'request_malformed',
      'an upload is sent whole: Content-Range is not taken with PUT',
    )
  }
  if (headers.get('upload-complete') === '?0') {
    throw new Refusal(
      'request_malformed',
      'an upload is sent whole: one that goes on later is begun by POST at /-/uploads/BUCKET/KEY',
    )
  }
  const coding = headers.get('content-encoding')?.toLowerCase()
  if (coding !== undefined && coding !== 'identity') {
    throw new Refusal(
      'request_malformed',
      'an upload is kept as its bytes are: send it without Content-Encoding',
    )
  }
  const length = headers.get('content-length')
  return { type, ...(length !== undefined && { size: sizeOf(length) }) }
}

/** @throws Refusal request_malformed, too_large */
function sizeOf(length: string): Bytes {
  if (!/^\d+$/.test(length)) {
    throw new Refusal('request_malformed', 'Content-Length is a whole number of bytes')
  }
  if (Number.isSafeInteger(Number(length))) return bytes(Number(length))
  throw new Refusal('too_large', 'the upload has more bytes than anything here can hold')
}

// ── acting ──────────────────────────────────────────────────────────────────

function perform(
  action: Action,
  request: RawRequest,
  admitted: Admitted,
  exchange: Exchange,
  services: Services,
): Awaitable<void> {
  switch (action.method) {
    case 'GET': {
      const answer = action.head ? head : get
      return andThen(answer(admitted, services, request), (download) =>
        sendObject(download, admitted, exchange, services, shownIn(request)),
      )
    }
    case 'PUT':
      return takeUpload(request, admitted, exchange, services)
    case 'DELETE':
      return andThen(remove(admitted, services, request.headers), () =>
        respond(exchange, services, 204, []),
      )
    case 'LIST':
      if (parameter(request.query, 'zip') !== undefined) {
        return respondZip(request.query, action.head, admitted, exchange, services)
      }
      return sendListing(action, request, admitted, exchange, services)
  }
}

async function takeUpload(
  request: RawRequest,
  admitted: Admitted,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  const asked = putRequestOf(request, exchange)
  const { info, created } = await put(admitted, services, exchange, asked)
  const location = ['ETag', info.etag, 'Location', locationOf(info, services)]
  respondJson(exchange, services, created ? 201 : 200, location, describe(info))
}

/** @throws Refusal request_malformed */
const putRequestOf = ({ headers }: RawRequest, { incoming }: Exchange): PutRequest => ({
  condition: writeCondition(headers),
  body: (onBytes) => new BodyReader(incoming, onBytes),
  digest: new Digester(statedDigests(headers)),
  describe: ({ sha256 }) => ({ etag: etagOf(sha256) }),
})

export const locationOf = (info: ObjectInfo, { settings }: Services): string =>
  settings.basePath + targetOf(info.path)

/** An upload, as it is answered. */
export const describe = ({ path, size, type, etag, sha256 }: ObjectInfo) => ({
  path,
  size,
  type,
  etag,
  sha256,
})

async function sendListing(
  { path, head }: Action,
  { query, headers }: RawRequest,
  admitted: Admitted,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  if (wantsHtml(headers.get('accept'))) {
    const listing = await list(admitted, services, listRequest(query, '/'), head)
    const key = parameter(query, 'vk')
    const page = await listingPage(path as Prefix, listing, {
      query: key === undefined ? '' : `?vk=${key}`,
      hasParent: opensAbove(path as Prefix, admitted),
    })
    return respond(exchange, services, 200, LISTING_HEADERS, page)
  }
  const { objects, prefixes, next } = await list(admitted, services, listRequest(query), head)
  respondJson(exchange, services, 200, [], {
    prefix: path,
    objects: objects.map(({ path, size, type, etag, modified }) => ({
      path,
      size,
      type,
      etag,
      modified: formatTime(modified),
    })),
    prefixes,
    ...(next !== undefined && { next }),
  })
}

function opensAbove(prefix: Prefix, { grant, attempt }: Admitted): boolean {
  if (prefix === '') return false
  const path = prefix.slice(0, prefix.lastIndexOf('/', prefix.length - 2) + 1) as Prefix
  return clear(grant, { ...attempt, path }) === undefined
}

/** `?delimiter=/&after=&limit=`. @throws Refusal request_malformed */
function listRequest(query: Query, defaultDelimiter?: string): ListRequest {
  const delimiter = parameter(query, 'delimiter') || defaultDelimiter
  const after = parameter(query, 'after') || undefined
  const limit = parameter(query, 'limit') ?? String(MAX_LISTED)
  if (!/^[1-9]\d{0,3}$/.test(limit) || Number(limit) > MAX_LISTED) {
    throw new Refusal('request_malformed', `limit is a whole number from 1 to ${MAX_LISTED}`)
  }
  return {
    limit: Number(limit),
    ...(delimiter !== undefined && { delimiter }),
    ...(after !== undefined && { after }),
  }
}
