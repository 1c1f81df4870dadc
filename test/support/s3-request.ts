/** Requests of S3 as bytes, signed in each of the ways that there are, for changing them afterwards. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { nodeHashing } from '../../key/dialects/node-sigv4.ts'
import {
  ALGORITHM,
  canonicalRequest,
  dateKeyOf,
  formatDateTime,
  scopeText,
  signature,
  signingKeyOf,
  stringToSign,
} from '../../key/dialects/sigv4.ts'
import { chunkChain } from '../../key/dialects/sigv4-chunks.ts'
import { nodeMac } from '../../key/node-mac.ts'
import type { UnixSeconds } from '../../key/units.ts'
import type { S3Credentials } from './s3.ts'

export interface SignedRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface ToSign {
  readonly host: string
  readonly now: UnixSeconds
  readonly credentials: S3Credentials
  readonly method?: string
  /** percent-encoded, without a query */
  readonly path: string
  readonly query?: readonly (readonly [string, string])[]
  readonly headers?: Readonly<Record<string, string>>
  readonly payloadHash?: string
}

const sha256 = (data: Uint8Array | string): string =>
  createHash('sha256').update(data).digest('hex')

const checksum = (data: Uint8Array): string => {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(crc32(data))
  return out.toString('base64')
}

const scopeOf = (dateTime: string) => ({
  date: dateTime.slice(0, 8),
  region: 'us-east-1',
  service: 's3',
})

const keyFor = ({ secretAccessKey }: S3Credentials, dateTime: string): Uint8Array =>
  signingKeyOf(dateKeyOf(secretAccessKey, nodeMac), scopeOf(dateTime), nodeMac)

/** A request signed in its header. */
export function signedRequest(asked: ToSign, body: Uint8Array = Buffer.alloc(0)): SignedRequest {
  const { method = 'PUT', host, credentials, path, query = [] } = asked
  const dateTime = formatDateTime(asked.now)
  const { payloadHash = sha256(body) } = asked
  const headers: Record<string, string> = {
    host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': dateTime,
    ...(credentials.sessionToken && { 'x-amz-security-token': credentials.sessionToken }),
    ...asked.headers,
  }
  const fields = Object.entries(headers).map(([name, value]) => [name, [value]] as const)
  const canonical = canonicalRequest({ method, path, query, headers: fields, payloadHash })
  const scope = scopeOf(dateTime)
  const toSign = stringToSign(dateTime, scope, canonical, nodeHashing)
  const signed = signature(keyFor(credentials, dateTime), toSign, nodeMac)
  const names = Object.keys(headers).sort().join(';')
  const authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scopeText(scope)}, SignedHeaders=${names}, Signature=${signed}`
  const text = query.map(([name, value]) => `${name}=${value}`).join('&')
  return {
    method,
    target: text === '' ? path : `${path}?${text}`,
    headers: { ...headers, authorization },
    body: Buffer.from(body),
  }
}

export const STREAMS = [
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
] as const

/** An upload in chunks; with a checksum, so that also what nobody signs is held to something. */
export function streamedRequest(
  asked: ToSign,
  payloadHash: (typeof STREAMS)[number],
  chunks: readonly Uint8Array[],
): SignedRequest {
  const content = Buffer.concat(chunks)
  const hasTrailer = payloadHash.endsWith('-TRAILER')
  const isSigned = payloadHash.includes('HMAC')
  const stated: Record<string, string> = hasTrailer
    ? { 'x-amz-trailer': 'x-amz-checksum-crc32' }
    : { 'x-amz-checksum-crc32': checksum(content) }
  const request = signedRequest({
    ...asked,
    payloadHash,
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(content.length),
      ...stated,
      ...asked.headers,
    },
  })
  const dateTime = request.headers['x-amz-date'] ?? ''
  const seed = /Signature=(.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const signingKey = keyFor(asked.credentials, dateTime)
  const chain = chunkChain({ dateTime, scope: scopeOf(dateTime), signingKey, seed }, nodeHashing)
  const framed = [...chunks, Buffer.alloc(0)].map((chunk) => {
    const head = chunk.length.toString(16)
    const signed = isSigned ? `;chunk-signature=${chain.chunk(sha256(chunk))}` : ''
    return [Buffer.from(`${head}${signed}\r\n`), chunk, Buffer.from(chunk.length > 0 ? '\r\n' : '')]
  })
  const line = `x-amz-checksum-crc32:${checksum(content)}`
  const signedTrailer = isSigned
    ? `x-amz-trailer-signature:${chain.trailer(sha256(`${line}\n`))}\r\n`
    : ''
  const trailer = hasTrailer ? `${line}\r\n${signedTrailer}` : ''
  return { ...request, body: Buffer.concat([...framed.flat(), Buffer.from(`${trailer}\r\n`)]) }
}
