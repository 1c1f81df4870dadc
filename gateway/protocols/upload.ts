/** One request of an upload that goes on where it broke off, whichever protocol speaks of it. */
import { createHash } from 'node:crypto'
import { type ObjectPath, parseTarget, targetOf } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import type { Bytes, UnixSeconds } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { Admitted } from '../admit.ts'
import { attemptOf, type Wanted } from '../attempt.ts'
import type { Exchange, FlatHeaders } from '../exchange.ts'
import { hasBody, type RawRequest } from '../request.ts'
import { reprDigest } from '../served.ts'
import type { Services } from '../services.ts'
import type { MultipartRef } from '../store/multipart.ts'
import { type Addition, append } from '../verbs/append.ts'
import { noSuchUpload } from '../verbs/multipart.ts'
import {
  endResumable,
  type Finished,
  findResumable,
  finishResumable,
  isFinished,
  isWhole,
  type Progress,
} from '../verbs/resume.ts'
import { claimOf } from './claim.ts'

/** One request, its key found good. */
export interface Call {
  readonly request: RawRequest
  readonly exchange: Exchange
  readonly services: Services
  readonly grant: Grant
  /** the key that is shown, as a SHA-256; what an upload is bound to */
  readonly key: string
}

/** @throws Refusal */
export async function callOf(
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<Call> {
  const claimed = claimOf(request)
  const grant = await services.gatekeeper.verify(claimed)
  exchange.grant = grant
  const key = createHash('sha256').update(claimed.key).digest('base64url')
  return { request, exchange, services, grant, key }
}

/**
 * The upload that a path beneath `here` names: `ID/BUCKET/KEY`. With the path in it, whether the key
 * covers it is known before anybody looks whether there is such an upload.
 * @throws Refusal resource_not_found, path_malformed
 */
export function refBeneath(here: string, { path }: RawRequest): MultipartRef {
  const [, id, target] = /^\/([0-9a-f]{32})(\/.+)$/.exec(path.slice(here.length)) ?? []
  const named = target === undefined ? undefined : parseTarget(target)
  if (id !== undefined && named?.kind === 'object') return { id, path: named.path }
  throw new Refusal(
    'resource_not_found',
    'an upload is at the URL that the header Location of its creation states',
  )
}

/** The key is in it where the request that creates the upload shows it in the URL. */
export function locationOf(here: string, { id, path }: MultipartRef, call: Call): string {
  const key = call.request.query.find(([name]) => name === 'vk')?.[1]
  const query = key === undefined ? '' : `?vk=${encodeURIComponent(key)}`
  return `${call.services.settings.basePath}${here}/${id}${targetOf(path)}${query}`
}

// ── admitting ───────────────────────────────────────────────────────────────

export interface Asked {
  readonly path: ObjectPath
  /** absent where nothing is known of such an upload */
  readonly type?: string
  readonly length?: Bytes | undefined
}

/** @param asOf when the upload was begun */
export function admit(
  { request, exchange, services, grant }: Call,
  { path, type, length }: Asked,
  asOf?: UnixSeconds,
): Awaitable<Admitted> {
  const upload = type !== undefined && { type, ...(length !== undefined && { size: length }) }
  const wanted: Wanted = { method: 'PUT', path, ...(upload && { upload }) }
  const attempt = attemptOf(wanted, request, exchange.client, services.clock.now())
  return services.gatekeeper.admit(grant, attempt, exchange.id, asOf)
}

/** An upload that somebody may go on with, and nobody sends to any more. */
export interface Open {
  readonly admitted: Admitted
  readonly found: Progress | Finished
}

/**
 * A key that has expired may go on with what it began in time; one that was revoked may not. Who may
 * not upload there does not learn whether there is such an upload.
 * @param stated the length, where this request is the first to say it
 * @throws Refusal
 */
export async function open(ref: MultipartRef, call: Call, stated?: Bytes): Promise<Open> {
  const admitted = await admitTo(ref, call, stated)
  await call.services.resuming.interrupt(ref.id)
  const found = await findOwn(ref, call)
  if (found === undefined) throw noSuchUpload()
  return { admitted, found }
}

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

// ── going on ────────────────────────────────────────────────────────────────

export const offsetAt = (at: Progress | Finished): Bytes => (isFinished(at) ? at.size : at.offset)

/** What a request sends belongs elsewhere. */
export class OtherOffset extends Refusal {
  readonly known: Bytes

  constructor(known: Bytes, stated: Bytes) {
    super('conflict', `the upload is at byte ${known}, not ${stated}: go on there`)
    this.known = known
  }
}

/** What a request says of the bytes that it brings; the length is that of the whole. */
export type Stated = Pick<Addition, 'length'> & Partial<Pick<Addition, 'checksum'>>

/** With what the body of the request brings. @throws Refusal */
export async function added(
  { found, admitted }: Open,
  call: Call,
  stated: Stated,
): Promise<Progress | Finished> {
  const length = newLength(found, stated.length)
  if (isFinished(found) || isWhole(found)) {
    if (!hasBody(call.exchange.incoming)) return finished({ found, admitted }, call)
    throw new Refusal('too_large', `the upload is whole: it has ${offsetAt(found)} bytes`)
  }
  const { checksum } = stated
  const sent = await sendTo(found, admitted, call, { length, checksum })
  return settled({ found: sent, admitted }, call)
}

async function sendTo(
  progress: Progress,
  admitted: Admitted,
  { exchange, services }: Call,
  addition: Omit<Addition, 'signal'>,
): Promise<Progress> {
  const { signal, end } = await services.resuming.begin(progress.upload.id)
  try {
    return await append(admitted, services, exchange, progress, { ...addition, signal })
  } finally {
    end()
  }
}

/** It may be whole while the process ended before the object was there. */
export const settled = async (open: Open, call: Call): Promise<Progress | Finished> =>
  isFinished(open.found) || isWhole(open.found) ? finished(open, call) : open.found

async function finished({ found, admitted }: Open, { services }: Call): Promise<Finished> {
  if (isFinished(found)) return found
  const { resuming } = services
  return resuming.finishing(found.upload.id, () => finishResumable(admitted, services, found))
}

/**
 * Once it is said, the length stays.
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

/** What is not whole ends; the object that it may have become stays. @throws Refusal */
export async function terminate(ref: MultipartRef, call: Call): Promise<void> {
  const { found } = await open(ref, call)
  if (!isFinished(found)) await endResumable(found, call.services)
}

/** Of the object that an upload has become. */
export const objectHeaders = (
  { etag, sha256, path }: Finished,
  { settings }: Services,
): FlatHeaders => [
  'ETag',
  etag,
  'Repr-Digest',
  reprDigest(sha256),
  'Content-Location',
  settings.basePath + targetOf(path),
]
