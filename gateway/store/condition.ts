import type { ObjectInfo, WriteCondition } from './store.ts'

/** Whether it asks for anything. */
export const isConditional = (condition: WriteCondition): boolean =>
  condition.absent === true ||
  condition.etags !== undefined ||
  condition.notEtags !== undefined ||
  condition.unmodifiedSince !== undefined ||
  condition.same !== undefined

type Known = Pick<ObjectInfo, 'etag' | 'size' | 'modified'> & { readonly sha256?: string | null }

const isSame = (one: Known, other: Known): boolean =>
  one.etag === other.etag &&
  (one.sha256 ?? null) === (other.sha256 ?? null) &&
  one.size === other.size &&
  one.modified === other.modified

/** Whether the condition holds of what is there; undefined: nothing is. */
export function holds(condition: WriteCondition | undefined, existing: Known | undefined): boolean {
  if (condition === undefined) return true
  const { absent, etags, notEtags, unmodifiedSince, same } = condition
  if (existing === undefined) return etags === undefined && same === undefined
  if (absent === true) return false
  if (etags !== undefined && etags !== '*' && !etags.includes(existing.etag)) return false
  if (notEtags?.includes(existing.etag)) return false
  if (same !== undefined && !isSame(same, existing)) return false
  return unmodifiedSince === undefined || existing.modified <= unmodifiedSince
}
