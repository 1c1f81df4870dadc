/**
 * Resumable uploads as the IETF drafts them, in what its versions 5 and later have in common: a POST
 * with Upload-Complete begins, HEAD tells, PATCH goes on, DELETE ends.
 * Source: https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/
 */
import { isMediaType } from '../../key/media-type.ts'
import { type ObjectPath, parseTarget } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { type Bytes, bytes } from '../../key/units.ts'
import type { Exchange, FlatHeaders } from '../exchange.ts'
import { type Headers, hasBody, type RawRequest } from '../request.ts'
import { respond, respondJson } from '../respond.ts'
import type { Services } from '../services.ts'
import type { MultipartRef } from '../store/multipart.ts'
import { UNFINISHED_SECONDS } from '../verbs/begin.ts'
import { DEFAULT_TYPE } from '../verbs/put.ts'
import {
  beginResumable,
  endResumable,
  type Finished,
  isFinished,
  type Progress,
} from '../verbs/resume.ts'
import { native } from './native.ts'
import { MethodNotAllowed, problemOf } from './problem.ts'
import type { Protocol } from './protocol.ts'
import {
  added,
  admit,
  type Call,
  callOf,
  locationOf,
  type Open,
  OtherOffset,
  objectHeaders,
  offsetAt,
  open,
  refBeneath,
  settled,
  terminate,
} from './upload.ts'

const HERE = '/-/uploads'
const METHODS = 'POST, HEAD, PATCH, DELETE'
const PARTIAL = 'application/partial-upload'

/** "Upload-Draft-Interop-Version": of the versions whose interim response a client understands. */
const VERSIONS: ReadonlySet<string> = new Set(['6', '7', '8'])

export const isPartial = ({ path }: Pick<RawRequest, 'path'>): boolean =>
  path.startsWith(`${HERE}/`)

export const partial: Protocol = {
  ...native,
  name: 'partial',
  recognises: isPartial,
  serve,
  offers: (services) => ({ methods: METHODS, headers: limitsOf(services) }),
  problemOf: (refusal, { id }) => {
    const problem = problemOf(refusal, id)
    if (!(refusal instanceof OtherOffset)) return problem
    // "the server [...] MUST include the correct offset in the Upload-Offset header field"
    return { ...problem, headers: [...problem.headers, 'Upload-Offset', String(refusal.known)] }
  },
}

async function serve(request: RawRequest, exchange: Exchange, services: Services): Promise<void> {
  const call = await callOf(request, exchange, services)
  const { method } = request
  if (method === 'POST') return create(call)
  if (method === 'HEAD') return tell(refBeneath(HERE, request), call)
  if (method === 'PATCH') return goOn(refBeneath(HERE, request), call)
  if (method === 'DELETE') {
    await terminate(refBeneath(HERE, request), call)
    return respond(exchange, services, 204, [])
  }
  throw new MethodNotAllowed(method, `${METHODS}, OPTIONS`)
}

// ── reading ─────────────────────────────────────────────────────────────────

const malformed = (detail: string): Refusal => new Refusal('request_malformed', detail)

/** "The Upload-Complete header field [...] is an Item Structured Header Field" of a boolean. */
function isLast(headers: Headers): boolean {
  const stated = headers.get('upload-complete')
  if (stated === '?1') return true
  if (stated === '?0') return false
  throw malformed('state Upload-Complete: ?1 where the request brings the last byte, else ?0')
}

function count(headers: Headers, name: string): Bytes | undefined {
  const text = headers.get(name.toLowerCase())
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw malformed(`${name} is a whole number of bytes`)
  return bytes(Number(text))
}

/**
 * Of the whole, where the request says it: "in the Upload-Length header field", or as the end of
 * what it brings, where that is the last of it.
 * @throws Refusal request_malformed
 */
function wholeLength(headers: Headers, { incoming }: Exchange, offset: Bytes): Bytes | undefined {
  const stated = count(headers, 'Upload-Length')
  if (!isLast(headers)) return stated
  const brought = hasBody(incoming) ? count(headers, 'Content-Length') : bytes(0)
  if (brought === undefined) {
    if (stated !== undefined) return stated
    throw malformed('state Content-Length, or Upload-Length, with what is the last of an upload')
  }
  const end = bytes(offset + brought)
  if (stated === undefined || stated === end) return end
  throw malformed(
    `Upload-Length says ${stated} bytes, but the last one brought would be the ${end}th`,
  )
}

function typeOf(headers: Headers): string {
  const type = headers.get('content-type') ?? DEFAULT_TYPE
  if (type === PARTIAL) return DEFAULT_TYPE
  if (isMediaType(type)) return type
  throw malformed('Content-Type is a media type such as image/png')
}

function pathOf({ path }: RawRequest): ObjectPath {
  const named = parseTarget(path.slice(HERE.length))
  if (named.kind === 'object') return named.path
  throw malformed(`an upload is begun at ${HERE}/BUCKET/KEY`)
}

// ── acting ──────────────────────────────────────────────────────────────────

async function create(call: Call): Promise<void> {
  const { request, exchange, services, key } = call
  const { headers } = request
  const [path, type] = [pathOf(request), typeOf(headers)]
  checkCoding(headers)
  const length = wholeLength(headers, exchange, bytes(0))
  const admitted = await admit(call, { path, type, length })
  const found = await beginResumable(admitted, services, { key, told: '' })
  const location = ['Location', locationOf(HERE, found.upload, call)]
  const isTold = announce(exchange, [...location, ...limitsOf(services)])
  const at = await firstBytes({ found, admitted }, found, isTold, call, length)
  answer(at, call, 201, location)
}

/** Who is refused and was not told where the upload is can't go on with it: then there is none. */
async function firstBytes(
  open: Open,
  created: Progress,
  isTold: boolean,
  call: Call,
  length: Bytes | undefined,
): Promise<Progress | Finished> {
  if (!hasBody(call.exchange.incoming)) return settled(open, call)
  try {
    return await added(open, call, { length })
  } catch (error) {
    if (!isTold) await endResumable(created, call.services)
    throw error
  }
}

/**
 * "The server [...] MAY send a 104 (Upload Resumption Supported) interim response", by which the
 * client knows where to go on before the last byte is there. Node has no function for that status.
 */
function announce({ request, outgoing }: Exchange, headers: FlatHeaders): boolean {
  const version = request?.headers.get('upload-draft-interop-version')
  if (version === undefined || !VERSIONS.has(version) || outgoing.socket === null) return false
  const all = ['Upload-Draft-Interop-Version', version, ...headers]
  const lines = all.flatMap((name, at) => (at % 2 === 0 ? `${name}: ${all[at + 1]}\r\n` : []))
  outgoing.socket.write(`HTTP/1.1 104 Upload Resumption Supported\r\n${lines.join('')}\r\n`)
  return true
}

async function tell(ref: MultipartRef, call: Call): Promise<void> {
  const now = await settled(await open(ref, call), call)
  const length = isFinished(now) ? now.size : now.length
  const { exchange, services } = call
  respond(exchange, services, 204, [
    ...stateOf(now),
    ...NO_STORE,
    ...(length === undefined ? [] : ['Upload-Length', String(length)]),
    ...(isFinished(now) ? objectHeaders(now, services) : limitsOf(services)),
  ])
}

async function goOn(ref: MultipartRef, call: Call): Promise<void> {
  const { headers } = call.request
  if (headers.get('content-type') !== PARTIAL) {
    throw new Refusal('type_mismatch', `bytes of an upload are sent as ${PARTIAL}`)
  }
  checkCoding(headers)
  const offset = count(headers, 'Upload-Offset')
  if (offset === undefined) throw malformed('state Upload-Offset: where the bytes belong')
  const length = wholeLength(headers, call.exchange, offset)
  const opened = await open(ref, call, length)
  const known = offsetAt(opened.found)
  if (offset !== known) throw new OtherOffset(known, offset)
  answer(await added(opened, call, { length }), call, 200)
}

function checkCoding(headers: Headers): void {
  const coding = headers.get('content-encoding')?.toLowerCase()
  if (coding === undefined || coding === 'identity') return
  throw malformed('an upload is kept as its bytes are: send it without Content-Encoding')
}

// ── answering ───────────────────────────────────────────────────────────────

/** When it is whole, the answer is that of a PUT; until then it tells how far the upload is. */
function answer(
  at: Progress | Finished,
  { exchange, services }: Call,
  status: 200 | 201,
  more: FlatHeaders = [],
): void {
  const state = [...more, ...stateOf(at)]
  if (isFinished(at)) {
    const { path, size, type, etag, sha256 } = at
    const headers = [...state, ...objectHeaders(at, services)]
    respondJson(exchange, services, status, headers, { path, size, type, etag, sha256 })
  } else {
    const headers = [...state, ...NO_STORE, ...limitsOf(services)]
    respond(exchange, services, status === 201 ? 201 : 204, headers)
  }
}

const NO_STORE: FlatHeaders = ['Cache-Control', 'no-store']

const stateOf = (at: Progress | Finished): FlatHeaders => [
  'Upload-Complete',
  isFinished(at) ? '?1' : '?0',
  'Upload-Offset',
  String(offsetAt(at)),
]

/** "The Upload-Limit header field" is a dictionary: bytes, and seconds. */
const limitsOf = ({ settings }: Services): FlatHeaders => [
  'Upload-Limit',
  `max-size=${settings.maxObjectSize}, max-age=${UNFINISHED_SECONDS}`,
]
