/**
 * The claims of a block: what may be written, in which type and unit. An unknown claim, or one of
 * the wrong type, makes the whole key unreadable: a restriction not understood is one not kept.
 */
import { parseCidr } from './address.ts'
import {
  and,
  listOf,
  type ObjectOf,
  objectOf,
  oneOf,
  oneOrListOf,
  pairOf,
  text,
  textLike,
  value,
  type Wrong,
  wholeFrom,
} from './check.ts'
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

const MAX_ENTRIES = 64
const MAX_SCOPES = 16

const wellFormed = (most: number) =>
  text(
    (stated) => stated.length <= most && stated.isWellFormed(),
    `is well-formed Unicode text of at most ${most} characters`,
  )

const id = textLike(ID, 'is 1 to 64 of A-Z a-z 0-9 _ -')
const time = wholeFrom(0, 'is a time in whole Unix seconds')
const size = wholeFrom(0, 'is a size in whole bytes')
const atLeastOne = wholeFrom(1, 'is a whole number from 1 on')
const isTrue = oneOf([true], 'is true or not there')
const method = oneOf(METHODS, `is one of ${METHODS.join(', ')}`)
const scope = text(isScope, 'is "/", BUCKET/, BUCKET/PREFIX/ or BUCKET/KEY')
const network = text(
  (stated) => parseCidr(stated) !== undefined,
  'is a network such as 10.0.0.0/8 or 2001:db8::/32',
)
const mediaRange = textLike(MEDIA_RANGE, 'is a media range such as image/* or application/pdf')
const origin = textLike(ORIGIN, 'is an origin such as https://app.example.com')
const headerValue = textLike(HEADER_VALUE, 'is a header value without control characters')
const headers = value<Readonly<Record<string, string>>>(
  isHeaders,
  'is an object of header names, each with its value',
)

const UNKNOWN = 'is not one of this format'

/** What each claim of a block is; a claim is a row. */
const CLAIMS = {
  /** names the signing key; block 0 only */
  kid: id,
  /** the block's id, by which it is revoked and counted */
  jti: id,
  /** minted at, Unix seconds; block 0 only */
  iat: time,
  /** whom the key is for */
  sub: wellFormed(256),
  nbf: time,
  exp: time,
  path: oneOrListOf(scope, MAX_SCOPES, 'is a scope or a list of scopes'),
  match: and(wellFormed(256), (glob) => glob !== '', 'is not empty'),
  methods: listOf(method, MAX_ENTRIES),
  /** [least, most] bytes of an upload */
  size: and(
    pairOf(size, 'is [min, max] in bytes'),
    ([least, most]) => least <= most,
    'is [min, max] in order',
  ),
  types: listOf(mediaRange, MAX_ENTRIES),
  sha256: textLike(/^[0-9a-fA-F]{64}$/, 'is 64 hexadecimal digits'),
  create: isTrue,
  uses: atLeastOne,
  /** a PIN is asked for, which the ledger keeps under the block's id */
  pin: isTrue,
  /** bytes of content that are moved, both ways */
  bytes: atLeastOne,
  /** objects that are created */
  files: atLeastOne,
  /** bytes a second */
  rate: atLeastOne,
  /** a stored policy, judged like a further block; that of the block's own id: see `policy.ts` */
  policy: id,
  /** a stored usage plan */
  plan: id,
  ip: listOf(network, MAX_ENTRIES),
  origins: listOf(origin, MAX_ENTRIES),
  headers,
  tls: isTrue,
  respond: objectOf(
    Object.fromEntries(RESPOND_HEADERS.map((name) => [name, headerValue])) as Record<
      RespondHeader,
      typeof headerValue
    >,
    'is an object of response headers',
    UNKNOWN,
  ),
  /** an uploaded object lives this many seconds */
  ttl: atLeastOne,
  /** this key is the session token of a temporary S3 credential; block 0 only */
  aud: oneOf(['sigv4'], 'is "sigv4" or not there'),
}

/** Claims of one block: data. What each claim asks of a request is in `clear.ts`. */
export type Block = ObjectOf<typeof CLAIMS>
export type Claim = keyof Block
export const CLAIM_NAMES = Object.keys(CLAIMS) as readonly Claim[]

/** What is wrong with the claims of a block, each taken by itself. */
export const wrongClaim: (block: unknown) => Wrong | undefined = objectOf(
  CLAIMS,
  'is a JSON object',
  UNKNOWN,
)

/** Claims that the format names and this version does not honour yet. */
export const RESERVED_CLAIMS: readonly string[] = ['cnf']

/** Block 0 says at least whose signature, which id, until when, where, and what. */
export type FirstBlock = Block & {
  readonly [C in (typeof REQUIRED_FIRST)[number]]: NonNullable<Block[C]>
}

const ONLY_FIRST = ['kid', 'iat', 'aud'] as const satisfies readonly Claim[]
/** Claims that are counted on the `jti` of their block. */
export const COUNTED = ['uses', 'bytes', 'files'] as const satisfies readonly Claim[]
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
  const wrong = wrongClaim(value)
  if (wrong !== undefined) throw unreadable(where, wrong)
  const block = value as Block
  const counted = COUNTED.find((claim) => block[claim] !== undefined)
  if (counted !== undefined && block.jti === undefined) {
    throw malformed(where, counted, 'needs a jti beside it, on which it is counted')
  }
  if (block.pin !== undefined && block.jti === undefined) {
    throw malformed(where, 'pin', 'needs a jti beside it, under which its PIN is kept')
  }
  return block
}

function unreadable(where: string, { at, expected }: Wrong): Refusal {
  const claim = at.join('.')
  return expected === UNKNOWN && RESERVED_CLAIMS.includes(claim)
    ? malformed(where, claim, 'is reserved: this version can not honour it, so it refuses the key')
    : malformed(where, claim, expected)
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
