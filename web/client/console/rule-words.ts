/** What a policy or a plan says, in words; in English as `valetkey policies list` says it. */
import type { Block, Claim } from '../../../key/claims.ts'
import type { Plan } from '../../../key/plan.ts'

/** Those that a policy can state. */
export type PolicyClaim = Exclude<
  Claim,
  'kid' | 'jti' | 'iat' | 'aud' | 'sub' | 'uses' | 'pin' | 'bytes' | 'files' | 'policy'
>

/** Moments and durations as people of the language write them. */
export interface Shown {
  readonly moment: (time: number) => string
  readonly duration: (seconds: number) => string
}

export type ClaimWords = {
  readonly [C in PolicyClaim]: (claim: NonNullable<Block[C]>, shown: Shown) => string
}

export interface RuleWords {
  readonly policy: (claims: Block, shown: Shown) => readonly string[]
  readonly plan: (plan: Plan) => readonly string[]
}

/** One sentence for each claim that is stated, in the order of the words. */
export const saidBy =
  (words: ClaimWords): RuleWords['policy'] =>
  (claims, shown) =>
    (Object.keys(words) as PolicyClaim[]).flatMap((claim) => {
      const value = claims[claim]
      return value === undefined ? [] : [words[claim](value as never, shown)]
    })

/** Words in a row, the last one joined by its own. */
export const joined = (words: readonly string[], between: string, last: string): string =>
  words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(between)}${last}${words[words.length - 1]}`
