/** Conditional requests, RFC 9110 §13. */
import { Refusal } from '../../key/refusal.ts'
import { secondsOf, type UnixSeconds } from '../../key/units.ts'
import type { Headers } from '../request.ts'
import type { ObjectInfo, WriteCondition } from '../store/store.ts'

type Validators = Pick<ObjectInfo, 'etag' | 'modified'>

/**
 * What the preconditions of a read say of the object that is there, in the order of §13.2.2.
 * @throws Refusal precondition_failed
 */
export function evaluateRead(headers: Headers, object: Validators): 'send' | 'not-modified' {
  const match = headers.get('if-match')
  const unmodified = dateOf(headers, 'if-unmodified-since')
  if (match !== undefined) {
    if (!isListed(match, object.etag, 'strong')) throw failed('If-Match')
  } else if (unmodified !== undefined && object.modified > unmodified) {
    throw failed('If-Unmodified-Since')
  }
  const noneMatch = headers.get('if-none-match')
  if (noneMatch !== undefined)
    return isListed(noneMatch, object.etag, 'weak') ? 'not-modified' : 'send'
  const since = dateOf(headers, 'if-modified-since')
  return since !== undefined && object.modified <= since ? 'not-modified' : 'send'
}

/** §13.1.5: whether `Range` counts; an `If-Range` that does not match means the whole object. */
export function rangeCounts(headers: Headers, object: Validators): boolean {
  const condition = headers.get('if-range')
  if (condition === undefined) return true
  if (/^(?:W\/)?"/.test(condition)) return condition === object.etag
  return parseHttpDate(condition) === object.modified
}

/** What the preconditions of a write ask of the object that is there when the write takes effect. */
export function writeCondition(headers: Headers): WriteCondition {
  const match = headers.get('if-match')
  const noneMatch = headers.get('if-none-match')
  const unmodifiedSince = match === undefined ? dateOf(headers, 'if-unmodified-since') : undefined
  return {
    ...(match !== undefined && { etags: etagsOf(match) }),
    ...(noneMatch?.trim() === '*' && { absent: true }),
    ...(noneMatch !== undefined && noneMatch.trim() !== '*' && { notEtags: weakened(noneMatch) }),
    ...(unmodifiedSince !== undefined && { unmodifiedSince }),
  }
}

/** What If-None-Match must not find: `W/"x"` and `"x"` are the same to it. */
const weakened = (list: string): readonly string[] =>
  [etagsOf(list)].flat().map((tag) => tag.replace(/^W\//, ''))

const failed = (header: string): Refusal =>
  new Refusal('precondition_failed', `the object is not in the state that ${header} asks for`)

/** §13.1: If-Match compares strongly, so a weak tag never matches; If-None-Match compares weakly. */
function isListed(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  const tags = etagsOf(list)
  if (tags === '*') return true
  return tags.some((tag) => tag === etag || (comparison === 'weak' && tag === `W/${etag}`))
}

/** `*`, or entity tags; a bare token, which many clients send, is taken as a tag without its quotes. */
function etagsOf(list: string): '*' | readonly string[] {
  if (list.trim() === '*') return '*'
  const tags = [
    ...list.matchAll(/\s*((?:W\/)?"[\u0021\u0023-\u007e\u0080-\u00ff]*"|[^\s,"]+)\s*(?:,|$)/gy),
  ]
  if (tags.map(([whole]) => whole).join('').length !== list.length || tags.length === 0) {
    throw new Refusal(
      'request_malformed',
      'an entity tag is text in double quotes, several are separated by commas',
    )
  }
  return tags.map(([, tag = '']) => (tag.endsWith('"') ? tag : `"${tag}"`))
}

/** §13.1.3: "A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid HTTP-date". */
const dateOf = (headers: Headers, name: string): UnixSeconds | undefined => {
  const value = headers.get(name)
  return value === undefined ? undefined : parseHttpDate(value)
}

/** IMF-fixdate, the one form that is sent today; older forms are ignored. */
export function parseHttpDate(text: string): UnixSeconds | undefined {
  if (!/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)) return undefined
  const milliseconds = Date.parse(text)
  return milliseconds >= 0 ? secondsOf(milliseconds) : undefined
}

export const formatHttpDate = (time: UnixSeconds): string => new Date(time * 1000).toUTCString()
