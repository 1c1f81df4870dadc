/** `/v1/keys`: mint, list, show, revoke. */
import { scopesOf } from '../../key/claims.ts'
import { inspectKey } from '../../key/inspect.ts'
import { linkOf } from '../../key/link.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { type Prefix, parseScope, type Scope } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { type Grant, narrowKey } from '../../key/sign.ts'
import { later, type UnixSeconds } from '../../key/units.ts'
import type { IssuedKey } from '../../ledger/ledger.ts'
import { amend, replaced, replacement } from '../amend.ts'
import { issuedKeyOf, type Minted, mint, randomId } from '../mint.ts'
import { refuseWidening } from '../narrow.ts'
import { durationOf, isObject, timeOf } from '../option-values.ts'
import { type MintOptions, type Mistake, OptionsError, restrictionsFrom } from '../options.ts'
import { revoke } from '../revoke.ts'
import { asking } from './problem.ts'
import { bodyOf, type Issuer, type Route, route } from './route.ts'
import * as rules from './rule-schemas.ts'
import * as schemas from './schemas.ts'

const MOST_AT_ONCE = 1000

/** A key as it is handed out, and as it is remembered. */
interface Issue {
  readonly shown: Omit<Minted, 'claims'>
  readonly issued: IssuedKey
}

const mintKeys = route({
  name: 'mintKeys',
  method: 'post',
  path: '/v1/keys',
  summary: 'Mint a key, or up to 1000 at once, all or none; with a valet key: narrow that one',
  access: 'holder',
  // the options are read, and their mistakes found, where command line and library do it as well
  body: { schema: schemas.KeyRequests, read: (value: unknown) => value },
  success: { status: 201, description: 'as asked: one, or as many', schema: schemas.NewKeys },
  refusals: ['claim_not_granted', 'conflict', 'path_not_granted'],
  async answer({ body, caller, issuer, now }) {
    const make =
      caller.kind === 'holder'
        ? (options: unknown) => narrowed(options, caller.key, caller.grant, issuer, now)
        : await minting(issuer, now)
    const issues = Array.isArray(body) ? eachOf(body, make) : [make(body ?? {})]
    if (caller.kind === 'holder') await refuseRevoked(issues, caller.grant, issuer)
    await asking(() => issuer.ledger.recordIssued(issues.map(({ issued }) => issued)))
    const shown = issues.map((issue) => issue.shown)
    if (Array.isArray(body)) return { status: 201, body: shown }
    return { status: 201, body: shown[0], location: `/v1/keys/${shown[0]?.id}` }
  },
})

const listKeys = route({
  name: 'listKeys',
  method: 'get',
  path: '/v1/keys',
  summary: 'Keys minted here, newest first',
  access: 'admin',
  query: schemas.IssuedQuery,
  success: { status: 200, description: 'a page of them', schema: schemas.IssuedKeys },
  refusals: [],
  async answer({ query: { id, subject, path, after, limit }, issuer }) {
    const stated = { ...(id && { id }), ...(subject && { subject }), ...(path && { path }) }
    const filter = { ...stated, ...(after && { after }), limit: limit + 1 }
    const found = await asking(() => issuer.ledger.issued(filter))
    const keys = found.slice(0, limit)
    const next = found.length > limit ? keys.at(-1)?.id : undefined
    return { status: 200, body: { keys, next: next ?? null } }
  },
})

const showKey = route({
  name: 'showKey',
  method: 'get',
  path: '/v1/keys/{id}',
  summary: 'One key: for whom, for what, until when, and what it has done',
  access: 'admin',
  params: schemas.KeyParams,
  success: { status: 200, description: 'the key, without its secret', schema: schemas.IssuedKey },
  refusals: ['resource_not_found'],
  async answer({ params: { id = '' }, issuer }) {
    const [key] = await asking(() => issuer.ledger.issued({ id, limit: 1 }))
    if (key !== undefined) return { status: 200, body: key }
    throw new Refusal('resource_not_found', `no key with the id "${id}" was minted here`)
  },
})

const revokeKey = route({
  name: 'revokeKey',
  method: 'delete',
  path: '/v1/keys/{id}',
  summary: 'Revoke a key by its id, and all that was narrowed from it; also one minted elsewhere',
  access: 'admin',
  params: schemas.KeyParams,
  success: { status: 204, description: 'revoked, from the next request on' },
  refusals: [],
  async answer({ params: { id = '' }, issuer, now }) {
    const { ledger, keyring } = issuer
    await asking(() => revoke({ id }, { ledger, keyring, now }))
    return { status: 204 }
  },
})

const changeKey = route({
  name: 'changeKey',
  method: 'patch',
  path: '/v1/keys/{id}',
  summary: 'Put off or bring forward the end of a key, pause, resume or narrow it: its URL stays',
  access: 'admin',
  params: schemas.KeyParams,
  body: { ...bodyOf(rules.WrittenChange), schema: rules.KeyChange },
  success: { status: 200, description: 'what holds beside the key now', schema: rules.KeyRule },
  refusals: ['conflict', 'key_malformed'],
  async answer({ params: { id = '' }, body, issuer, now }) {
    const context = { ledger: issuer.ledger, now, maxLife: issuer.settings.maxExpires }
    return { status: 200, body: { id, ...(await asking(() => amend(id, body, context))) } }
  },
})

const replaceKey = route({
  name: 'replaceKey',
  method: 'post',
  path: '/v1/keys/{id}/replace',
  summary: 'Revoke a key, and mint another one with the same claims: a new URL',
  access: 'admin',
  params: schemas.KeyParams,
  body: bodyOf(rules.ReplaceRequest),
  success: { status: 201, description: 'the new key', schema: schemas.NewKeys },
  refusals: ['resource_not_found', 'conflict'],
  async answer({ params: { id = '' }, body: { expires, expiresIn }, issuer, now }) {
    const { ledger, keyring, publicUrl, settings } = issuer
    const end = expires ?? expiresIn
    const until = end === undefined ? undefined : endAt(end, expires === undefined, now)
    const context = { ledger, keyring, publicUrl, now, maxLife: settings.maxExpires }
    const minted = await asking(() => replacement(id, until, context))
    const { claims: _, ...shown } = minted
    await asking(() => replaced(id, minted, { ledger, keyring, now, by: 'admin' }))
    return { status: 201, body: shown, location: `/v1/keys/${minted.id}` }
  },
})

export const keyRoutes: readonly Route[] = [
  mintKeys,
  listKeys,
  showKey,
  changeKey,
  replaceKey,
  revokeKey,
]

/** @throws OptionsError */
function endAt(value: string | number, isIn: boolean, now: UnixSeconds): UnixSeconds {
  try {
    return isIn ? later(now, durationOf(value)) : timeOf(value, now)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new OptionsError([{ option: isIn ? 'expiresIn' : 'expires', message: error.message }])
  }
}

/** Each of a list; the mistakes of all of them are found before anything is refused. */
function eachOf(list: readonly unknown[], make: (options: unknown) => Issue): Issue[] {
  if (list.length < 1 || list.length > MOST_AT_ONCE) {
    const detail = `an array mints 1 to ${MOST_AT_ONCE} keys at once, this one has ${list.length}`
    throw new Refusal('request_malformed', detail)
  }
  const mistakes: Mistake[] = []
  const issues = list.flatMap((options, index) => {
    try {
      return [make(options)]
    } catch (error) {
      if (!(error instanceof OptionsError)) throw error
      for (const { option, message } of error.mistakes) {
        mistakes.push({ option: `${index}.${option}`, message })
      }
      return []
    }
  })
  if (mistakes.length > 0) throw new OptionsError(mistakes)
  return issues
}

async function minting(issuer: Issuer, now: UnixSeconds): Promise<(options: unknown) => Issue> {
  const { keyring, publicUrl, settings } = issuer
  await asking(() => keyring.refresh())
  const signingKey = await asking(() => keyring.active())
  const { defaultExpires: defaultLife, maxExpires: maxLife } = settings
  const context = { signingKey, now, publicUrl, defaultLife, maxLife }
  return (asked) => {
    const { renewable, options } = renewableOf(asked)
    const minted = mint(options as MintOptions, { ...context, renewable })
    const { claims: _, ...shown } = minted
    return { shown, issued: issuedKeyOf(minted, 'admin') }
  }
}

/** @throws OptionsError */
function renewableOf(asked: unknown): { renewable: boolean; options: unknown } {
  if (!isObject(asked)) return { renewable: false, options: asked }
  const { renewable = false, ...options } = asked
  if (typeof renewable === 'boolean') return { renewable, options }
  throw new OptionsError([{ option: 'renewable', message: 'must be true or false' }])
}

/**
 * The caller's own key with one more block.
 * @throws Refusal claim_not_granted where it asks for more, conflict where it reuses an id
 */
function narrowed(
  options: unknown,
  key: string,
  grant: Grant,
  { publicUrl }: Issuer,
  now: UnixSeconds,
): Issue {
  const restrictions = restrictionsFrom(options, { now, id: randomId() })
  const { jti: id = randomId() } = restrictions
  const asked = { ...restrictions, jti: id }
  refuseWidening(options as MintOptions, asked, grant.blocks)
  if (grant.ids.includes(id)) {
    throw new Refusal('conflict', `the id "${id}" is the one of the key that was sent`)
  }
  const narrower = narrowKey(key, asked, nodeMac)
  const { scopes, methods, expires } = inspectKey(narrower, now)
  const paths = asked.path === undefined ? scopes : scopesOf(asked.path)
  const [first] = paths
  if (first === undefined) throw new Refusal('path_not_granted', 'the key sent covers no path')
  const url = linkOf(publicUrl, parseScope(first), narrower)
  const path = asked.path ?? (paths.length === 1 ? first : paths)
  const shown = { url, key: narrower, id, path, methods, expires }
  const subjects = [...new Set([...grant.subjects, ...(asked.sub ? [asked.sub] : [])])]
  const about = { kid: grant.kid, now, issuedBy: `key ${grant.id}`, subjects }
  return { shown, issued: record(shown, about, asked.uses) }
}

interface About {
  readonly kid: string
  readonly now: UnixSeconds
  readonly issuedBy: string
  readonly subjects: readonly string[]
}

const record = (
  { id, path, methods, expires }: Issue['shown'],
  { kid, now, issuedBy, subjects }: About,
  uses: number | undefined,
): IssuedKey => ({
  id,
  kid,
  subjects,
  paths: (typeof path === 'string' ? [path] : path) as readonly Scope[],
  methods,
  issuedAt: now,
  expires,
  ...(uses !== undefined && { uses }),
  issuedBy,
})

/** Rather than hand out a link that nothing answers: keys for these places may have been revoked. */
async function refuseRevoked(
  issues: readonly Issue[],
  { ids, subjects, issuedAt }: Grant,
  { ledger }: Issuer,
): Promise<void> {
  const scopes = new Set(issues.flatMap(({ issued }) => issued.paths))
  for (const scope of scopes) {
    const path = (scope === '/' ? '' : scope) as Prefix
    const hit = await asking(() => ledger.revocationOf({ ids, subjects, issuedAt, path }))
    if (hit !== undefined) {
      throw new Refusal('key_revoked', `keys for "${scope}" have been revoked; ask for a new one`)
    }
  }
}
