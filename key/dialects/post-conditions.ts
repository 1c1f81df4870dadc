/** The policy of a form, read strictly: what is not understood is refused, never skipped. */
import { Refusal } from '../refusal.ts'
import { parseStrictJson } from '../strict-json.ts'
import { secondsOf, type UnixSeconds } from '../units.ts'

/** Asks one field, by its lower-case name, for a value or for the start of one. */
export interface Condition {
  readonly field: string
  readonly kind: 'eq' | 'starts-with'
  readonly value: string
}

export interface Policy {
  readonly expires: UnixSeconds
  readonly conditions: readonly Condition[]
  /** [least, most] bytes of the file */
  readonly size?: readonly [number, number]
  /** media ranges of the file, as far as the conditions are some */
  readonly types?: readonly string[]
}

/** "form data apart from the file ≤ 20 KB" */
const MAX_POLICY_LENGTH = 20_480

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('key_malformed', `the policy ${detail}`, { cause })

/** @param base64 as sent @throws Refusal key_malformed */
export function parsePolicy(base64: string): Policy {
  const document = decoded(base64)
  if (!isObject(document)) throw malformed('is a JSON object')
  const { expiration, conditions, ...others } = document
  const [other] = Object.keys(others)
  if (other !== undefined) throw malformed(`has a member that is not understood: "${shown(other)}"`)
  if (!Array.isArray(conditions)) throw malformed('has a list of "conditions"')
  const ranges = conditions.filter(isRange).map(rangeOf)
  const asked = conditions.filter((entry) => !isRange(entry)).flatMap(conditionsOf)
  const types = typesOf(asked)
  return {
    expires: expiryOf(expiration),
    conditions: asked,
    ...(ranges.length > 0 && { size: narrowest(ranges) }),
    ...(types.length > 0 && { types }),
  }
}

/** Why a condition does not hold of a value; undefined where it does. */
export function why({ field, kind, value }: Condition, actual: string): string | undefined {
  const name = shown(field)
  if (kind === 'eq') {
    return actual === value ? undefined : `the field "${name}" is not what the policy states`
  }
  // "Content-Type values for a starts-with condition that include commas are interpreted as lists.
  // Each value in the list must meet the condition"
  const items = field === 'content-type' ? actual.split(',').map((item) => item.trim()) : [actual]
  if (items.every((item) => item.startsWith(value))) return undefined
  return `the field "${name}" does not start as the policy states`
}

function decoded(base64: string): unknown {
  if (base64.length > MAX_POLICY_LENGTH) throw malformed('is too long')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
    throw malformed('is in base64, in its one form')
  }
  try {
    const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data))
  } catch (cause) {
    throw malformed('is JSON in UTF-8, in which no object has two members of one name', cause)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const EXPIRATION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

function expiryOf(value: unknown): UnixSeconds {
  const milliseconds =
    typeof value === 'string' && EXPIRATION.test(value) ? Date.parse(value) : Number.NaN
  if (milliseconds >= 0) return secondsOf(milliseconds)
  throw malformed('has an "expiration" such as "2026-12-01T12:00:00.000Z"')
}

/** `{"acl": "private"}`, or `["starts-with", "$key", "user/"]`. */
function conditionsOf(entry: unknown): readonly Condition[] {
  if (isObject(entry)) {
    const members = Object.entries(entry)
    if (members.length === 0) throw malformed('has an empty condition')
    return members.map(([field, value]) => condition('eq', field, value))
  }
  const [operator, field, value, ...more] = Array.isArray(entry) ? entry : []
  const kind = typeof operator === 'string' ? operator.toLowerCase() : ''
  const isKnown = kind === 'eq' || kind === 'starts-with'
  if (!isKnown || more.length > 0 || typeof field !== 'string' || !field.startsWith('$')) {
    throw malformed(
      'has conditions of the forms {"FIELD": VALUE}, ["eq", "$FIELD", VALUE], ["starts-with", "$FIELD", VALUE] and ["content-length-range", MIN, MAX]',
    )
  }
  return [condition(kind, field.slice(1), value)]
}

function condition(kind: Condition['kind'], field: string, value: unknown): Condition {
  if (typeof value === 'string' && field !== '') return { kind, field: field.toLowerCase(), value }
  throw malformed(`states text for the field "${shown(field)}"`)
}

const isRange = (entry: unknown): entry is readonly unknown[] =>
  Array.isArray(entry) &&
  typeof entry[0] === 'string' &&
  entry[0].toLowerCase() === 'content-length-range'

function rangeOf([, ...ends]: readonly unknown[]): readonly [number, number] {
  const [least, most] = ends.map((end) =>
    typeof end === 'string' && /^\d{1,15}$/.test(end) ? Number(end) : end,
  )
  const isWhole = (end: unknown): end is number => Number.isSafeInteger(end) && Number(end) >= 0
  if (ends.length === 2 && isWhole(least) && isWhole(most) && least <= most) return [least, most]
  throw malformed('states ["content-length-range", MIN, MAX] in bytes, in this order')
}

/** What lies in all ranges; where nothing does, nothing may be uploaded. */
function narrowest(ranges: readonly (readonly [number, number])[]): readonly [number, number] {
  const least = Math.max(...ranges.map(([from]) => from))
  const most = Math.min(...ranges.map(([, to]) => to))
  if (least <= most) return [least, most]
  throw malformed('states size ranges that have nothing in common')
}

/** Conditions on Content-Type that say the same as a media range does. */
const typesOf = (conditions: readonly Condition[]): readonly string[] =>
  conditions
    .filter(({ field }) => field === 'content-type')
    .flatMap(({ kind, value }) => {
      if (kind === 'eq' && /^[\w.+-]+\/[\w.+-]+$/.test(value)) return [value]
      return kind === 'starts-with' && /^[\w.+-]+\/$/.test(value) ? [`${value}*`] : []
    })

/** A stranger may have chosen the name. */
const shown = (name: string): string => name.slice(0, 64).replace(/[^ -~]/g, '?')
