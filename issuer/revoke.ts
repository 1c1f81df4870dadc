/** Revoking: what a person names becomes revocations, in force on the next request. */
import { keyOf } from '../key/link.ts'
import { nodeMac } from '../key/node-mac.ts'
import type { Scope } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import { readBlocks, readKey, verifyKey } from '../key/sign.ts'
import { formatTime, type UnixSeconds } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { IssuedKeys, Revocation, Revocations } from '../ledger/ledger.ts'

/**
 * What to revoke. `id` and `url` (or a key alone) name one key and all that was narrowed from it;
 * the others name keys by what they are for, or all of them, as far as minted before a moment: now
 * unless stated.
 */
export type RevocationTarget =
  | { readonly id: string }
  | { readonly url: string }
  | { readonly subject: string; readonly mintedBefore?: UnixSeconds }
  | { readonly path: Scope; readonly mintedBefore?: UnixSeconds }
  | { readonly mintedBefore: UnixSeconds }

export interface RevokeContext {
  readonly ledger: Revocations & IssuedKeys
  readonly keyring: Pick<Keyring, 'refresh' | 'signer'>
  readonly now: UnixSeconds
  /** for people: why, or who */
  readonly reason?: string
}

/**
 * In force when the promise resolves.
 * @throws Refusal of a URL whose key can't be read, or was not signed here; of a moment to come
 */
export async function revoke(
  target: RevocationTarget,
  context: RevokeContext,
): Promise<Revocation> {
  const { ledger, now, reason } = context
  const revocation: Revocation = {
    ...(await named(target, context)),
    revokedAt: now,
    ...(reason !== undefined && { reason }),
  }
  await ledger.revoke([revocation])
  return revocation
}

type Named = Pick<Revocation, 'kind' | 'value' | 'mintedUpTo' | 'until'>

async function named(target: RevocationTarget, context: RevokeContext): Promise<Named> {
  if ('id' in target) return namedById(target.id, context.ledger)
  if ('url' in target) return namedByUrl(target.url, context.keyring)
  const mintedUpTo = lastMoment(target.mintedBefore, context.now)
  if ('subject' in target) return { kind: 'subject', value: target.subject, mintedUpTo }
  if ('path' in target) return { kind: 'path', value: target.path, mintedUpTo }
  return { kind: 'everything', value: '', mintedUpTo }
}

/** `iat` is in whole seconds: "before" leaves that second out, "until now" takes this one in. */
function lastMoment(mintedBefore: UnixSeconds | undefined, now: UnixSeconds): UnixSeconds {
  if (mintedBefore === undefined) return now
  if (mintedBefore <= now) return Math.max(0, mintedBefore - 1) as UnixSeconds
  throw new Refusal(
    'request_malformed',
    `mintedBefore lies in the future: it is ${formatTime(now)} here; keys minted from now on would be refused`,
  )
}

/**
 * A key that was minted elsewhere is not known here, nor when it expires: revoked for ever. So is an
 * id that the holder of a key may have chosen, lest a short life under somebody else's id end this.
 */
async function namedById(id: string, ledger: IssuedKeys): Promise<Named> {
  const [known] = await ledger.issued({ id, limit: 1 })
  const isOurs = known !== undefined && !known.issuedBy.startsWith('key ')
  return { kind: 'id', value: id, ...(isOurs && { until: known.expires }) }
}

/**
 * The innermost id that the key states. Its signature is checked first: a forged expiry would make
 * the revocation end too early, and the id of a key that isn't ours is nobody's.
 */
async function namedByUrl(url: string, keyring: RevokeContext['keyring']): Promise<Named> {
  const key = readKey(keyOf(url).key)
  await keyring.refresh()
  verifyKey(key, keyring.signer(key.kid), nodeMac)
  const blocks = readBlocks(key)
  const value = blocks.findLast(({ jti }) => jti !== undefined)?.jti ?? blocks[0].jti
  return { kind: 'id', value, until: blocks[0].exp as UnixSeconds }
}
