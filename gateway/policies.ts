/**
 * What is kept beside a key and can change while it is in use: the stored policies that it names,
 * and the rule for the key itself. What was found is kept until the ledger moves.
 */
import type { Block } from '../key/claims.ts'
import { atBlock } from '../key/clear.ts'
import { Refusal } from '../key/refusal.ts'
import { type Grant, type PolicyName, withPolicies } from '../key/sign.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Awaitable, RuleOf, Rules } from '../ledger/ledger.ts'
import { andThen } from './awaitable.ts'

interface Kept {
  readonly block: Block
  readonly changedAt: UnixSeconds
}

type ClaimsRule = RuleOf<'key' | 'policy'>

interface Known {
  readonly version: number
  /** of the rules that were found */
  readonly text: string
  readonly grant: Grant
}

export class Policies {
  readonly #ledger: Rules & { version(): number }
  readonly #known = new WeakMap<Grant, Known>()
  #version = Number.NaN
  #ofKeys = false

  constructor(ledger: Rules & { version(): number }) {
    this.#ledger = ledger
  }

  /**
   * The grant with all that holds for it now: costs nothing where there are no policies.
   * @throws Refusal policy_not_found, key_paused
   */
  inForce(grant: Grant): Awaitable<Grant> {
    const version = this.#ledger.version()
    if (version === this.#version) return this.#current(grant, version)
    return andThen(this.#ledger.hasRules('key'), (has) => {
      this.#ofKeys = has
      this.#version = version
      return this.#current(grant, version)
    })
  }

  #current(grant: Grant, version: number): Awaitable<Grant> {
    if (!this.#ofKeys && grant.policies.length === 0) return grant
    const known = this.#known.get(grant)
    if (known?.version === version) return known.grant
    return andThen(this.#found(grant), (found) => {
      const blocks = found.map(({ block }) => block)
      const changedAt = Math.max(0, ...found.map(({ changedAt }) => changedAt)) as UnixSeconds
      const text = JSON.stringify([changedAt, blocks])
      // the same object while the rules are the same: what is known of it stays known
      const same = known?.text === text ? known.grant : undefined
      const made = same ?? (blocks.length === 0 ? grant : withPolicies(grant, blocks, changedAt))
      this.#known.set(grant, { version, text, grant: made })
      return made
    })
  }

  /** What holds beside the claims of the key. */
  #found(grant: Grant): Awaitable<readonly Kept[]> {
    const { ids, policies, blocks } = grant
    const keptAt =
      (at: number) =>
      ({ claims, changedAt }: ClaimsRule): Kept => ({
        block: atBlock(claims, grant, at),
        changedAt,
      })
    const own = policies.flatMap(({ own, name }) => (own ? [name] : []))
    const asked = [...new Set([...ids, ...own])].map((id) => {
      // what has no block of its own, as an S3 credential, was not narrowed before the first
      const at = Math.max(
        0,
        blocks.findIndex(({ jti }) => jti === id),
      )
      const kept = keptAt(at)
      return andThen(this.#ofKey(id, own.includes(id)), (rule) => (rule ? [kept(rule)] : []))
    })
    const named = policies
      .filter((policy) => !policy.own)
      .map((policy) => andThen(this.#named(policy), (rule) => [keptAt(policy.at)(rule)]))
    return andThen(together([...asked, ...named]), (found) => found.flat())
  }

  #ofKey(id: string, required: boolean): Awaitable<ClaimsRule | undefined> {
    return andThen(this.#ledger.rule('key', id), (rule) => {
      if (rule?.paused) {
        throw new Refusal('key_paused', 'whoever made the key has paused it; ask for it to go on')
      }
      if (rule === undefined && required) {
        throw new Refusal('policy_not_found', 'what the key may do now is not known here any more')
      }
      return rule
    })
  }

  #named({ name }: PolicyName): Awaitable<ClaimsRule> {
    return andThen(this.#ledger.rule('policy', name), (rule) => {
      if (rule !== undefined) return rule
      throw new Refusal('policy_not_found', `there is no policy "${name}", which the key names`)
    })
  }
}

const together = <T>(values: readonly Awaitable<T>[]): Awaitable<readonly T[]> =>
  values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[])
