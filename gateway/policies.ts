/**
 * What is kept beside a key and can change while it is in use: the stored policies that it names,
 * and the rule for the key itself. What was found is kept until the ledger moves.
 */
import type { Block } from '../key/claims.ts'
import { Refusal } from '../key/refusal.ts'
import { type Grant, type PolicyName, withPolicies } from '../key/sign.ts'
import type { Awaitable, Rules } from '../ledger/ledger.ts'
import { andThen } from './awaitable.ts'

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
    return andThen(this.#found(grant), (blocks) => {
      const text = JSON.stringify(blocks)
      // the same object while the rules are the same: what is known of it stays known
      const same = known?.text === text ? known.grant : undefined
      const made = same ?? (blocks.length === 0 ? grant : withPolicies(grant, blocks))
      this.#known.set(grant, { version, text, grant: made })
      return made
    })
  }

  /** The claims that hold beside those of the key. */
  #found({ ids, policies }: Grant): Awaitable<readonly Block[]> {
    const own = policies.flatMap(({ own, name }) => (own ? [name] : []))
    const named = policies.filter((policy) => !policy.own)
    const asked = [...new Set([...ids, ...own])].map((id) =>
      andThen(this.#ofKey(id, own.includes(id)), (claims) => claims ?? []),
    )
    const all = [...asked, ...named.map((policy) => this.#named(policy))]
    return andThen(together(all), (found) => found.flat())
  }

  #ofKey(id: string, required: boolean): Awaitable<Block | undefined> {
    return andThen(this.#ledger.rule('key', id), (rule) => {
      if (rule?.paused) {
        throw new Refusal('key_paused', 'whoever made the key has paused it; ask for it to go on')
      }
      if (rule === undefined && required) {
        throw new Refusal('policy_not_found', 'what the key may do now is not known here any more')
      }
      return rule?.claims
    })
  }

  #named({ name }: PolicyName): Awaitable<Block> {
    return andThen(this.#ledger.rule('policy', name), (rule) => {
      if (rule !== undefined) return rule.claims
      throw new Refusal('policy_not_found', `there is no policy "${name}", which the key names`)
    })
  }
}

const together = <T>(values: readonly Awaitable<T>[]): Awaitable<readonly T[]> =>
  values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[])
