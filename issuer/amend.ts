/**
 * Keys that are in use already: put off, brought forward, paused, resumed, narrowed, their URL
 * unchanged; or replaced by another one like them.
 */
import { type Block, scopesOf } from '../key/claims.ts'
import { linkOf } from '../key/link.ts'
import { nodeMac } from '../key/node-mac.ts'
import { parseScope } from '../key/object-path.ts'
import { parsePolicy } from '../key/policy.ts'
import { Refusal } from '../key/refusal.ts'
import { mintKey } from '../key/sign.ts'
import { formatTime, later, type Seconds, type UnixSeconds } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { IssuedKeyState, IssuedKeys, Notes, Revocations, Rules } from '../ledger/ledger.ts'
import { isRenewable, issuedKeyOf, type Minted, RENEWABLE, randomId } from './mint.ts'
import { OptionsError, restrictionsFrom } from './options.ts'
import { revoke } from './revoke.ts'

export interface AmendContext {
  readonly ledger: Rules & IssuedKeys
  readonly now: UnixSeconds
  /** how far from now a key may end */
  readonly maxLife: Seconds
}

/** Restrictions as of a narrower key, `expires` or `expiresIn` among them; and whether it is paused. */
export type Change = Readonly<Record<string, unknown>> & { readonly paused?: boolean | undefined }

/**
 * In force when it resolves, in other processes within a second, also on transfers that run.
 * Everything but a later end holds for any key, also one that was minted elsewhere.
 * @throws OptionsError; Refusal conflict for a key that is revoked, or can't be put off so far
 */
export async function amend(
  id: string,
  { paused, ...options }: Change,
  { ledger, now, maxLife }: AmendContext,
): Promise<{ readonly claims: Block; readonly paused: boolean }> {
  const [key] = await ledger.issued({ id, limit: 1 })
  if (key?.revocation !== undefined) {
    throw new Refusal('conflict', `the key "${id}" is revoked, and stays so: replace it`)
  }
  const stated = parsePolicy(restrictionsFrom(options, { now, id }))
  if (stated.exp !== undefined) checkEnd(stated.exp, key, now, maxLife)
  const pause = paused === undefined ? {} : { paused }
  const rule = await ledger.amendRule({ name: id, claims: stated, ...pause, changedAt: now })
  return { claims: rule?.claims ?? {}, paused: rule?.paused ?? false }
}

/** What was signed is the latest end of all; a renewable key was signed for long. */
function checkEnd(
  end: number,
  key: IssuedKeyState | undefined,
  now: UnixSeconds,
  maxLife: Seconds,
): void {
  const isLater = key !== undefined && end > key.expires
  if (isLater) {
    throw new Refusal(
      'conflict',
      `the key was signed to end at ${formatTime(key.expires)}, and no later: replace it, or mint the next one as renewable`,
    )
  }
  checkLife(end, now, maxLife)
}

/** @throws OptionsError */
function checkLife(end: number, now: UnixSeconds, maxLife: Seconds): void {
  if (end - now <= maxLife) return
  const latest = formatTime(later(now, maxLife))
  throw new OptionsError([
    { option: 'expires', message: `must be ${latest} at the latest: longer lives need maxExpires` },
  ])
}

export interface ReplaceContext extends AmendContext {
  readonly ledger: Rules & IssuedKeys & Revocations & Notes
  readonly keyring: Keyring
  readonly publicUrl: string
}

/**
 * A new key with the claims of this one, under a new id; this one is to be revoked then.
 * @param expires when the new one ends; as the old one unless stated
 * @throws OptionsError for an end too far away; Refusal resource_not_found; conflict for a key that was
 *   narrowed from another, or is over
 */
export async function replacement(
  id: string,
  expires: UnixSeconds | undefined,
  { ledger, keyring, publicUrl, now, maxLife }: ReplaceContext,
): Promise<Minted> {
  const [key] = await ledger.issued({ id, limit: 1 })
  if (key === undefined) {
    throw new Refusal('resource_not_found', `no key with the id "${id}" was minted here`)
  }
  if (key.issuedBy.startsWith('key ')) {
    const parent = key.issuedBy.slice(4)
    const advice = `replace "${parent}", and narrow the new one`
    throw new Refusal('conflict', `the key was narrowed from another: ${advice}`)
  }
  if (expires !== undefined) checkLife(expires, now, maxLife)
  const end = expires ?? endOf(key)
  if (end <= now) {
    throw new Refusal('conflict', 'the key is over: state when the new one is to end')
  }
  await keyring.refresh()
  return mintedLike(key, end, keyring, publicUrl, now)
}

/**
 * Writes the new key down, with what is kept beside the old one but a pause, and then revokes the old
 * one: where that fails nobody has the new one yet, and it can be done again.
 */
export async function replaced(
  id: string,
  minted: Minted,
  {
    ledger,
    keyring,
    now,
    by,
  }: Pick<ReplaceContext, 'ledger' | 'keyring' | 'now'> & { readonly by: string },
): Promise<void> {
  const note = await ledger.noteOf(id)
  const rule = await ledger.rule('key', id)
  await ledger.recordIssued([issuedKeyOf(minted, by)])
  const { exp, ...narrowing } = rule?.claims ?? {}
  if (Object.keys(narrowing).length > 0) {
    const claims = { ...narrowing, exp: minted.expires }
    await ledger.setRule({ kind: 'key', name: minted.id, claims, changedAt: now })
  }
  if (note !== undefined) await ledger.keepNotes([{ ...note, id: minted.id }])
  await revoke({ id }, { ledger, keyring, now, reason: `replaced by ${minted.id}` })
}

/** Until when a key is for now. */
export const endOf = ({ expires, rule }: Pick<IssuedKeyState, 'expires' | 'rule'>): UnixSeconds =>
  Math.min(expires, rule?.claims.exp ?? expires) as UnixSeconds

function mintedLike(
  key: IssuedKeyState,
  end: UnixSeconds,
  keyring: Keyring,
  publicUrl: string,
  now: UnixSeconds,
): Minted {
  const { paths, methods, subjects, uses, claims = {} } = key
  const { jti: _, ...others } = claims
  const jti = randomId()
  const [sub] = subjects
  const renewable = isRenewable({ jti: key.id, policy: claims.policy })
  const block = {
    ...others,
    jti,
    iat: now,
    ...(sub !== undefined && { sub }),
    ...(uses !== undefined && { uses }),
    exp: renewable ? later(now, RENEWABLE) : end,
    ...(renewable && { policy: jti }),
    path: [...paths],
    methods: [...methods],
  }
  const signingKey = keyring.active()
  const text = mintKey(block, signingKey, nodeMac)
  const [path = '/', ...more] = scopesOf(block.path)
  return {
    url: linkOf(publicUrl, parseScope(path), text),
    key: text,
    id: jti,
    path: more.length === 0 ? path : [path, ...more],
    methods: block.methods,
    expires: end,
    claims: { ...block, kid: signingKey.kid },
  }
}
