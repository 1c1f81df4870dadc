/** What a request of tus asks for, read from its headers and its target. */
import { type Block, scopesOf } from '../../../key/claims.ts'
import { isMediaType } from '../../../key/media-type.ts'
import { type ObjectPath, parseObjectPath } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Grant } from '../../../key/sign.ts'
import { type Bytes, bytes } from '../../../key/units.ts'
import type { Headers, RawRequest } from '../../request.ts'
import type { MultipartRef } from '../../store/multipart.ts'
import { DEFAULT_TYPE } from '../../verbs/put.ts'
import { refBeneath } from '../upload.ts'
import { parseMetadata, textOf } from './metadata.ts'

export const VERSION = '1.0.0'
export const HERE = '/-/tus'

export const isTus = ({ path }: Pick<RawRequest, 'path'>): boolean =>
  path === HERE || path.startsWith(`${HERE}/`)

const malformed = (detail: string): Refusal => new Refusal('request_malformed', detail)

/**
 * "The X-HTTP-Method-Override request header MUST be a string which MUST be interpreted as the
 * request's method by the Server, if the header is presented." Of a POST only, as clients send it: a
 * request that was let through as one that changes nothing stays one.
 */
export const methodOf = ({ method, headers }: RawRequest): string =>
  method === 'POST' ? (headers.get('x-http-method-override') ?? method) : method

/** Undefined for `/-/tus/`, where uploads are created. @throws Refusal resource_not_found, path_malformed */
export const refOf = (request: RawRequest): MultipartRef | undefined =>
  request.path === HERE || request.path === `${HERE}/` ? undefined : refBeneath(HERE, request)

/** What a client wants to create. */
export interface Creation {
  readonly path: ObjectPath
  readonly type: string
  /** absent where it is to be stated later */
  readonly length?: Bytes
  /** Upload-Metadata as it came */
  readonly metadata: string
}

/** @throws Refusal request_malformed, path_malformed, headers_too_large, too_large */
export function creationOf({ headers }: RawRequest, grant: Grant): Creation {
  if (headers.has('upload-concat')) {
    throw malformed('uploads are not put together of others here: send each as one')
  }
  const header = headers.get('upload-metadata')
  const metadata = parseMetadata(header)
  const type = textOf(metadata, 'filetype') ?? DEFAULT_TYPE
  if (!isMediaType(type)) {
    throw malformed('"filetype" in Upload-Metadata is a media type such as image/png')
  }
  const length = lengthOf(headers)
  const isDeferred = headers.get('upload-defer-length') === '1'
  if (
    (length === undefined) !== isDeferred ||
    (!isDeferred && headers.has('upload-defer-length'))
  ) {
    throw malformed('send either Upload-Length, or "Upload-Defer-Length: 1"')
  }
  return {
    path: pathOf(textOf(metadata, 'path'), textOf(metadata, 'filename'), grant),
    type,
    ...(length !== undefined && { length }),
    metadata: header ?? '',
  }
}

/** @throws Refusal request_malformed, path_malformed */
function pathOf(path: string | undefined, name: string | undefined, grant: Grant): ObjectPath {
  if (path !== undefined) return parseObjectPath(path)
  const scopes = scopesInForce(grant.blocks)
  const [scope = '/'] = scopes
  if (scopes.length !== 1 || scope === '/') {
    throw malformed('state "path" in Upload-Metadata: base64 of BUCKET/KEY')
  }
  if (!scope.endsWith('/')) return parseObjectPath(scope)
  if (name === undefined || name.includes('/')) {
    throw malformed('state "path" in Upload-Metadata, or "filename": base64 of a name without "/"')
  }
  return parseObjectPath(scope + name)
}

/** Those of the last block that states any. */
function scopesInForce(blocks: readonly Block[]): readonly string[] {
  const path = blocks.findLast((block) => block.path !== undefined)?.path
  return path === undefined ? [] : scopesOf(path)
}

/** @throws Refusal request_malformed, too_large */
export const lengthOf = (headers: Headers): Bytes | undefined => count(headers, 'Upload-Length')

/** @throws Refusal request_malformed */
export function offsetOf(headers: Headers): Bytes {
  const offset = count(headers, 'Upload-Offset')
  if (offset === undefined) throw malformed('state Upload-Offset: where the bytes belong')
  return offset
}

/** "The value MUST be a non-negative integer." */
function count(headers: Headers, name: string): Bytes | undefined {
  const text = headers.get(name.toLowerCase())
  if (text === undefined) return undefined
  if (!/^(?:0|[1-9]\d*)$/.test(text)) throw malformed(`${name} is a whole number of bytes`)
  if (Number.isSafeInteger(Number(text))) return bytes(Number(text))
  throw new Refusal('too_large', `${name} is more than anything here can hold`)
}

export const CHUNK_TYPE = 'application/offset+octet-stream'

/**
 * "If the Content-Type is not application/offset+octet-stream, the Server SHOULD return the 415"
 * @throws Refusal type_mismatch, request_malformed
 */
export function checkChunk(headers: Headers): void {
  if (headers.get('content-type') !== CHUNK_TYPE) {
    throw new Refusal('type_mismatch', `bytes of an upload are sent as ${CHUNK_TYPE}`)
  }
  const coding = headers.get('content-encoding')?.toLowerCase()
  if (coding !== undefined && coding !== 'identity') {
    throw malformed('an upload is kept as its bytes are: send it without Content-Encoding')
  }
}
