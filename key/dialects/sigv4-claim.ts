/**
 * What a request says of its own SigV4 signature, read from the raw request target and the raw
 * header fields, and not believed yet. Only its form is checked here.
 */
import { Refusal } from '../refusal.ts'
import { type Seconds, seconds, type UnixSeconds } from '../units.ts'
import { ALGORITHM, parseDateTime, type RawPair, type Scope, UNSIGNED_PAYLOAD } from './sigv4.ts'

/** A request as it came in. */
export interface SigV4Request {
  readonly method: string
  /** as on the request line */
  readonly target: string
  /** name, value, name, value */
  readonly rawHeaders: readonly string[]
}

/** Header fields by lower-case name, all values of each in the order sent. */
export type FieldValues = ReadonlyMap<string, readonly string[]>

/** Signed in the query (a presigned URL), or in the header Authorization. */
export interface SigV4Claimed {
  readonly form: 'query' | 'header'
  readonly accessKeyId: string
  readonly scope: Scope
  /** `20130524T000000Z`, and the same in Unix seconds */
  readonly dateTime: string
  readonly signedAt: UnixSeconds
  /** of the query form: how long it is valid */
  readonly expires?: Seconds
  readonly signedHeaders: readonly string[]
  /** 64 lower-case hex */
  readonly signature: string
  /** of a temporary credential */
  readonly sessionToken?: string
  /** absent where the request states none, as those to STS do not */
  readonly payloadHash?: string
  readonly method: string
  /** raw, without the query */
  readonly path: string
  /** raw, without the signature */
  readonly query: readonly RawPair[]
  readonly headers: FieldValues
  /** headers that a presigned URL carries in its query: by lower-case name, decoded */
  readonly hoisted: ReadonlyMap<string, string>
  /** `response-*` parameters: by the response header that each overrides, decoded */
  readonly responses: ReadonlyMap<string, string>
}

/** "must be less than or equal to 604800 (seven days)" */
export const MAX_EXPIRES_SECONDS = 604_800

const malformed = (detail: string): Refusal => new Refusal('key_malformed', detail)

/** Parameters that sign, or tell of the signature; all others of `x-amz-*` are hoisted headers. */
const SIGNING_PARAMETERS: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-content-sha256',
])

/**
 * Parameters of a presigned URL that sign it, or stand for headers. Those that are no `x-amz-*` are
 * what version 2 of AWS's SDK for JavaScript puts there.
 */
export const OF_PRESIGNED = /^(?:x-amz-|(?:content-type|content-md5|cache-control)$)/i

/** What makes a query one that signs; anything else of it is not looked at before. */
const IN_QUERY = /[?&]x-amz-(?:algorithm|credential|signature)=/i
const IN_HEADER = /^AWS(?:4-|\s)/i

/**
 * The SigV4 signature that a request carries; undefined where it carries none.
 * @throws Refusal key_malformed; key_ambiguous for more than one
 */
export function claimSigV4(request: SigV4Request): SigV4Claimed | undefined {
  const authorizations = authorizationsOf(request.rawHeaders)
  const inHeader = authorizations.filter((value) => IN_HEADER.test(value))
  const inQuery = IN_QUERY.test(request.target)
  const [authorization, second] = inHeader
  if (second !== undefined || (inQuery && authorizations.length > 0)) {
    throw new Refusal(
      'key_ambiguous',
      'sign a request once: in the header Authorization, or in the query',
    )
  }
  if (inQuery) return fromQuery(partsOf(request))
  return authorization === undefined ? undefined : fromHeader(partsOf(request), authorization)
}

const authorizationsOf = (rawHeaders: readonly string[]): readonly string[] =>
  rawHeaders.flatMap((value, index) =>
    index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization'
      ? [value.trim()]
      : [],
  )

interface Parts extends Pick<SigV4Claimed, 'method' | 'path' | 'query' | 'headers' | 'responses'> {
  /** decoded parameters by lower-case name: see {@link OF_PRESIGNED} */
  readonly parameters: ReadonlyMap<string, string>
}

function partsOf({ method, target, rawHeaders }: SigV4Request): Parts {
  // RFC 9112 §3.2.2: a server MUST accept the absolute-form
  const origin = target.replace(/^https?:\/\/[^/?#]*/i, '')
  if (!/^[!"$-~]*$/.test(origin)) throw malformed('a request target is printable ASCII')
  const mark = origin.indexOf('?')
  const path = mark === -1 ? origin : origin.slice(0, mark)
  const query = mark === -1 ? [] : pairsOf(origin.slice(mark + 1))
  return {
    method,
    path: path || '/',
    query: query.filter(([name]) => decoded(name).toLowerCase() !== 'x-amz-signature'),
    headers: fieldsOf(rawHeaders),
    parameters: namedOnce(query, OF_PRESIGNED),
    responses: overridesOf(query),
  }
}

const pairsOf = (query: string): readonly RawPair[] =>
  query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const mark = pair.indexOf('=')
      return mark === -1 ? [pair, ''] : [pair.slice(0, mark), pair.slice(mark + 1)]
    })

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    throw malformed('the names and values of a query are percent-encoded UTF-8')
  }
}

/** @throws Refusal key_malformed for a parameter that is there twice: it would have two readings */
function namedOnce(query: readonly RawPair[], wanted: RegExp): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [rawName, rawValue] of query) {
    const name = decoded(rawName).toLowerCase()
    if (!wanted.test(name)) continue
    if (found.has(name)) throw malformed(`the query parameter "${name}" is there more than once`)
    found.set(name, decoded(rawValue))
  }
  return found
}

const RESPONSE = /^response-(content-(?:type|language|encoding|disposition)|cache-control|expires)$/

function overridesOf(query: readonly RawPair[]): ReadonlyMap<string, string> {
  const overrides = [...namedOnce(query, RESPONSE)]
  const unsendable = overrides.find(([, value]) => !/^[\t -~\x80-\xff]*$/.test(value))
  if (unsendable !== undefined) throw malformed(`"${unsendable[0]}" is not a header value`)
  return new Map(overrides.map(([name, value]) => [name.slice('response-'.length), value]))
}

/** Headers out of the query, where they could hold what no header can. */
function hoistedOf(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const hoisted = [...parameters].filter(([name]) => !SIGNING_PARAMETERS.has(name))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const unsendable = hoisted.find(([, value]) => /[\0-\x08\x0a-\x1f\x7f]/.test(value))
  if (unsendable === undefined) return new Map(hoisted)
  throw malformed('a parameter that stands for a header has no control characters')
}

function fieldsOf(rawHeaders: readonly string[]): FieldValues {
  const fields = new Map<string, string[]>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    fields.set(name, [...(fields.get(name) ?? []), rawHeaders[i + 1] ?? ''])
  }
  return fields
}

// ── the two forms ───────────────────────────────────────────────────────────

function fromQuery({ parameters, ...parts }: Parts): SigV4Claimed {
  checkAlgorithm(parameters.get('x-amz-algorithm'))
  const required = (name: string): string => {
    const value = parameters.get(name.toLowerCase())
    if (value !== undefined) return value
    throw malformed(`a presigned URL has the query parameter ${name}`)
  }
  const expires = required('X-Amz-Expires')
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > MAX_EXPIRES_SECONDS) {
    throw malformed(`X-Amz-Expires is a whole number of seconds up to ${MAX_EXPIRES_SECONDS}`)
  }
  const sessionToken = parameters.get('x-amz-security-token')
  return {
    ...parts,
    form: 'query',
    ...signedBy(required('X-Amz-Credential'), required('X-Amz-Date')),
    expires: seconds(Number(expires)),
    signedHeaders: signedHeadersOf(required('X-Amz-SignedHeaders')),
    signature: signatureOf(required('X-Amz-Signature')),
    payloadHash: payloadHashOf(
      parameters.get('x-amz-content-sha256') ??
        single(parts.headers, 'x-amz-content-sha256') ??
        UNSIGNED_PAYLOAD,
    ),
    hoisted: hoistedOf(parameters),
    ...(sessionToken !== undefined && { sessionToken }),
  }
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` */
function fromHeader({ parameters: _, ...parts }: Parts, authorization: string): SigV4Claimed {
  const [algorithm, rest = ''] = authorization.split(/\s+(.*)/s)
  checkAlgorithm(algorithm)
  const fields = new Map<string, string>()
  for (const field of rest.split(',')) {
    const [, name = '', value = ''] = /^\s*([A-Za-z]+)=(\S+)\s*$/.exec(field) ?? []
    if (name === '' || fields.has(name)) throw malformed(AUTHORIZATION)
    fields.set(name, value)
  }
  const required = (name: string): string => {
    const value = fields.get(name)
    if (value === undefined) throw malformed(AUTHORIZATION)
    return value
  }
  const date = single(parts.headers, 'x-amz-date')
  if (date === undefined) throw malformed('a signed request has the header X-Amz-Date')
  const sessionToken = single(parts.headers, 'x-amz-security-token')
  const payloadHash = single(parts.headers, 'x-amz-content-sha256')
  return {
    ...parts,
    form: 'header',
    ...signedBy(required('Credential'), date),
    signedHeaders: signedHeadersOf(required('SignedHeaders')),
    signature: signatureOf(required('Signature')),
    hoisted: new Map(),
    ...(payloadHash !== undefined && { payloadHash: payloadHashOf(payloadHash) }),
    ...(sessionToken !== undefined && { sessionToken }),
  }
}

const AUTHORIZATION = `Authorization is "${ALGORITHM} Credential=…, SignedHeaders=…, Signature=…"`

function single(headers: FieldValues, name: string): string | undefined {
  const [value, second] = headers.get(name) ?? []
  if (second !== undefined) throw malformed(`the header "${name}" is there more than once`)
  return value?.trim()
}

function checkAlgorithm(algorithm: string | undefined): void {
  if (algorithm === ALGORITHM) return
  throw malformed(`requests are signed with ${ALGORITHM}; other algorithms are not taken`)
}

const CREDENTIAL =
  /^([A-Za-z0-9_-]{1,64})\/(\d{8})\/([A-Za-z0-9_-]{1,64})\/([a-z0-9-]{1,32})\/aws4_request$/

/** Who signed, for what, and when: shared by all forms of SigV4. @throws Refusal key_malformed */
export function signedBy(
  credential: string,
  dateTime: string,
): Pick<SigV4Claimed, 'accessKeyId' | 'scope' | 'dateTime' | 'signedAt'> {
  const [, accessKeyId, date, region, service] = CREDENTIAL.exec(credential) ?? []
  if (!accessKeyId || !date || !region || !service) {
    throw malformed('a credential is ACCESS_KEY_ID/YYYYMMDD/REGION/SERVICE/aws4_request')
  }
  const signedAt = parseDateTime(dateTime)
  if (signedAt === undefined) throw malformed('X-Amz-Date is a time such as 20130524T000000Z')
  if (!dateTime.startsWith(date)) throw malformed('the credential is of the day of X-Amz-Date')
  return { accessKeyId, scope: { date, region, service }, dateTime, signedAt }
}

function signedHeadersOf(text: string): readonly string[] {
  const names = text.split(';')
  const isGood = names.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))
  if (!isGood || new Set(names).size !== names.length) {
    throw malformed('SignedHeaders is a list of lower-case header names joined by ";"')
  }
  if (!names.includes('host')) throw malformed('the header "host" is among the SignedHeaders')
  return names
}

/** @throws Refusal key_malformed */
export function signatureOf(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw malformed('a signature is 64 hexadecimal digits')
}

/** Bodies that are signed as they stream, or not at all. */
export const STREAMING = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
  'STREAMING-UNSIGNED-PAYLOAD': { signed: false, trailer: false },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
} as const
export type StreamingPayload = keyof typeof STREAMING

export const isStreaming = (text: string): text is StreamingPayload =>
  Object.hasOwn(STREAMING, text)

function payloadHashOf(text: string): string {
  if (text === UNSIGNED_PAYLOAD || isStreaming(text) || /^[0-9a-f]{64}$/.test(text)) return text
  throw malformed(
    `X-Amz-Content-Sha256 is 64 lower-case hexadecimal digits, ${UNSIGNED_PAYLOAD}, or one of ${Object.keys(STREAMING).join(', ')}`,
  )
}
