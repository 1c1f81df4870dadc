/**
 * The table of restrictions: a claim is data plus one question, asked of an attempt. A request is
 * allowed only if every block admits it; adding a block can only remove permission.
 */
import { isInside } from './address.ts'
import { type Block, type Claim, type Method, type RespondHeader, scopesOf } from './claims.ts'
import { keptUnder } from './counters.ts'
import { matchesGlob } from './glob.ts'
import { coversType } from './media-type.ts'
import { covers, type ObjectPath, type Prefix, underScope } from './object-path.ts'
import { Refusal, type RefusalCode } from './refusal.ts'
import type { Grant } from './sign.ts'
import { type Bytes, formatTime, type Seconds, type UnixSeconds } from './units.ts'

/** Who shows a key, when, and how: all of a request but what it wants. */
export interface Holder {
  readonly now: UnixSeconds
  /** the client's address; empty where there is none, and then inside no network */
  readonly address: string
  readonly tls: boolean
  /** the browser's `Origin`, where sent */
  readonly origin?: string | undefined
  /** a request header by its lower-case name; repeated ones joined by `, ` */
  readonly header: (name: string) => string | undefined
}

/** What a request wants, stated once, before anything is asked of it. */
export interface Attempt extends Holder {
  readonly method: Method
  readonly path: ObjectPath | Prefix
  /** of an upload, as declared; what is declared is a courtesy, what arrives is counted */
  readonly upload?: { readonly size?: Bytes; readonly type: string } | undefined
}

/** Clocks of client, issuer and gateway differ; a key may be used this much before its `nbf`. */
export const NOT_BEFORE_LEEWAY = 60 as Seconds

interface Restriction<C extends Claim, A extends Holder = Attempt> {
  readonly code: RefusalCode
  /** Why the claim prohibits the attempt; undefined where it does not. */
  readonly prohibits: (
    claim: NonNullable<Block[C]>,
    attempt: A,
    scope: readonly string[],
  ) => string | undefined
}

/** Claims that restrict nothing by themselves, or are kept elsewhere: counted, proven, or enforced as bytes arrive. */
type Unasked =
  | 'kid'
  | 'jti'
  | 'iat'
  | 'sub'
  | 'respond'
  | 'ttl'
  | 'uses'
  | 'pin'
  | 'sha256'
  | 'create'
  | 'bytes'
  | 'files'
  | 'rate'
  | 'policy'
  | 'plan'
  | 'aud'

/** What a claim asks of whoever shows the key, whatever the request is for. */
const OF_HOLDER = ['nbf', 'exp', 'ip', 'tls', 'origins', 'headers'] as const satisfies Claim[]
type OfHolder = (typeof OF_HOLDER)[number]

/** In the order in which refusals are preferred where several apply. */
const RESTRICTIONS: {
  readonly [C in Exclude<Claim, Unasked>]: Restriction<C, C extends OfHolder ? Holder : Attempt>
} = {
  nbf: {
    code: 'key_not_yet_valid',
    prohibits: (nbf, { now }) =>
      now < nbf - NOT_BEFORE_LEEWAY
        ? `the key is valid from ${formatTime(nbf as UnixSeconds)} on`
        : undefined,
  },
  exp: {
    code: 'key_expired',
    prohibits: (exp, { now }) =>
      now >= exp
        ? `the key expired at ${formatTime(exp as UnixSeconds)}; ask for a new one`
        : undefined,
  },
  methods: {
    code: 'method_not_granted',
    prohibits: (methods, { method }) =>
      methods.includes(method) ? undefined : `the key grants ${methods.join(', ')}, not ${method}`,
  },
  path: {
    code: 'path_not_granted',
    prohibits: (path, attempt) =>
      scopesOf(path).some((scope) => covers(scope, attempt.path))
        ? undefined
        : 'the path is outside the scope of the key',
  },
  match: {
    code: 'path_not_granted',
    prohibits: (match, attempt, scope) =>
      attempt.method === 'LIST' || matchesUnderScope(match, attempt.path, scope)
        ? undefined
        : `the name does not match "${match}", which the key requires`,
  },
  ip: {
    code: 'address_not_granted',
    prohibits: (networks, { address }) =>
      networks.some((network) => isInside(address, network))
        ? undefined
        : `the request came from ${address || 'an unknown address'}, which the key is not for`,
  },
  tls: {
    code: 'tls_required',
    prohibits: (_, { tls }) => (tls ? undefined : 'send the request over https'),
  },
  origins: {
    code: 'origin_not_granted',
    prohibits: (origins, { origin }) =>
      origin === undefined || origins.includes(origin.toLowerCase())
        ? undefined
        : 'the page that sent the request is of an origin that the key is not for',
  },
  headers: {
    code: 'header_not_granted',
    prohibits: (headers, { header }) => {
      const wrong = Object.entries(headers).find(
        ([name, value]) => header(name.toLowerCase()) !== value,
      )
      return (
        wrong &&
        `the request must carry the header "${wrong[0]}" with exactly the value that the key states`
      )
    },
  },
  types: {
    code: 'type_not_granted',
    prohibits: (types, { upload }) =>
      upload === undefined || types.some((range) => coversType(range, upload.type))
        ? undefined
        : `the upload is declared as "${upload.type}"; the key expects ${types.join(' or ')}: send a Content-Type of these`,
  },
  size: {
    code: 'too_large',
    prohibits: ([, most], { upload }) =>
      upload?.size !== undefined && upload.size > most
        ? `the upload has ${upload.size} bytes; the key allows at most ${most}`
        : undefined,
  },
}

const ROWS = Object.entries(RESTRICTIONS) as unknown as readonly (readonly [
  Claim,
  Restriction<Claim>,
])[]

/**
 * The first refusal, in the order of the table; undefined where every block admits the attempt. Plain
 * loops: to keep what a grant states costs more than to look for it.
 */
export function clear(grant: Grant, attempt: Attempt): Refusal | undefined {
  const { blocks } = grant
  for (const [claim, { code, prohibits }] of ROWS) {
    for (let index = 0; index < blocks.length; index += 1) {
      const value = blocks[index]?.[claim]
      if (value === undefined) continue
      const why = prohibits(value as never, attempt, scopeOf(grant, index))
      if (why !== undefined) return new Refusal(code, why)
    }
  }
  return uploadTooSmall(grant, attempt)
}

/** Why every request of this holder would be refused; undefined where it depends on the request. */
export function clearHolder(grant: Grant, holder: Holder): Refusal | undefined {
  for (const claim of OF_HOLDER) {
    const { code, prohibits } = RESTRICTIONS[claim] as Restriction<Claim, Holder>
    for (const block of grant.blocks) {
      const value = block[claim]
      const why = value === undefined ? undefined : prohibits(value as never, holder, [])
      if (why !== undefined) return new Refusal(code, why)
    }
  }
  return undefined
}

/** What a grant states never changes, and a key is used many times. */
function oncePerGrant<T extends object>(read: (grant: Grant) => T): (grant: Grant) => T {
  const known = new WeakMap<Grant, T>()
  return (grant) => {
    const before = known.get(grant)
    if (before !== undefined) return before
    const found = read(grant)
    known.set(grant, found)
    return found
  }
}

/** The scopes in force for a block: its own, else those of the nearest block before it. */
function scopeOf({ blocks }: Grant, index: number): readonly string[] {
  for (let at = index; at >= 0; at -= 1) {
    const path = blocks[at]?.path
    if (path !== undefined) return scopesOf(path)
  }
  return ['/']
}

/**
 * Claims that are kept beside a key, as a block of their own: their `match` is beneath the scope of
 * the block that they are for, whatever the key was narrowed to since.
 * @param index of that block
 */
export function atBlock(claims: Block, grant: Grant, index: number): Block {
  if (claims.match === undefined || claims.path !== undefined) return claims
  return { ...claims, path: [...scopeOf(grant, index)] }
}

/** Asked beneath the longest scope that covers the path: one reading, and one match, per block. */
function matchesUnderScope(
  glob: string,
  path: ObjectPath | Prefix,
  scopes: readonly string[],
): boolean {
  const covering = scopes.filter((scope) => covers(scope, path))
  const longest = covering.reduce((best, scope) => (scope.length > best.length ? scope : best), '')
  return longest !== '' && matchesGlob(glob, underScope(longest, path))
}

function uploadTooSmall(grant: Grant, { upload }: Attempt): Refusal | undefined {
  if (upload?.size === undefined) return undefined
  const { least } = uploadLimits(grant)
  if (upload.size >= least) return undefined
  return new Refusal(
    'too_small',
    `the upload has ${upload.size} bytes; the key expects at least ${least}`,
  )
}

/** Whether a listing under this grant shows an object: its name matches every block's `match`. */
export const isListed = (grant: Grant, path: ObjectPath): boolean =>
  grant.blocks.every(
    ({ match }, index) =>
      match === undefined || matchesUnderScope(match, path, scopeOf(grant, index)),
  )

/** What holds of the bytes of an upload, enforced as they arrive. */
export interface UploadLimits {
  readonly least: Bytes
  readonly most: Bytes
  /** one list per block that states types: the content must be covered by each */
  readonly types: readonly (readonly string[])[]
  /** lower-case hex; two different ones can't both be met */
  readonly sha256: readonly string[]
  readonly create: boolean
  /** the shortest lifetime stated */
  readonly ttl?: Seconds
}

export const uploadLimits = oncePerGrant((grant): UploadLimits => {
  const ttls = grant.blocks.flatMap(({ ttl }) => ttl ?? [])
  return {
    least: Math.max(0, ...grant.blocks.map(({ size }) => size?.[0] ?? 0)) as Bytes,
    most: Math.min(
      Number.MAX_SAFE_INTEGER,
      ...grant.blocks.map(({ size }) => size?.[1] ?? Number.MAX_SAFE_INTEGER),
    ) as Bytes,
    types: grant.blocks.flatMap(({ types }) => (types === undefined ? [] : [types])),
    sha256: grant.blocks.flatMap(({ sha256 }) => sha256?.toLowerCase() ?? []),
    create: grant.blocks.some((block) => block.create),
    ...(ttls.length > 0 && { ttl: Math.min(...ttls) as Seconds }),
  }
})

/** Whether a PIN has to be proven, which is asked after all else, and not here. */
export const isPinned = (grant: Grant): boolean => grant.blocks.some(({ pin }) => pin !== undefined)

/** What PINs are kept under that a request has to prove: see `counters.ts`. */
export function pinnedIds(grant: Grant): readonly string[] {
  if (!isPinned(grant)) return []
  return grant.blocks.flatMap(({ pin }, index) => (pin ? [keptUnder(grant.blocks, index)] : []))
}

export const hasOverrides = (grant: Grant): boolean =>
  grant.blocks.some(({ respond }) => respond !== undefined)

/** Response headers that the key overrides: the first block that states one wins. */
export function overrides(grant: Grant): Partial<Record<RespondHeader, string>> {
  const stated = grant.blocks.map(({ respond }) => respond ?? {})
  return Object.assign({}, ...stated.reverse()) as Partial<Record<RespondHeader, string>>
}

/** What is asked of every request, and of none that a cache answers. */
const ASKED_EACH_TIME = [
  ...['uses', 'pin', 'bytes', 'plan'],
  ...['ip', 'origins', 'headers', 'tls'],
] as const satisfies readonly Claim[]

/** Whether a cache that answers passes by something that the key restricts. */
export const isPassedByCaches = (grant: Grant): boolean =>
  grant.blocks.some((block) => ASKED_EACH_TIME.some((claim) => block[claim] !== undefined))

/** Whether the key itself grants CORS to an origin: some block states origins, and all that do hold it. */
export function grantsOrigin(grant: Grant, origin: string): boolean {
  const stated = grant.blocks.flatMap(({ origins }) => (origins === undefined ? [] : [origins]))
  return stated.length > 0 && stated.every((origins) => origins.includes(origin.toLowerCase()))
}
