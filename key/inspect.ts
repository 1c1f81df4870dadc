/**
 * What a key says, in plain words, read without any secret: whether it is ours is not known here.
 * Pure, so that a page can show it as well.
 */
import { type Block, type Claim, METHODS, type Method, scopesOf } from './claims.ts'
import { covers, type ObjectPath, type Prefix } from './object-path.ts'
import { readBlocks, readKey } from './sign.ts'
import {
  type Bytes,
  exactBytes,
  formatDuration,
  formatTime,
  parseDuration,
  type Seconds,
  type UnixSeconds,
} from './units.ts'

export interface InspectedBlock {
  readonly claims: Block
  /** one sentence per claim, in the order in which the format lists them */
  readonly says: readonly string[]
}

/** Taken over all blocks: what the key states at most, before anybody asks whether it is ours. */
export interface InspectedKey {
  /** the key's own id: that of block 0 */
  readonly id: string
  readonly kid: string
  readonly blocks: readonly InspectedBlock[]
  /** the earliest expiry stated */
  readonly expires: UnixSeconds
  /** what every block covers; empty where two blocks have nothing in common */
  readonly scopes: readonly string[]
  /** what every block grants */
  readonly methods: readonly Method[]
}

/**
 * @param now to say how far away its times are
 * @throws Refusal key_malformed
 */
export function inspectKey(text: string, now: UnixSeconds): InspectedKey {
  const blocks = readBlocks(readKey(text))
  const [{ jti, kid }] = blocks
  return {
    id: jti,
    kid,
    blocks: blocks.map((claims) => ({ claims, says: describe(claims, now) })),
    expires: Math.min(...blocks.flatMap(({ exp }) => exp ?? [])) as UnixSeconds,
    scopes: scopesOfAll(blocks),
    methods: METHODS.filter((method) =>
      blocks.every(({ methods }) => methods?.includes(method) ?? true),
    ),
  }
}

/** The scopes that every list covers: of two that overlap, the narrower one. */
export function scopesOfAll(blocks: readonly Block[]): readonly string[] {
  return blocks
    .flatMap(({ path }) => (path === undefined ? [] : [scopesOf(path)]))
    .reduce((wide, narrow) => [...new Set(wide.flatMap((scope) => common(scope, narrow)))], ['/'])
}

const common = (scope: string, others: readonly string[]): readonly string[] =>
  others.flatMap((other) => {
    if (coversScope(scope, other)) return [other]
    return coversScope(other, scope) ? [scope] : []
  })

/** Whether all that `inner` covers is covered by `outer`. */
const coversScope = (outer: string, inner: string): boolean =>
  covers(outer, inner as ObjectPath | Prefix)

type Sentences = {
  readonly [C in Claim]: (claim: NonNullable<Block[C]>, now: UnixSeconds) => string
}

const SENTENCES: Sentences = {
  kid: (kid) => `signed with the signing key ${kid}`,
  jti: (jti) => `its id is ${jti}`,
  iat: (iat, now) => `minted at ${moment(iat, now)}`,
  sub: (sub) => `for ${quoted(sub)}`,
  nbf: (nbf, now) => `from ${moment(nbf, now)} on`,
  exp: (exp, now) => `until ${moment(exp, now)}`,
  path: (path) => `only ${anyOf(scopesOf(path).map(scopeInWords))}`,
  match: (match) => `only names that match ${quoted(match)}`,
  methods: (methods) => `may ${listed(methods.map((method) => METHOD_WORDS[method]))}`,
  size: ([least, most]) => sizeInWords(least as Bytes, most as Bytes),
  types: (types) => `uploads only of type ${anyOf(types)}`,
  sha256: (sha256) => `uploads only the content with SHA-256 ${sha256.toLowerCase()}`,
  create: () => 'uploads never replace what is there',
  uses: (uses) => (uses === 1 ? 'works once' : `works ${uses} times`),
  pin: () => 'asks for a PIN',
  bytes: (most) => `moves at most ${exactBytes(most as Bytes)} of content, up and down together`,
  files: (most) => (most === 1 ? 'creates one file' : `creates at most ${most} files`),
  rate: (rate) => `at most ${exactBytes(rate as Bytes)} a second`,
  policy: (name) => `as the stored policy ${name} allows`,
  plan: (name) => `as much as the usage plan ${name} allows`,
  ip: (networks) => `only from ${anyOf(networks)}`,
  origins: (origins) => `in browsers only from pages of ${anyOf(origins)}`,
  headers: (headers) =>
    `only with ${listed(Object.entries(headers).map(([name, value]) => `the header ${name}: ${quoted(value)}`)) || 'any headers'}`,
  tls: () => 'only over TLS',
  respond: (respond) =>
    `answers with ${listed(Object.entries(respond).map(([name, value]) => `${name}: ${quoted(value ?? '')}`)) || 'the usual headers'}`,
  ttl: (ttl) => `uploads are deleted after ${exactTime(ttl as Seconds)}`,
  aud: () => 'the session token of a temporary S3 credential, and no key by itself',
}

const METHOD_WORDS: { readonly [M in Method]: string } = {
  GET: 'download',
  PUT: 'upload',
  DELETE: 'delete',
  LIST: 'list',
}

const CLAIMS = Object.keys(SENTENCES) as readonly Claim[]

/** Each claim of a block in plain words. */
export const describe = (block: Block, now: UnixSeconds): readonly string[] =>
  CLAIMS.flatMap((claim) => {
    const value = block[claim]
    return value === undefined ? [] : [SENTENCES[claim](value as never, now)]
  })

function scopeInWords(scope: string): string {
  if (scope === '/') return 'files anywhere'
  return scope.endsWith('/') ? `files beneath ${quoted(scope)}` : `the file ${quoted(scope)}`
}

function sizeInWords(least: Bytes, most: Bytes): string {
  if (least === 0) return `uploads of at most ${exactBytes(most)}`
  if (least === most) return `uploads of exactly ${exactBytes(most)}`
  return `uploads of at least ${exactBytes(least)} and at most ${exactBytes(most)}`
}

/** `1h30m` where that is the very number, else whole seconds. */
function exactTime(duration: Seconds): string {
  const short = formatDuration(duration)
  return parseDuration(short) === duration ? short : `${duration} seconds`
}

/** `2026-12-01T18:00:00Z (in 14m)`. */
function moment(time: number, now: UnixSeconds): string {
  const distance = formatDuration(Math.abs(time - now) as Seconds)
  const relative = time > now ? `in ${distance}` : time < now ? `${distance} ago` : 'now'
  return `${formatTime(time as UnixSeconds)} (${relative})`
}

/** As it stands; in quotes where it holds more than plain characters, so that it can't pose as ours. */
const quoted = (text: string): string =>
  /^[\w./*?@+=:;,~-]+$/.test(text)
    ? text
    : JSON.stringify(text).replace(
        /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )

const anyOf = (words: readonly string[]): string => joined(words, 'or')
const listed = (words: readonly string[]): string => joined(words, 'and')

const joined = (words: readonly string[], last: string): string =>
  words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(', ')} ${last} ${words[words.length - 1]}`
