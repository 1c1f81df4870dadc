/**
 * A request as it came in, read once: everything about it is derived from the raw request target
 * and the raw header fields, never from what a framework or Node made of them.
 */
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../key/refusal.ts'
import { Memo } from './memo.ts'

export const MAX_TARGET_LENGTH = 8192
export const MAX_HEADERS = 100
export const MAX_QUERY_PARAMETERS = 64

export interface RawRequest {
  /** as on the request line */
  readonly method: string
  /** as on the request line */
  readonly target: string
  /** the path part of the request target, still percent-encoded, without the configured base path */
  readonly path: string
  readonly query: Query
  readonly headers: Headers
  /** name, value, name, value, as they came in */
  readonly rawHeaders: readonly string[]
}

/** Header fields by lower-case name; repeated list fields joined by a comma. */
export type Headers = ReadonlyMap<string, string>

/** Decoded parameters in the order sent. */
export type Query = readonly (readonly [name: string, value: string])[]

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** A form that uploads a file has this shape, and no other request to a bucket has it. */
export function isForm({ method, path, headers }: RawRequest): boolean {
  if (method !== 'POST' || path.startsWith('/-/')) return false
  return /^multipart\/form-data\s*;/i.test(headers.get('content-type') ?? '')
}

/** @throws Refusal request_malformed, uri_too_long, headers_too_large, key_ambiguous */
export function readRequest(incoming: IncomingMessage, basePath: string): RawRequest {
  if (incoming.httpVersion !== '1.1' && incoming.httpVersion !== '1.0') {
    throw new Refusal('request_malformed', 'this is served over HTTP/1.1 only')
  }
  const headers = readHeaders(incoming.rawHeaders)
  // RFC 9112 §3.2: "A server MUST respond with a 400 status code to any HTTP/1.1 request message
  // that lacks a Host header field"
  if (incoming.httpVersion === '1.1' && !headers.has('host')) {
    throw new Refusal('request_malformed', 'an HTTP/1.1 request has a Host header')
  }
  // RFC 9110 §10.1.1: no other expectation is defined
  const expected = headers.get('expect')
  if (expected !== undefined && expected.toLowerCase() !== '100-continue') {
    throw new Refusal('request_malformed', 'the header Expect is "100-continue", or not there')
  }
  const { method = '', url = '', rawHeaders } = incoming
  return requestOf(method, url, headers, rawHeaders, basePath)
}

/** The same of a request that nobody has sent. @param headers lower-case names */
export const rawRequestOf = (
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  basePath: string,
): RawRequest =>
  requestOf(
    method.toUpperCase(),
    target,
    new Map(Object.entries(headers)),
    Object.entries(headers).flat(),
    basePath,
  )

function requestOf(
  method: string,
  target: string,
  headers: Headers,
  rawHeaders: readonly string[],
  basePath: string,
): RawRequest {
  if (target.length > MAX_TARGET_LENGTH) {
    throw new Refusal(
      'uri_too_long',
      `a request target is at most ${MAX_TARGET_LENGTH} characters long`,
    )
  }
  const { path, query } = targets.get(target) ?? targets.add(target, parsedTarget(target))
  return { method, target, path: withoutBase(path, basePath), query, headers, rawHeaders }
}

/** The same link is asked for again and again, by ranges and by pages. */
const targets = new Memo<Pick<RawRequest, 'path' | 'query'>>(1 << 20)

function parsedTarget(target: string): Pick<RawRequest, 'path' | 'query'> {
  const [path, query] = splitTarget(originForm(target))
  return { path, query: query === undefined ? [] : parseQuery(query) }
}

/** The decoded value of a parameter that may be there once. @throws Refusal request_malformed */
export function parameter(query: Query, name: string): string | undefined {
  const values = query.filter(([key]) => key === name)
  if (values.length > 1) {
    throw new Refusal('request_malformed', `the query parameter "${name}" is there more than once`)
  }
  return values[0]?.[1]
}

/** RFC 9112 §3.2.2: a server MUST accept the absolute-form, though only proxies are sent it. */
function originForm(target: string): string {
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)
  return match === null ? target : match[1]?.startsWith('/') ? match[1] : `/${match[1] ?? ''}`
}

function splitTarget(target: string): readonly [path: string, query: string | undefined] {
  const mark = target.indexOf('?')
  return mark === -1 ? [target, undefined] : [target.slice(0, mark), target.slice(mark + 1)]
}

function withoutBase(path: string, base: string): string {
  if (base === '') return path
  if (path === base) return '/'
  if (path.startsWith(`${base}/`)) return path.slice(base.length)
  throw new Refusal('path_malformed', `this gateway is configured to be reached below ${base}/`)
}

function parseQuery(text: string): Query {
  const pairs = text.split('&').filter((pair) => pair !== '')
  if (pairs.length > MAX_QUERY_PARAMETERS) {
    throw new Refusal('request_malformed', `a query has at most ${MAX_QUERY_PARAMETERS} parameters`)
  }
  return pairs.map((pair) => {
    const [name, value] = pair.includes('=')
      ? [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      : [pair, '']
    return [decodeParameter(name), decodeParameter(value)] as const
  })
}

/** A parameter that is not ours may be any junk: what can't be decoded stays as it is, and matches nothing. */
function decodeParameter(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** Fields that mean one thing: a second one would mean another to somebody. */
const SINGLE = new Set([
  'host',
  'authorization',
  'content-type',
  'content-length',
  'content-md5',
  'content-encoding',
  'content-range',
  'expect',
  'range',
  'if-range',
  'if-modified-since',
  'if-unmodified-since',
  'origin',
  'x-forwarded-proto',
])

/** @throws Refusal headers_too_large, request_malformed, key_ambiguous */
export function readHeaders(raw: readonly string[]): Headers {
  if (raw.length > MAX_HEADERS * 2) {
    throw new Refusal('headers_too_large', `a request has at most ${MAX_HEADERS} header fields`)
  }
  const headers = new Map<string, string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    const value = raw[i + 1] ?? ''
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : joined(name, before, value))
  }
  return headers
}

function joined(name: string, before: string, value: string): string {
  if (name === 'authorization') {
    throw new Refusal('key_ambiguous', 'the header Authorization is there more than once')
  }
  if (SINGLE.has(name)) {
    throw new Refusal('request_malformed', `the header "${name}" is there more than once`)
  }
  return name === 'cookie' ? `${before}; ${value}` : `${before}, ${value}`
}
