/** Narrowing: options -> one more block. Anybody who holds a key can do it, without any secret. */
import { isInside, parseCidr } from '../key/address.ts'
import { type Block, type Claim, scopesOf } from '../key/claims.ts'
import { inspectKey } from '../key/inspect.ts'
import { keyOf, leadsToPage, withKey } from '../key/link.ts'
import {
  covers,
  type ObjectPath,
  type Prefix,
  parseScope,
  parseTarget,
  targetOf,
} from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import { narrowKey } from '../key/sign.ts'
import type { Mac } from '../key/signer.ts'
import type { UnixSeconds } from '../key/units.ts'
import { type NarrowOptions, restrictionsFrom, SIZE_UNLIMITED } from './options.ts'

/** What narrowing takes from where it runs: a program, or a browser. */
export interface NarrowContext {
  readonly now: UnixSeconds
  readonly mac: Mac
  /** an id for a block that counts something and whose options state none */
  readonly randomId: () => string
}

/**
 * A link or a key with one more block, of what was stated only, in the form it came in. A block that
 * asks for more than the key grants is harmless, every block must admit a request;
 * {@link refuseWidening} is for saying so.
 * @throws OptionsError with every mistake
 * @throws Refusal key_missing, key_ambiguous, key_malformed
 */
export function narrow(
  urlOrKey: string,
  options: NarrowOptions,
  { now, mac, randomId }: NarrowContext,
): string {
  const { key, url } = keyOf(urlOrKey)
  const block = restrictionsFrom(options, { now, id: randomId() })
  const narrowed = narrowKey(key, block, mac)
  if (url === undefined) return narrowed
  const stays = block.path === undefined || leadsToPage(url)
  return withKey(stays ? url : moved(url, key, scopesOf(block.path), now), narrowed)
}

/** The link to where the narrower key works: where it led already, else to the first scope. */
function moved(url: URL, key: string, scopes: readonly string[], now: UnixSeconds): URL {
  const at = placeIn(url.pathname, inspectKey(key, now).scopes)
  const path = pathOf(url.pathname.slice(at))
  const [first = '/'] = scopes
  if (path !== undefined && scopes.some((scope) => covers(scope, path))) return url
  const link = new URL(url)
  link.pathname = url.pathname.slice(0, at) + targetOf(parseScope(first))
  return link
}

/** Where in a link's path the object's begins, behind what a proxy has in front of the gateway. */
function placeIn(pathname: string, scopes: readonly string[]): number {
  const places = scopes.map((scope) => {
    const target = targetOf(parseScope(scope))
    return target.endsWith('/') ? pathname.indexOf(target) : pathname.lastIndexOf(target)
  })
  return Math.max(0, ...places)
}

function pathOf(target: string): ObjectPath | Prefix | undefined {
  try {
    return parseTarget(target).path
  } catch {
    return undefined
  }
}

type Widens<C extends Claim> = (
  asked: NonNullable<Block[C]>,
  held: NonNullable<Block[C]>,
) => boolean

/** Claim by claim: whether what is asked reaches beyond what is held. */
const WIDENS: { readonly [C in Claim]?: Widens<C> } = {
  path: (asked, held) =>
    !scopesOf(asked).every((scope) =>
      scopesOf(held).some((outer) => covers(outer, asPrefix(scope))),
    ),
  methods: (asked, held) => !asked.every((method) => held.includes(method)),
  nbf: (asked, held) => asked < held,
  exp: (asked, held) => asked > held,
  size: ([least, most], [heldLeast, heldMost]) =>
    (least > 0 && least < heldLeast) || (most < SIZE_UNLIMITED && most > heldMost),
  types: (asked, held) => !asked.every((type) => held.some((outer) => coversRange(outer, type))),
  sha256: (asked, held) => asked.toLowerCase() !== held.toLowerCase(),
  uses: (asked, held) => asked > held,
  bytes: (asked, held) => asked > held,
  files: (asked, held) => asked > held,
  rate: (asked, held) => asked > held,
  ip: (asked, held) =>
    !asked.every((network) => held.some((outer) => isInsideNetwork(network, outer))),
  origins: (asked, held) => !asked.every((origin) => held.includes(origin)),
  headers: (asked, held) => contradicts(lowerCaseNames(asked), lowerCaseNames(held)),
  respond: (asked, held) => contradicts(asked, held),
  ttl: (asked, held) => asked > held,
}

/** Switches whose other position would take a restriction away. */
const LIFTS = [
  { option: 'overwrite', position: true, claim: 'create' },
  { option: 'tls', position: false, claim: 'tls' },
] as const

/**
 * Says so, rather than hand out a key that does less than was asked for.
 * @param asked the claims that the options became
 * @param held blocks that the new one would stand behind
 * @throws Refusal claim_not_granted, naming the claim
 */
export function refuseWidening(options: NarrowOptions, asked: Block, held: readonly Block[]): void {
  for (const [claim, widens] of Object.entries(WIDENS) as [Claim, Widens<Claim>][]) {
    const value = asked[claim]
    if (value === undefined) continue
    const beyond = held.some((block) => {
      const limit = block[claim]
      return limit !== undefined && widens(value as never, limit as never)
    })
    if (beyond) throw notGranted(claim)
  }
  for (const { option, position, claim } of LIFTS) {
    if (options[option] === position && held.some((block) => block[claim])) throw notGranted(claim)
  }
}

const notGranted = (claim: Claim): Refusal =>
  new Refusal(
    'claim_not_granted',
    `the key sent allows less of "${claim}" than was asked for: ask for what lies within it, or send the admin token`,
  )

/** A scope as a path that other scopes may cover. */
const asPrefix = (scope: string): Prefix => (scope === '/' ? '' : scope) as Prefix

function coversRange(outer: string, asked: string): boolean {
  const [range, type] = [outer.toLowerCase(), asked.toLowerCase()]
  return (
    range === '*/*' ||
    range === type ||
    (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))
  )
}

function isInsideNetwork(asked: string, outer: string): boolean {
  const [address = ''] = asked.split('/')
  const bits = parseCidr(asked)?.bits ?? 0
  return isInside(address, outer) && bits >= (parseCidr(outer)?.bits ?? Number.POSITIVE_INFINITY)
}

type Texts = Readonly<Record<string, string | undefined>>

const lowerCaseNames = (headers: Texts): Texts =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const contradicts = (asked: Texts, held: Texts): boolean =>
  Object.entries(asked).some(([name, value]) => Object.hasOwn(held, name) && held[name] !== value)
