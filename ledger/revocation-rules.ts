/** What a revocation hits, and what becomes of one that is there already, free of any database. */
import type { UnixSeconds } from '../key/units.ts'
import type { IssuedKey, Revocable, Revocation } from './ledger.ts'

/** A revocation that states no moment is for ever, as one of an id always is. */
export const hits = (mintedUpTo: UnixSeconds | undefined, issuedAt: UnixSeconds): boolean =>
  mintedUpTo === undefined || issuedAt <= mintedUpTo

/** Every scope that covers the path: `/`, each prefix above it, and itself. */
export function scopesAbove(path: NonNullable<Revocable['path']>): readonly string[] {
  const scopes = ['/']
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    scopes.push(path.slice(0, slash + 1))
  }
  if (path !== '' && !path.endsWith('/')) scopes.push(path)
  return scopes
}

/**
 * The revocation that has ended a key as a whole: one that names it, or those of all its scopes.
 * @param revocationOf as the ledger answers it
 */
export function revocationOfKey(
  { id, subjects, issuedAt, paths }: IssuedKey,
  revocationOf: (target: Revocable) => Revocation | undefined,
): Revocation | undefined {
  const target = { ids: [id], subjects, issuedAt }
  const own = revocationOf(target)
  if (own !== undefined) return own
  const [first, ...others] = paths.map((scope) => {
    const path = (scope === '/' ? '' : scope) as NonNullable<Revocable['path']>
    return revocationOf({ ...target, path })
  })
  return others.includes(undefined) ? undefined : first
}

/**
 * The two in one, as strict as the stricter of both in each regard. Where the new one adds nothing,
 * the old one's moment and reason stay.
 */
export function stricter(old: Revocation | undefined, added: Revocation): Revocation {
  const { kind, value, revokedAt, reason } = added
  const next = { kind, value, revokedAt, ...(reason !== undefined && { reason }) }
  if (old === undefined) return { ...next, ...bounds(kind, added.mintedUpTo, added.until) }
  const merged = bounds(kind, most(old.mintedUpTo, added.mintedUpTo), most(old.until, added.until))
  const same = merged.mintedUpTo === old.mintedUpTo && merged.until === old.until
  return same ? old : { ...next, ...merged }
}

/** The later time, where none at all means for ever. */
const most = (a: UnixSeconds | undefined, b: UnixSeconds | undefined): UnixSeconds | undefined =>
  a === undefined || b === undefined ? undefined : (Math.max(a, b) as UnixSeconds)

const bounds = (
  kind: Revocation['kind'],
  mintedUpTo: UnixSeconds | undefined,
  until: UnixSeconds | undefined,
): Pick<Revocation, 'mintedUpTo' | 'until'> => ({
  ...(mintedUpTo !== undefined && kind !== 'id' && { mintedUpTo }),
  ...(until !== undefined && { until }),
})
