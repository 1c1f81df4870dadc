/**
 * Resumable uploads: tus 1.0.0 with its extensions creation, creation-with-upload,
 * creation-defer-length, expiration, checksum and termination.
 * Source: https://tus.io/protocols/resumable-upload
 */
import { Refusal } from '../../../key/refusal.ts'
import { formatHttpDate } from '../../body/conditional.ts'
import type { Exchange, FlatHeaders } from '../../exchange.ts'
import { hasBody, type RawRequest } from '../../request.ts'
import { respond } from '../../respond.ts'
import type { Services } from '../../services.ts'
import type { MultipartRef } from '../../store/multipart.ts'
import {
  beginResumable,
  endResumable,
  type Finished,
  isFinished,
  isWhole,
  type Progress,
} from '../../verbs/resume.ts'
import { native } from '../native.ts'
import { MethodNotAllowed, problemOf } from '../problem.ts'
import type { Protocol } from '../protocol.ts'
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
  type Stated,
  settled,
  terminate,
} from '../upload.ts'
import { ALGORITHMS, statedChecksum } from './checksum.ts'
import {
  CHUNK_TYPE,
  checkChunk,
  creationOf,
  HERE,
  isTus,
  lengthOf,
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

async function serve(request: RawRequest, exchange: Exchange, services: Services): Promise<void> {
  const call = await callOf(request, exchange, services)
  checkVersion(request)
  const method = methodOf(request)
  const ref = refOf(request)
  if (ref === undefined && method === 'POST') return create(call)
  if (ref !== undefined && method === 'HEAD') return tell(ref, call)
  if (ref !== undefined && method === 'PATCH') return goOn(ref, call)
  if (ref !== undefined && method === 'DELETE') {
    await terminate(ref, call)
    // "the Server SHOULD respond with the 204 No Content status"
    return respond(exchange, services, 204, RESUMABLE)
  }
  throw new MethodNotAllowed(method, `${METHODS}, OPTIONS`)
}

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
  const found = await beginResumable(admitted, services, { key, told: metadata })
  const at =
    isWithUpload || isWhole(found) ? await firstBytes(found, { found, admitted }, call) : found
  const headers = [
    ...RESUMABLE,
    'Location',
    locationOf(HERE, found.upload, call),
    ...(isWithUpload ? ['Upload-Offset', String(offsetAt(at))] : []),
    ...stateOf(at, services),
  ]
  respond(exchange, services, 201, headers, '')
}

/** Who is refused does not know where the upload is: then there is none. */
async function firstBytes(created: Progress, open: Open, call: Call): Promise<Progress | Finished> {
  try {
    return await added(open, call, statedBy(call))
  } catch (error) {
    await endResumable(created, call.services)
    throw error
  }
}

const statedBy = ({ request: { headers } }: Call): Stated => ({
  length: lengthOf(headers),
  checksum: statedChecksum(headers.get('upload-checksum')),
})

// ── going on ────────────────────────────────────────────────────────────────

/** "The Server MUST always include the Upload-Offset header in the response for a HEAD request" */
async function tell(ref: MultipartRef, call: Call): Promise<void> {
  const { exchange, services } = call
  const now = await settled(await open(ref, call), call)
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
  const opened = await open(ref, call, lengthOf(headers))
  const known = offsetAt(opened.found)
  // "If the offsets do not match, the Server MUST respond with the 409 Conflict status"
  if (offset !== known) throw new OtherOffset(known, offset)
  const done = await added(opened, call, statedBy(call))
  respond(exchange, services, 204, [
    ...RESUMABLE,
    'Upload-Offset',
    String(offsetAt(done)),
    ...stateOf(done, services),
  ])
}

function stateOf(at: Progress | Finished, services: Services): FlatHeaders {
  if (isFinished(at)) return objectHeaders(at, services)
  return ['Upload-Expires', formatHttpDate(at.upload.expires)]
}
