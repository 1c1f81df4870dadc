/**
 * Resumable uploads: tus 1.0.0 with its extensions creation, creation-with-upload,
 * creation-defer-length, expiration, checksum and termination.
 * Source: https://tus.io/protocols/resumable-upload
 */
import { createHash } from 'node:crypto'
import { targetOf } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Grant } from '../../../key/sign.ts'
import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import type { Admitted } from '../../admit.ts'
import { attemptOf, type Wanted } from '../../attempt.ts'
import { formatHttpDate } from '../../body/conditional.ts'
import type { Exchange, FlatHeaders } from '../../exchange.ts'
import { hasBody, type RawRequest } from '../../request.ts'
import { respond } from '../../respond.ts'
import { reprDigest } from '../../served.ts'
import type { Services } from '../../services.ts'
import type { MultipartRef } from '../../store/multipart.ts'
import { append } from '../../verbs/append.ts'
import { noSuchUpload } from '../../verbs/multipart.ts'
import {
  beginResumable,
  endResumable,
  type Finished,
  findResumable,
  finishResumable,
  isFinished,
  isWhole,
  type Progress,
} from '../../verbs/resume.ts'
import { claimOf } from '../claim.ts'
import { native } from '../native.ts'
import { MethodNotAllowed, problemOf } from '../problem.ts'
import type { Protocol } from '../protocol.ts'
import { ALGORITHMS, statedChecksum } from './checksum.ts'
import {
  CHUNK_TYPE,
  checkChunk,
  creationOf,
  isTus,
  lengthOf,
  locationOf,
  methodOf,
  offsetOf,
  refOf,
  VERSION,
} from './request.ts'

const RESUMABLE: FlatHeaders = ['Tus-Resumable', VERSION, 'Cache-Control', 'no-store']

const METHODS = 'POST, HEAD, PATCH, DELETE'

const EXTENSIONS =
  'creation,creation-with-upload,creation-defer-length,expiration,checksum,termination'

export const tus: Protocol = {
  name: 'tus',
  recognises: isTus,
  serve,
  preflight: native.preflight,
  offers: ({ settings }) => ({
    methods: METHODS,
    headers: [
      'Tus-Resumable',
      VERSION,
      'Tus-Version',
      VERSION,
      'Tus-Extension',
      EXTENSIONS,
      'Tus-Max-Size',
      String(settings.maxObjectSize),
      'Tus-Checksum-Algorithm',
      ALGORITHMS,
    ],
  }),
  problemOf: (refusal, { id }) => {
    const problem = problemOf(refusal, id)
    const told = ['Tus-Resumable', VERSION, 'Tus-Version', VERSION]
    return { ...problem, headers: [...problem.headers, ...told] }
  },
}

/** One request, its key found good. */
interface Call {
  readonly request: RawRequest
  readonly exchange: Exchange
  readonly services: Services
  readonly grant: Grant
  /** the key that is shown; what an upload is bound to */
  readonly key: string
}

async function serve(request: RawRequest, exchange: Exchange, services: Services): Promise<void> {
  const claimed = claimOf(request)
  const grant = await services.gatekeeper.verify(claimed)
  exchange.grant = grant
  checkVersion(request)
  const call: Call = { request, exchange, services, grant, key: fingerprint(claimed.key) }
  const method = methodOf(request)
  const ref = refOf(request)
  if (ref === undefined && method === 'POST') return create(call)
  if (ref !== undefined && method === 'HEAD') return tell(ref, call)
  if (ref !== undefined && method === 'PATCH') return goOn(ref, call)
  if (ref !== undefined && method === 'DELETE') return terminate(ref, call)
  throw new MethodNotAllowed(method, `${METHODS}, OPTIONS`)
}

/** What an upload remembers of its key: not the key. */
const fingerprint = (key: string): string => createHash('sha256').update(key).digest('base64url')

/**
 * "The Tus-Resumable header MUST be included in every request [...] If the version specified by the
 * Client is not supported by the Server, it MUST respond with the 412 Precondition Failed status"
 */
function checkVersion({ headers }: RawRequest): void {
  if (headers.get('tus-resumable') === VERSION) return
  throw new Refusal('precondition_failed', `send "Tus-Resumable: ${VERSION}": no other is spoken`)
}

// ── creation ────────────────────────────────────────────────────────────────

async function create(call: Call): Promise<void> {
  const { request, exchange, services, grant, key } = call
  const { path, type, length, metadata } = creationOf(request, grant)
  const isWithUpload = request.headers.get('content-type') === CHUNK_TYPE
  if (hasBody(exchange.incoming) && !isWithUpload) checkChunk(request.headers)
  const admitted = await admit(call, { path, type, length })
  const created = await beginResumable(admitted, services, { key, told: metadata })
  const { upload } = created
  const at = isWithUpload || isWhole(created) ? await firstBytes(created, admitted, call) : created
  const shown = request.query.find(([name]) => name === 'vk')?.[1]
  const headers = [
    ...RESUMABLE,
    'Location',
    locationOf(upload, services.settings.basePath, shown),
    ...(isWithUpload ? ['Upload-Offset', String(offsetAt(at))] : []),
    ...stateOf(at, services),
  ]
  respond(exchange, services, 201, headers, '')
}

/** Who is refused does not know where the upload is: then there is none. */
async function firstBytes(
  created: Progress,
  admitted: Admitted,
  call: Call,
): Promise<Progress | Finished> {
  try {
    return await added(created, admitted, call)
  } catch (error) {
    await endResumable(created, call.services)
    throw error
  }
}

// ── going on ────────────────────────────────────────────────────────────────

/** "The Server MUST always include the Upload-Offset header in the response for a HEAD request" */
async function tell(ref: MultipartRef, call: Call): Promise<void> {
  const { exchange, services } = call
  const admitted = await admitTo(ref, call)
  await services.resuming.interrupt(ref.id)
  const found = await findOwn(ref, call)
  if (found === undefined) throw noSuchUpload()
  // it may be whole while the process ended before the object was there
  const isLeft = !isFinished(found) && isWhole(found)
  const now = isLeft ? await finished(found, admitted, call) : found
  const length = isFinished(now) ? now.size : now.length
  respond(exchange, services, 200, [
    ...RESUMABLE,
    'Upload-Offset',
    String(offsetAt(now)),
    ...(length === undefined ? ['Upload-Defer-Length', '1'] : ['Upload-Length', String(length)]),
    ...(now.told === '' ? [] : ['Upload-Metadata', now.told]),
    ...stateOf(now, services),
  ])
}

async function goOn(ref: MultipartRef, call: Call): Promise<void> {
  const { request, exchange, services } = call
  const { headers } = request
  checkChunk(headers)
  const offset = offsetOf(headers)
  const admitted = await admitTo(ref, call, lengthOf(headers))
  await services.resuming.interrupt(ref.id)
  const found = await findOwn(ref, call)
  if (found === undefined) throw noSuchUpload()
  const known = offsetAt(found)
  // "If the offsets do not match, the Server MUST respond with the 409 Conflict status"
  if (offset !== known) throw otherOffset(known, offset)
  const done = await added(found, admitted, call)
  respond(exchange, services, 204, [
    ...RESUMABLE,
    'Upload-Offset',
    String(offsetAt(done)),
    ...stateOf(done, services),
  ])
}

const offsetAt = (at: Progress | Finished): Bytes => (isFinished(at) ? at.size : at.offset)

const otherOffset = (known: Bytes, stated: Bytes): Refusal =>
  new Refusal('conflict', `the upload is at byte ${known}, not ${stated}: go on there`)

/** With what the body of the request brings. */
async function added(
  found: Progress | Finished,
  admitted: Admitted,
  call: Call,
): Promise<Progress | Finished> {
  const length = newLength(found, lengthOf(call.request.headers))
  if (isFinished(found) || isWhole(found)) {
    if (!hasBody(call.exchange.incoming)) return finished(found, admitted, call)
    throw new Refusal('too_large', `the upload is whole: it has ${offsetAt(found)} bytes`)
  }
  const sent = await sendTo(found, admitted, call, length)
  return isWhole(sent) ? finished(sent, admitted, call) : sent
}

const finished = async (
  found: Progress | Finished,
  admitted: Admitted,
  { services }: Call,
): Promise<Finished> => (isFinished(found) ? found : finishResumable(admitted, services, found))

/**
 * "Once it is set the length MUST NOT be changed."
 * @returns what was not known before
 * @throws Refusal conflict, too_large
 */
function newLength(found: Progress | Finished, stated: Bytes | undefined): Bytes | undefined {
  const known = isFinished(found) ? found.size : found.length
  if (stated === undefined || stated === known) return undefined
  if (known !== undefined) {
    throw new Refusal('conflict', `the upload has a length already: ${known} bytes`)
  }
  if (stated >= offsetAt(found)) return stated
  throw new Refusal('too_large', `the upload has ${offsetAt(found)} bytes already`)
}

async function sendTo(
  progress: Progress,
  admitted: Admitted,
  { request, exchange, services }: Call,
  length: Bytes | undefined,
): Promise<Progress> {
  const checksum = statedChecksum(request.headers.get('upload-checksum'))
  const { signal, end } = await services.resuming.begin(progress.upload.id)
  try {
    return await append(admitted, services, exchange, progress, { signal, checksum, length })
  } finally {
    end()
  }
}

/** "the Server SHOULD respond with the 204 No Content status" */
async function terminate(ref: MultipartRef, call: Call): Promise<void> {
  const { exchange, services } = call
  await admitTo(ref, call)
  await services.resuming.interrupt(ref.id)
  const found = await findOwn(ref, call)
  if (found === undefined) throw noSuchUpload()
  if (!isFinished(found)) await endResumable(found, services)
  respond(exchange, services, 204, RESUMABLE)
}

// ── admitting ───────────────────────────────────────────────────────────────

interface Asked {
  readonly path: MultipartRef['path']
  /** absent where nothing is known of such an upload */
  readonly type?: string
  readonly length?: Bytes | undefined
}

/** @param asOf when the upload was begun */
function admit(call: Call, { path, type, length }: Asked, asOf?: UnixSeconds): Awaitable<Admitted> {
  const { request, exchange, services, grant } = call
  const upload = type !== undefined && { type, ...(length !== undefined && { size: length }) }
  const wanted: Wanted = { method: 'PUT', path, ...(upload && { upload }) }
  const attempt = attemptOf(wanted, request, exchange.client, services.clock.now())
  return services.gatekeeper.admit(grant, attempt, exchange.id, asOf)
}

/**
 * A key that has expired may go on with what it began in time; one that was revoked may not. Who may
 * not upload there does not learn whether there is such an upload.
 * @param stated the length, where this request is the first to say it
 */
async function admitTo(ref: MultipartRef, call: Call, stated?: Bytes): Promise<Admitted> {
  const { path } = ref
  const found = await findOwn(ref, call)
  if (found === undefined) return admit(call, { path })
  if (isFinished(found)) return admit(call, { path }, found.created)
  const { type, created } = found.upload
  return admit(call, { path, type, length: found.length ?? stated }, created)
}

/** An upload belongs to the key that began it, to the letter. */
async function findOwn(
  ref: MultipartRef,
  { services, key }: Call,
): Promise<Progress | Finished | undefined> {
  const found = await findResumable(ref, services)
  return found?.key === key ? found : undefined
}

// ── answering ───────────────────────────────────────────────────────────────

function stateOf(at: Progress | Finished, { settings }: Services): FlatHeaders {
  if (!isFinished(at)) return ['Upload-Expires', formatHttpDate(at.upload.expires)]
  return [
    'ETag',
    at.etag,
    'Repr-Digest',
    reprDigest(at.sha256),
    'Content-Location',
    settings.basePath + targetOf(at.path),
  ]
}
