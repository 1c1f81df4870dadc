/** How the rule of a key begins, and changes. */
import type { Amendment, IssuedKey, RuleOf } from './ledger.ts'

/** Of a renewable key: until when it is for, before anybody renews it. */
export function firstRule({ id, renewed, issuedAt }: IssuedKey): RuleOf<'key'> | undefined {
  if (renewed === undefined) return undefined
  return { kind: 'key', name: id, claims: { exp: renewed }, changedAt: issuedAt }
}

/** Undefined where nothing is left of it. */
export function amendedRule(
  former: RuleOf<'key'> | undefined,
  { name, claims: stated, paused = former?.paused ?? false, changedAt }: Amendment,
): RuleOf<'key'> | undefined {
  const claims = { ...former?.claims, ...stated }
  if (Object.keys(claims).length === 0 && !paused) return undefined
  return { kind: 'key', name, claims, ...(paused && { paused }), changedAt }
}
