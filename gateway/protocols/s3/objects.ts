/** Operations on one object: get, head, put, copy, delete. */
import type { Wanted } from '../../attempt.ts'
import { parseHttpDate, writeCondition } from '../../body/conditional.ts'
import type { Shown } from '../../caching.ts'
import type { FlatHeaders } from '../../exchange.ts'
import { sendObject } from '../../send-object.ts'
import { holds } from '../../store/condition.ts'
import type { ObjectInfo, ObjectMeta } from '../../store/store.ts'
import { copy, sourceOf } from '../../verbs/copy.ts'
import { remove } from '../../verbs/delete.ts'
import { type Download, get, head } from '../../verbs/get.ts'
import { put } from '../../verbs/put.ts'
import { bodyOf, declaredSize } from './body.ts'
import { admit, answer, answerXml, type Call, requestId } from './call.ts'
import { copySourceOf } from './copy-source.ts'
import { invalidArgument, S3Refusal } from './errors.ts'
import { checksumHeaders, metaHeaders, metaStated, tagsStated, typeStated } from './metadata.ts'
import type { OperationNamed, S3Object } from './operation.ts'
import { timeOf } from './time.ts'

export async function getObject(
  { name, object, part }: OperationNamed<'GetObject' | 'HeadObject'>,
  call: Call,
): Promise<void> {
  const { request, exchange, services } = call
  const admitted = await admit(call, { method: 'GET', path: object.path })
  const read = name === 'GetObject' ? get : head
  const asked = { headers: request.headers, ...(part !== undefined && { part }) }
  const download = await read(admitted, services, asked)
  const shown = request.headers.has('authorization') ? SIGNED : PRESIGNED
  await sendObject(download, admitted, exchange, services, shown, headersOf(download, call))
}

/** What clients of S3 store with an object, they get back. */
const PRESIGNED: Shown = { stored: 'stated' }
const SIGNED: Shown = { stored: 'unshared' }

function headersOf(download: Download, { request, exchange }: Call): FlatHeaders {
  const { info, status, isPart } = download
  const isWhole =
    status === 200 && /^enabled$/i.test(request.headers.get('x-amz-checksum-mode') ?? '')
  const parts = info.meta?.partSizes
  return [
    ...metaHeaders(info),
    ...(isWhole ? checksumHeaders(info.meta?.checksums) : []),
    ...(isPart && parts !== undefined ? ['x-amz-mp-parts-count', String(parts.length)] : []),
    ...requestId(exchange),
  ]
}

/** What an upload declares of itself. @throws S3Refusal */
export function uploadWanted(call: Call, { path }: S3Object): Wanted {
  const size = declaredSize(call)
  const type = typeStated(call.request.headers)
  return { method: 'PUT', path, upload: { type, ...(size !== undefined && { size }) } }
}

export async function putObject(
  { object }: OperationNamed<'PutObject'>,
  call: Call,
): Promise<void> {
  const { request, exchange, services } = call
  const meta = { ...metaStated(request.headers), ...tagsOf(request.headers) }
  const condition = writeCondition(request.headers)
  const admitted = await admit(call, uploadWanted(call, object))
  const { body, digest } = await bodyOf(call)
  const { info } = await put(admitted, services, exchange, {
    condition,
    body,
    digest,
    describe: () => ({ etag: digest.etag, ...withChecksums(meta, digest.checksums) }),
  })
  answer(call, 200, ['ETag', info.etag, ...checksumHeaders(digest.checksums)])
}

const tagsOf = (headers: Call['request']['headers']): ObjectMeta => {
  const tags = tagsStated(headers)
  return tags === undefined ? {} : { tags }
}

/** Undefined rather than empty: most objects have none. */
export function withChecksums(
  meta: ObjectMeta,
  checksums: ObjectMeta['checksums'],
): { meta?: ObjectMeta } {
  const all = { ...meta, ...(checksums !== undefined && { checksums }) }
  return Object.keys(all).length === 0 ? {} : { meta: all }
}

export async function deleteObject(
  { object }: OperationNamed<'DeleteObject'>,
  call: Call,
): Promise<void> {
  const admitted = await admit(call, { method: 'DELETE', path: object.path })
  await remove(admitted, call.services, call.request.headers)
  answer(call, 204)
}

// ── copying ─────────────────────────────────────────────────────────────────

export async function copyObject(
  { object }: OperationNamed<'CopyObject'>,
  call: Call,
): Promise<void> {
  const { request, services } = call
  const from = copySourceOf(request.headers)
  const source = await sourceOf(await admit(call, { method: 'GET', path: from.path }), services)
  checkSourceConditions(source, request.headers)
  const replaces = directive(request.headers, 'x-amz-metadata-directive')
  const retags = directive(request.headers, 'x-amz-tagging-directive')
  // "or storage class": there is one, so that is all that changes
  const reclasses = request.headers.has('x-amz-storage-class')
  if (from.path === object.path && !replaces && !retags && !reclasses) {
    throw new S3Refusal(
      'InvalidRequest',
      'an object is copied onto itself only to change its metadata: set x-amz-metadata-directive to REPLACE',
    )
  }
  const type = replaces ? typeStated(request.headers) : source.type
  const upload = { type, size: source.size }
  const admitted = await admit(call, { method: 'PUT', path: object.path, upload })
  const { info } = await copy(admitted, services, {
    source,
    condition: writeCondition(request.headers),
    meta: metaOfCopy(source, request.headers, replaces, retags),
  })
  answerXml(call, [
    'CopyObjectResult',
    [
      ['LastModified', timeOf(info.modified)],
      ['ETag', info.etag],
    ],
  ])
}

/** Content and what was computed of it stay, whatever is replaced. */
function metaOfCopy(
  { meta = {} }: ObjectInfo,
  headers: Call['request']['headers'],
  replaces: boolean,
  retags: boolean,
): ObjectMeta {
  const { tags, checksums, partSizes, ...stated } = meta
  const kept = { checksums, partSizes, tags: retags ? tagsStated(headers) : tags }
  const all = { ...(replaces ? metaStated(headers) : stated), ...kept }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Whether REPLACE is stated. @throws S3Refusal InvalidArgument */
function directive(headers: Call['request']['headers'], name: string): boolean {
  const stated = headers.get(name)?.toUpperCase() ?? 'COPY'
  if (stated === 'COPY' || stated === 'REPLACE') return stated === 'REPLACE'
  throw invalidArgument(`${name} is COPY or REPLACE`)
}

/** `x-amz-copy-source-if-*`. @throws Refusal precondition_failed */
export function checkSourceConditions(
  source: ObjectInfo,
  headers: Call['request']['headers'],
): void {
  const named = (name: string) => headers.get(`x-amz-copy-source-${name}`)
  const since = named('if-modified-since')
  const stated: Record<string, string | undefined> = {
    'if-match': named('if-match'),
    'if-none-match': named('if-none-match'),
    'if-unmodified-since': named('if-unmodified-since'),
  }
  const present = Object.entries(stated).filter(([, value]) => value !== undefined)
  const condition = writeCondition(new Map(present as [string, string][]))
  const isOlder = since !== undefined && source.modified <= (parseHttpDate(since) ?? 0)
  if (!holds(condition, source) || (isOlder && stated['if-none-match'] === undefined)) {
    throw new S3Refusal('PreconditionFailed', 'the source is not in the state that is asked for')
  }
}
