/**
 * The claims of a block: what may be written, in which type and unit. An unknown claim, or one of
 * the wrong type, makes the whole key unreadable: a restriction not understood is one not kept.
 */
import * as z from 'zod/mini'
import { parseCidr } from './address.ts'
import { parseScope } from './object-path.ts'
import { Refusal } from './refusal.ts'

export const METHODS = ['GET', 'PUT', 'DELETE', 'LIST'] as const
/** What a request does. HEAD counts as GET, every way of uploading as PUT. */
export type Method = (typeof METHODS)[number]

/** The response headers that a key may override. */
export const RESPOND_HEADERS = [
  'content-disposition',
  'content-type',
  'content-language',
  'content-encoding',
  'cache-control',
  'expires',
] as const
export type RespondHeader = (typeof RESPOND_HEADERS)[number]

const ID = /^[A-Za-z0-9_-]{1,64}$/
/** Whether a value can be a `kid` or a `jti`. */
export const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value)

const MEDIA_RANGE = /^(?:\*\/\*|[\w!#$&^.+-]{1,64}\/(?:\*|[\w!#$&^.+-]{1,64}))$/
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

const text = (pattern: RegExp, expected: string) =>
  z.string(expected).check(z.regex(pattern, expected))
const wellFormed = (most: number) => {
  const expected = `is well-formed Unicode text of at most ${most} characters`
  return z
    .string(expected)
    .check(z.refine((value) => value.length <= most && value.isWellFormed(), expected))
}
const listOf = <T extends z.ZodMiniType>(item: T, most = 64) =>
  z
    .array(item, 'is a list')
    .check(z.minLength(1, 'is not empty'), z.maxLength(most, `has at most ${most} entries`))
const wholeFrom = (least: number, expected: string) => z.int(expected).check(z.gte(least, expected))

const id = text(ID, 'is 1 to 64 of A-Z a-z 0-9 _ -')
const time = wholeFrom(0, 'is a time in whole Unix seconds')
const size = wholeFrom(0, 'is a size in whole bytes')
const atLeastOne = wholeFrom(1, 'is a whole number from 1 on')
const isTrue = z.literal(true, 'is true or not there')
const headerValue = text(HEADER_VALUE, 'is a header value without control characters')

const SCOPE = 'is "/", BUCKET/, BUCKET/PREFIX/ or BUCKET/KEY'
const scope = z.string(SCOPE).check(z.refine((value) => isScope(value), SCOPE))
const scopes = z.union([scope, listOf(scope, 16)], 'is a scope or a list of scopes')

const NETWORK = 'is a network such as 10.0.0.0/8 or 2001:db8::/32'
const network = z
  .string(NETWORK)
  .check(z.refine((value) => parseCidr(value) !== undefined, NETWORK))

/** Not `z.record`, which drops a member `__proto__` silently: a restriction would be lost. */
const headers = z.custom<Readonly<Record<string, string>>>(
  isHeaders,
  'is an object of header names, each with its value',
)

/** One block of a key. */
export const Block = z.strictObject({
  /** names the signing key; block 0 only */
  kid: z.optional(id),
  /** the block's id, by which it is revoked and counted */
  jti: z.optional(id),
  /** minted at, Unix seconds; block 0 only */
  iat: z.optional(time),
  /** whom the key is for */
  sub: z.optional(wellFormed(256)),
  nbf: z.optional(time),
  exp: z.optional(time),
  path: z.optional(scopes),
  match: z.optional(wellFormed(256).check(z.minLength(1, 'is not empty'))),
  methods: z.optional(listOf(z.enum(METHODS, `is one of ${METHODS.join(', ')}`))),
  /** [least, most] bytes of an upload */
  size: z.optional(
    z
      .tuple([size, size], 'is [min, max] in bytes')
      .check(z.refine(([least, most]) => least <= most, 'is [min, max] in order')),
  ),
  types: z.optional(
    listOf(text(MEDIA_RANGE, 'is a media range such as image/* or application/pdf')),
  ),
  sha256: z.optional(text(/^[0-9a-fA-F]{64}$/, 'is 64 hexadecimal digits')),
  create: z.optional(isTrue),
  uses: z.optional(atLeastOne),
  ip: z.optional(listOf(network)),
  origins: z.optional(listOf(text(ORIGIN, 'is an origin such as https://app.example.com'))),
  headers: z.optional(headers),
  tls: z.optional(isTrue),
  respond: z.optional(
    z.strictObject(
      Object.fromEntries(RESPOND_HEADERS.map((name) => [name, z.optional(headerValue)])) as Record<
        RespondHeader,
        z.ZodMiniOptional<typeof headerValue>
      >,
      'is an object of response headers',
    ),
  ),
  /** an uploaded object lives this many seconds */
  ttl: z.optional(atLeastOne),
  /** this key is the session token of a temporary S3 credential; block 0 only */
  aud: z.optional(z.literal('sigv4', 'is "sigv4" or not there')),
})

/** Claims that the format names and this version does not honour yet. */
export const RESERVED_CLAIMS: readonly string[] = [
  'bytes',
  'files',
  'rate',
  'policy',
  'plan',
  'cnf',
]

/** Claims of one block: data. What each claim asks of a request is in `clear.ts`. */
export type Block = z.output<typeof Block>
export type Claim = keyof Block

/** Block 0 says at least whose signature, which id, until when, where, and what. */
export type FirstBlock = Block & {
  readonly [C in (typeof REQUIRED_FIRST)[number]]: NonNullable<Block[C]>
}

const ONLY_FIRST = ['kid', 'iat', 'aud'] as const satisfies readonly Claim[]
const REQUIRED_FIRST = ['kid', 'jti', 'exp', 'path', 'methods'] as const satisfies readonly Claim[]

/**
 * Block 0 of a key.
 * @throws Refusal key_malformed, naming the claim
 */
export function parseFirstBlock(value: unknown): FirstBlock {
  const block = parseBlock(value, 'block 0')
  const missing = REQUIRED_FIRST.find((claim) => block[claim] === undefined)
  if (missing !== undefined) throw malformed('block 0', missing, 'is required')
  return block as FirstBlock
}

/**
 * A block that narrows, or the ceiling of a signing key.
 * @throws Refusal key_malformed, naming the claim
 */
export function parseLaterBlock(value: unknown, where: string): Block {
  const block = parseBlock(value, where)
  const misplaced = ONLY_FIRST.find((claim) => block[claim] !== undefined)
  if (misplaced !== undefined) throw malformed(where, misplaced, 'belongs into block 0 only')
  return block
}

function parseBlock(value: unknown, where: string): Block {
  const result = Block.safeParse(value)
  if (!result.success) throw unreadable(where, result.error.issues)
  if (result.data.uses !== undefined && result.data.jti === undefined) {
    throw malformed(where, 'uses', 'needs a jti beside it, on which it is counted')
  }
  return result.data
}

function unreadable(where: string, issues: readonly z.core.$ZodIssue[]): Refusal {
  const [issue] = issues
  const stated = issue?.path.map(String) ?? []
  if (issue?.code !== 'unrecognized_keys') {
    const what = stated.length === 0 ? 'is a JSON object' : (issue?.message ?? 'can not be read')
    return malformed(where, stated.join('.'), what)
  }
  const claim = [...stated, issue.keys[0]].join('.')
  return RESERVED_CLAIMS.includes(claim)
    ? malformed(where, claim, 'is reserved: this version can not honour it, so it refuses the key')
    : malformed(where, claim, 'is not one of this format')
}

const malformed = (where: string, claim: string, what: string): Refusal =>
  new Refusal(
    'key_malformed',
    claim === '' ? `${where} ${what}` : `${where}: claim "${printable(claim)}" ${what}`,
  )

/** A stranger chose the name: it must not steer the terminal that shows it, nor fill it. */
const printable = (name: string): string => name.slice(0, 64).replace(/[^ -~]/g, '?')

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(
    ([name, stated]) =>
      HEADER_NAME.test(name) &&
      name !== '__proto__' &&
      typeof stated === 'string' &&
      HEADER_VALUE.test(stated),
  )
}

function isScope(value: string): boolean {
  try {
    return parseScope(value) === value
  } catch {
    return false
  }
}

/** The scopes of a block, always as a list. */
export const scopesOf = (path: NonNullable<Block['path']>): readonly string[] =>
  typeof path === 'string' ? [path] : path
