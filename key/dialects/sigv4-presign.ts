/** The other direction: presigned URLs and POST forms, made with an S3 credential. */
import type { UnixSeconds } from '../units.ts'
import {
  ALGORITHM,
  canonicalQuery,
  canonicalRequest,
  type DateKey,
  formatDateTime,
  type Hashing,
  type RawPair,
  type Scope,
  scopeText,
  signature,
  signingKeyOf,
  stringToSign,
  UNSIGNED_PAYLOAD,
  uriEncode,
} from './sigv4.ts'

/** What signs: an access key, or a temporary one with its session token. */
export interface SigV4Credential {
  readonly accessKeyId: string
  readonly dateKey: DateKey
  readonly sessionToken?: string
}

interface Signing {
  readonly credential: SigV4Credential
  readonly region: string
  readonly now: UnixSeconds
}

export interface PresignRequest extends Signing {
  readonly method: string
  /** scheme, host and, behind a proxy, a path, without a slash at its end */
  readonly publicUrl: string
  /** percent-encoded: `/bucket/key` */
  readonly target: string
  /** seconds; at most 604800 */
  readonly expires: number
  /** further parameters, not encoded: `response-content-type` */
  readonly query?: readonly RawPair[]
  /** of the content that must be uploaded, lower-case hex; anything where it is not stated */
  readonly sha256?: string
  /** header fields that the request must carry as they are; lower-case names */
  readonly headers?: Readonly<Record<string, string>>
}

/** A presigned URL. @throws TypeError for a public URL that is none */
export function presign(request: PresignRequest, hashing: Hashing): string {
  const { method, target, credential, expires, sha256: payloadHash = UNSIGNED_PAYLOAD } = request
  const url = new URL(request.publicUrl)
  const headers = { ...request.headers, host: url.host }
  const { scope, dateTime } = momentOf(request)
  const path = url.pathname.replace(/\/+$/, '') + target
  const query: readonly RawPair[] = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Content-Sha256', payloadHash],
    ['X-Amz-Credential', `${credential.accessKeyId}/${scopeText(scope)}`],
    ['X-Amz-Date', dateTime],
    ['X-Amz-Expires', String(expires)],
    ...tokenPair(credential),
    ['X-Amz-SignedHeaders', Object.keys(headers).sort().join(';')],
    ...(request.query ?? []),
  ]
  const encoded = query.map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
  const canonical = canonicalRequest({
    method,
    path,
    query: encoded,
    headers: Object.entries(headers).map(([name, value]) => [name, [value]]),
    payloadHash,
  })
  const toSign = stringToSign(dateTime, scope, canonical, hashing)
  const signed = signature(
    signingKeyOf(credential.dateKey, scope, hashing.mac),
    toSign,
    hashing.mac,
  )
  return `${url.origin}${path}?${canonicalQuery(encoded)}&X-Amz-Signature=${signed}`
}

export interface PostFormRequest extends Signing {
  readonly bucket: string
  /** may hold `${filename}` */
  readonly key: string
  readonly expires: UnixSeconds
  /** fields that the form holds, each to be sent as it is */
  readonly fields?: Readonly<Record<string, string>>
  /** further conditions: `['content-length-range', 1, 100]` */
  readonly conditions?: readonly (readonly (string | number)[])[]
}

/** The fields of a form, in the order in which they stand before the file. */
export function postForm(
  { bucket, key, expires, fields = {}, conditions = [], ...signing }: PostFormRequest,
  { mac }: Hashing,
): Readonly<Record<string, string>> {
  const { credential } = signing
  const { scope, dateTime } = momentOf(signing)
  const stated = {
    bucket,
    ...fields,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${credential.accessKeyId}/${scopeText(scope)}`,
    'X-Amz-Date': dateTime,
    ...Object.fromEntries(tokenPair(credential)),
  }
  const document = {
    expiration: new Date(expires * 1000).toISOString(),
    conditions: [
      ...Object.entries(stated).map(([name, value]) => ({ [name]: value })),
      keyCondition(key),
      ...conditions,
    ],
  }
  const policy = base64Of(JSON.stringify(document))
  const signed = signature(signingKeyOf(credential.dateKey, scope, mac), policy, mac)
  return { key, ...stated, Policy: policy, 'X-Amz-Signature': signed }
}

const FILENAME = `\${filename}`

const keyCondition = (key: string): readonly string[] =>
  key.includes(FILENAME)
    ? ['starts-with', '$key', key.slice(0, key.indexOf(FILENAME))]
    : ['eq', '$key', key]

function momentOf({ now, region }: Pick<Signing, 'now' | 'region'>): {
  readonly scope: Scope
  readonly dateTime: string
} {
  const dateTime = formatDateTime(now)
  return { dateTime, scope: { date: dateTime.slice(0, 8), region, service: 's3' } }
}

const tokenPair = ({ sessionToken }: SigV4Credential): readonly RawPair[] =>
  sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken]]

const base64Of = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
