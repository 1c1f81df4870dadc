import type { ObjectInfo, WriteCondition } from './store.ts'

/** Whether it asks for anything. */
export const isConditional = (condition: WriteCondition): boolean =>
  condition.absent === true ||
  condition.etags !== undefined ||
  condition.notEtags !== undefined ||
  condition.unmodifiedSince !== undefined

/** Whether the condition holds of what is there; undefined: nothing is. */
export function holds(
  condition: WriteCondition | undefined,
  existing: Pick<ObjectInfo, 'etag' | 'modified'> | undefined,
): boolean {
  if (condition === undefined) return true
  const { absent, etags, notEtags, unmodifiedSince } = condition
  if (existing === undefined) return etags === undefined
  if (absent === true) return false
  if (etags !== undefined && etags !== '*' && !etags.includes(existing.etag)) return false
  if (notEtags?.includes(existing.etag)) return false
  return unmodifiedSince === undefined || existing.modified <= unmodifiedSince
}
