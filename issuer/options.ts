/**
 * What people write, and the claims it becomes: the one mapping for command line, HTTP and library.
 * An option is a row of a table: a reader that turns its value into claims of a block. Every mistake
 * is found before anything is said, so that whoever writes a request corrects it once.
 */

import type { Wrong } from '../key/check.ts'
import {
  type Block,
  type Claim,
  COUNTED,
  type FirstBlock,
  METHODS,
  type Method,
  RESERVED_CLAIMS,
  RESPOND_HEADERS,
  wrongClaim,
} from '../key/claims.ts'
import { isMediaType } from '../key/media-type.ts'
import { parseScope } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import { formatDuration, formatTime, later, type Seconds, type UnixSeconds } from '../key/units.ts'
import {
  attachmentOf,
  countOf,
  durationOf,
  headersOf,
  isObject,
  listOf,
  networksOf,
  sizeOf,
  switchOf,
  textOf,
  textsOf,
  timeOf,
} from './option-values.ts'

/**
 * What a block may state. The names are those of the command line's options in camelCase; where an
 * option can be repeated there, the singular is accepted as well (`method`, `type`, `origin`,
 * `header`). Lists may be one text with commas.
 */
export interface NarrowOptions {
  /** `BUCKET/KEY` one object, `BUCKET/PREFIX/` all beneath it, `/` everything; up to 16 of them */
  readonly path?: string | readonly string[]
  /** GET, PUT, DELETE, LIST; a new key grants GET unless stated */
  readonly methods?: string | readonly string[]
  /** how long from now: `15m`, or seconds */
  readonly expiresIn?: string | number
  /** until when: RFC 3339 text, a duration from now as text, or Unix seconds as a number */
  readonly expires?: string | number
  /** from when: as `expires` */
  readonly notBefore?: string | number
  /** of an upload: `10MiB`, or bytes */
  readonly maxSize?: string | number
  readonly minSize?: string | number
  /** media ranges of an upload: `image/*` */
  readonly types?: string | readonly string[]
  /** of an upload: 64 hexadecimal digits */
  readonly sha256?: string
  /** a key for uploads creates only, unless this is true */
  readonly overwrite?: boolean
  readonly uses?: number | string
  /** as `uses: 1` */
  readonly once?: boolean
  /** of content, up and down together: `1GiB`, or bytes */
  readonly bytes?: string | number
  /** objects that may be created */
  readonly files?: number | string
  /** a second: `1MiB`, or bytes */
  readonly rate?: string | number
  /** the name of a stored policy, which has to admit every request as well */
  readonly policy?: string
  /** the name of a stored usage plan */
  readonly plan?: string
  /** addresses and networks: `10.0.0.0/8` */
  readonly ip?: string | readonly string[]
  /** of browsers' pages: `https://app.example.com` */
  readonly origins?: string | readonly string[]
  /** that a request must carry: name → value, or `X-Team: blue` */
  readonly headers?: string | readonly string[] | Readonly<Record<string, string>>
  readonly tls?: boolean
  /** whom the key is for */
  readonly subject?: string
  /** a glob that the path under the scope matches: `*.csv` */
  readonly match?: string
  /** downloads are saved: under this name, or the object's own */
  readonly attachment?: true | string
  /** downloads are shown by the browser, where their type is harmless */
  readonly inline?: boolean
  /** overrides of response headers, by name */
  readonly respond?: Readonly<Record<string, string>>
  /** an uploaded object is deleted after this: `7d`, or seconds */
  readonly ttl?: string | number
  /** the id by which the key is revoked and counted: 1 to 64 of A-Z a-z 0-9 _ - */
  readonly id?: string
}

export interface MintOptions extends NarrowOptions {
  readonly path: string | readonly string[]
}

/** One thing to correct. */
export interface Mistake {
  readonly option: string
  /** what was wrong and what is expected; never holds a secret */
  readonly message: string
}

/** As many as a person would read; whoever sends a thousand has one to correct first. */
const MOST_MISTAKES = 50

/** All that is wrong with a set of options; the first fifty, where there are more. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError'
  readonly mistakes: readonly Mistake[]

  constructor(all: readonly Mistake[]) {
    const mistakes = all
      .slice(0, MOST_MISTAKES)
      .map(({ option, message }) => ({ option: option.slice(0, 80), message }))
    const more = all.length > MOST_MISTAKES ? `; and ${all.length - MOST_MISTAKES} more` : ''
    super(mistakes.map(({ option, message }) => `${option}: ${message}`).join('; ') + more)
    this.mistakes = mistakes
  }
}

export interface FirstBlockContext {
  readonly now: UnixSeconds
  readonly defaultLife: Seconds
  readonly maxLife: Seconds
  /** the id of a key whose options state none */
  readonly id: string
}

type Reader = (value: unknown, now: UnixSeconds) => Block

/** As the format has it. */
const MAX_SCOPES = 16
/** The upper end of a size range where nobody stated one. */
export const SIZE_UNLIMITED = Number.MAX_SAFE_INTEGER

const OPTIONS = {
  path: (value) => ({ path: single(scopesOf(value)) }),
  methods: (value) => ({ methods: listOf(value).map(methodOf) }),
  expiresIn: (value, now) => ({ exp: later(now, durationOf(value)) }),
  expires: (value, now) => ({ exp: timeOf(value, now) }),
  notBefore: (value, now) => ({ nbf: timeOf(value, now) }),
  maxSize: (value) => ({ size: [0, sizeOf(value)] }),
  minSize: (value) => ({ size: [sizeOf(value), SIZE_UNLIMITED] }),
  types: (value) => ({ types: listOf(value) }),
  sha256: (value) => ({ sha256: textOf(value) }),
  overwrite: (value) => (switchOf(value) ? {} : { create: true }),
  uses: (value) => ({ uses: countOf(value) }),
  once: (value) => (switchOf(value) ? { uses: 1 } : {}),
  bytes: (value) => ({ bytes: sizeOf(value) }),
  files: (value) => ({ files: countOf(value) }),
  rate: (value) => ({ rate: sizeOf(value) }),
  policy: (value) => ({ policy: textOf(value) }),
  plan: (value) => ({ plan: textOf(value) }),
  ip: (value) => ({ ip: networksOf(value) }),
  origins: (value) => ({ origins: listOf(value).map((origin) => origin.toLowerCase()) }),
  headers: (value) => ({ headers: headersOf(value) }),
  tls: (value) => (switchOf(value) ? { tls: true } : {}),
  subject: (value) => ({ sub: textOf(value) }),
  match: (value) => ({ match: textOf(value) }),
  attachment: (value) => ({ respond: { 'content-disposition': attachmentOf(value) } }),
  inline: (value) => (switchOf(value) ? { respond: { 'content-disposition': 'inline' } } : {}),
  respond: (value) => ({ respond: respondOf(value) }),
  ttl: (value) => ({ ttl: durationOf(value) }),
  id: (value) => ({ jti: textOf(value) }),
} as const satisfies { readonly [O in keyof Required<NarrowOptions>]: Reader }

export type OptionName = keyof typeof OPTIONS
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[]

/** The names of repeatable command line options, for what they are a list of. */
export const SINGULARS: Readonly<Record<string, OptionName>> = {
  method: 'methods',
  type: 'types',
  origin: 'origins',
  header: 'headers',
}

/** Two ways to say one thing: at most one of them. */
const EXCLUSIVE: readonly (readonly [string, string])[] = [
  ['expiresIn', 'expires'],
  ['uses', 'once'],
  ['attachment', 'inline'],
  ...Object.entries(SINGULARS),
]

/**
 * The first block of a new key, all but its `kid`.
 * @param options what a person wrote, of whatever type: {@link MintOptions} where it is right
 * @throws OptionsError with every mistake
 */
export function firstBlockFrom(
  options: unknown,
  { now, defaultLife, maxLife, id }: FirstBlockContext,
): Omit<FirstBlock, 'kid'> {
  const { claims, mistakes, stated } = read(options, now)
  if (!stated.has('path')) mistakes.push({ option: 'path', message: 'is required' })
  const exp = claims.exp ?? later(now, Math.min(defaultLife, maxLife) as Seconds)
  if (exp - now > maxLife) mistakes.push(tooLong(lifeOption(stated), exp, now, maxLife))
  refuseAny([...mistakes, ...mistakesAmong(claims, exp, now, stated)])
  const methods: Method[] = claims.methods ?? ['GET']
  const createOnly = methods.includes('PUT') && !stated.has('overwrite')
  const { jti = id, path = '', ...others } = claims
  return { jti, iat: now, ...others, exp, path, methods, ...(createOnly && { create: true }) }
}

/**
 * The block of a narrower key: only what was stated.
 * @param id counted and revoked by, where the options count something and state no id
 * @throws OptionsError with every mistake
 */
export function restrictionsFrom(
  options: unknown,
  { now, id }: { readonly now: UnixSeconds; readonly id: string },
): Block {
  const { claims, mistakes, stated } = read(options, now)
  refuseAny([...mistakes, ...mistakesAmong(claims, claims.exp, now, stated)])
  const isCounted = COUNTED.some((claim) => claims[claim] !== undefined)
  return isCounted ? { jti: id, ...claims } : claims
}

interface Read {
  readonly claims: Block
  readonly mistakes: Mistake[]
  /** options that were there, right or wrong, by their plural names */
  readonly stated: ReadonlySet<string>
}

function read(options: unknown, now: UnixSeconds): Read {
  if (!isObject(options)) {
    throw new OptionsError([{ option: 'options', message: 'must be an object' }])
  }
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  const names = new Set(entries.map(([name]) => name))
  const mistakes = EXCLUSIVE.filter((pair) => pair.every((name) => names.has(name))).map(
    ([one, other]): Mistake => ({ option: one, message: `can not stand beside "${other}"` }),
  )
  let claims: Block = {}
  for (const [name, value] of entries) {
    const result = readOption(name, value, now)
    if ('message' in result) mistakes.push({ option: name, message: result.message })
    else claims = merged(claims, result.claims)
  }
  return { claims, mistakes, stated: new Set([...names].map(pluralOf)) }
}

const pluralOf = (name: string): string =>
  Object.hasOwn(SINGULARS, name) ? (SINGULARS[name] ?? name) : name

function readOption(
  name: string,
  value: unknown,
  now: UnixSeconds,
): { readonly claims: Block } | { readonly message: string } {
  const option = pluralOf(name)
  if (RESERVED_CLAIMS.includes(option)) return { message: 'is not supported by this version' }
  if (!Object.hasOwn(OPTIONS, option)) {
    return { message: `is not an option; the options are ${OPTION_NAMES.join(', ')}` }
  }
  try {
    const claims = OPTIONS[option as OptionName](value, now)
    const wrong = whatIsWrong(claims)
    return wrong === undefined ? { claims } : { message: wrong }
  } catch (error) {
    if (error instanceof RangeError) return { message: error.message }
    throw error
  }
}

/** The format's own word on claims, turned from "is …" to "must be …". */
function whatIsWrong(claims: Block): string | undefined {
  const wrong = wrongClaim(claims)
  if (wrong === undefined) return undefined
  const what = wrong.expected
    .replace(/^(is|has) not /, 'must not be ')
    .replace(/^is /, 'must be ')
    .replace(/^has /, 'must have ')
  const entry = entryAt(claims, wrong.at)
  return entry === undefined ? what : `"${entry.slice(0, 80)}" ${what}`
}

/** The entry of a list that is meant; the values of headers are not repeated, they may be secrets. */
function entryAt(claims: Block, [claim, index]: Wrong['at']): string | undefined {
  const list: unknown = claims[claim as Claim]
  const text: unknown = Array.isArray(list) ? list[index as number] : undefined
  return typeof text === 'string' ? text : undefined
}

const merged = (one: Block, other: Block): Block => ({
  ...one,
  ...other,
  ...(one.size &&
    other.size && {
      size: [Math.max(one.size[0], other.size[0]), Math.min(one.size[1], other.size[1])],
    }),
  ...(one.respond && other.respond && { respond: { ...one.respond, ...other.respond } }),
})

/** What only shows when the options are seen together. */
function mistakesAmong(
  { size, nbf }: Block,
  exp: number | undefined,
  now: UnixSeconds,
  stated: ReadonlySet<string>,
): Mistake[] {
  const mistakes: Mistake[] = []
  if (size !== undefined && size[0] > size[1]) {
    mistakes.push({ option: 'minSize', message: 'must not be larger than maxSize' })
  }
  if (exp !== undefined && exp <= now) {
    const message = `must lie in the future: it is ${formatTime(now)} here`
    mistakes.push({ option: lifeOption(stated), message })
  } else if (exp !== undefined && nbf !== undefined && nbf >= exp) {
    const message = `must be before the key expires, at ${formatTime(exp as UnixSeconds)}`
    mistakes.push({ option: 'notBefore', message })
  }
  return mistakes
}

const lifeOption = (stated: ReadonlySet<string>): string =>
  stated.has('expires') ? 'expires' : 'expiresIn'

const tooLong = (option: string, exp: number, now: number, maxLife: Seconds): Mistake => ({
  option,
  message: `asks for ${formatDuration((exp - now) as Seconds)}; the longest life of a key is ${formatDuration(maxLife)} here; to allow more, set maxExpires (under [issuer] in valetkey.toml, or as VALETKEY_ISSUER_MAX_EXPIRES)`,
})

function refuseAny(mistakes: readonly Mistake[]): void {
  if (mistakes.length > 0) throw new OptionsError(mistakes)
}

const single = (texts: string[]): string | string[] => {
  const [first] = texts
  return texts.length === 1 && first !== undefined ? first : texts
}

function scopesOf(value: unknown): string[] {
  const scopes = textsOf(value).map(scopeOf)
  if (scopes.length <= MAX_SCOPES) return scopes
  throw new RangeError(`can name at most ${MAX_SCOPES} places`)
}

/** A leading slash is how a URL writes it; a scope has none, and is not repaired in silence. */
function scopeOf(text: string): string {
  if (text !== '/' && text.startsWith('/')) {
    throw new RangeError(`must not start with a slash: write "${text.replace(/^\/+/, '')}"`)
  }
  try {
    return parseScope(text)
  } catch (error) {
    throw error instanceof Refusal ? new RangeError(error.detail) : error
  }
}

function methodOf(text: string): Method {
  const method = METHODS.find((known) => known === text.toUpperCase())
  if (method !== undefined) return method
  throw new RangeError(
    `"${text.slice(0, 20)}" is not a method of keys: write GET (HEAD as well), PUT (every way of uploading), DELETE or LIST (listing and zip)`,
  )
}

function respondOf(value: unknown): NonNullable<Block['respond']> {
  const headers = Object.entries(headersOf(value)).map(
    ([name, content]) => [name.toLowerCase(), content] as const,
  )
  const known: readonly string[] = RESPOND_HEADERS
  const unknown = headers.find(([name]) => !known.includes(name))
  const type = headers.find(([name]) => name === 'content-type')?.[1]
  if (type !== undefined && !isMediaType(type)) {
    throw new RangeError('"content-type" is a media type such as text/plain; charset=utf-8')
  }
  if (unknown === undefined) return Object.fromEntries(headers)
  throw new RangeError(`can override ${RESPOND_HEADERS.join(', ')}, not "${unknown[0]}"`)
}
