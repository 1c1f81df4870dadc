/** The rule that a renewable key begins with: until when it is for, before anybody renews it. */
import type { IssuedKey, RuleOf } from './ledger.ts'

export function firstRule({ id, renewed, issuedAt }: IssuedKey): RuleOf<'key'> | undefined {
  if (renewed === undefined) return undefined
  return { kind: 'key', name: id, claims: { exp: renewed }, changedAt: issuedAt }
}
