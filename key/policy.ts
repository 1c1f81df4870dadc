/** Stored policies: claims that are kept beside keys, and judged like one more block of them. */
import { type Block, type Claim, parseLaterBlock } from './claims.ts'
import { Refusal } from './refusal.ts'

/** What says who a key is, or is counted on its id, belongs into the key itself. */
const NOT_IN_POLICIES = [
  'jti',
  'sub',
  'uses',
  'bytes',
  'files',
  'pin',
  'policy',
] as const satisfies readonly Claim[]

/**
 * The claims of a policy.
 * @throws Refusal key_malformed, naming the claim
 */
export function parsePolicy(value: unknown): Block {
  const claims = parseLaterBlock(value, 'the policy')
  const misplaced = NOT_IN_POLICIES.find((claim) => claims[claim] !== undefined)
  if (misplaced === undefined) return claims
  throw new Refusal(
    'key_malformed',
    `the policy: claim "${misplaced}" belongs into the key, not into a policy that many keys may share`,
  )
}
