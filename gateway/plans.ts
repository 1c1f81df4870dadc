/**
 * Usage plans: how many requests, and how many bytes, a key may use in which time. Counted in the
 * ledger, for all processes; requests in slices, so that not every one of them is a write.
 */
import { countersOf, type EndingCounter, type PlanName } from '../key/counters.ts'
import { type Plan, spanOf } from '../key/plan.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Allowance, Allowances, Awaitable, Rules } from '../ledger/ledger.ts'
import { andThen } from './awaitable.ts'

/** An allowance of a plan, with what is said of it when it is used up. */
export interface PlanAllowance extends Allowance {
  /** `burst`, `requests` or `bytes` of which plan */
  readonly policy: string
  /** in seconds: what the most is for */
  readonly window: number
  /** when some of it is there again; absent: as it fills */
  readonly resets?: UnixSeconds
}

export const isOfPlan = (allowance: Allowance): allowance is PlanAllowance => 'policy' in allowance

/** Refused for now: draft-ietf-httpapi-ratelimit-headers, RFC 9110 §10.2.3. */
export class PlanLimited extends Refusal {
  readonly headers: readonly string[]

  constructor({ policy, most, window, refill, resets }: PlanAllowance, now: UnixSeconds) {
    const seconds = Math.max(1, resets === undefined ? Math.ceil(1 / (refill ?? 1)) : resets - now)
    super(
      'rate_limited',
      `the usage plan of the key allows no more for now ("${policy}": ${most} in ${window} seconds); try again in ${seconds} seconds`,
    )
    this.headers = [
      'Retry-After',
      String(seconds),
      'RateLimit-Policy',
      `"${policy}";q=${most};w=${window}`,
      'RateLimit',
      `"${policy}";r=0;t=${seconds}`,
    ]
  }
}

/** At most so many requests are taken ahead, and at most this part of what is left. */
const MOST_AHEAD = 64
const PART_AHEAD = 8

/** Requests that were taken and not made yet. */
interface Slice {
  readonly of: readonly PlanAllowance[]
  held: number
  waiting: number
  left: number
  isUsed: boolean
  taking: Promise<void> | undefined
}

export class Plans {
  readonly #ledger: Allowances & Rules
  readonly #slices = new Map<string, Slice>()

  constructor(ledger: Allowances & Rules) {
    this.#ledger = ledger
  }

  /**
   * Counts one request.
   * @throws PlanLimited; Refusal policy_not_found
   */
  count(grant: Grant, now: UnixSeconds): Awaitable<void> {
    const plans = countersOf(grant)?.plans ?? []
    if (plans.length === 0) return
    return this.#counted(grant, plans, now)
  }

  /** What of plans limits bytes. @throws Refusal policy_not_found */
  async bytesOf(
    grant: Grant,
    now: UnixSeconds,
  ): Promise<readonly (PlanAllowance & EndingCounter)[]> {
    const plans = countersOf(grant)?.plans ?? []
    const all = await Promise.all(plans.map((name) => this.#allowances(name, grant, now)))
    return all.flatMap(({ bytes }) => bytes)
  }

  async #counted(grant: Grant, plans: readonly PlanName[], now: UnixSeconds): Promise<void> {
    const all = await Promise.all(plans.map((name) => this.#allowances(name, grant, now)))
    const of = all.flatMap(({ requests }) => requests)
    if (of.length > 0) await this.#one(of, now)
  }

  async #one(of: readonly PlanAllowance[], now: UnixSeconds): Promise<void> {
    const name = of.map(({ id, most, refill }) => `${id} ${most} ${refill}`).join('\n')
    const slice = this.#slices.get(name) ?? newSlice(of)
    this.#slices.set(name, slice)
    slice.isUsed = true
    slice.waiting += 1
    try {
      while (slice.held === 0) {
        slice.taking ??= this.#fill(slice, now)
        await slice.taking
      }
      slice.held -= 1
    } finally {
      slice.waiting -= 1
    }
  }

  /** @throws PlanLimited to everybody who waits */
  async #fill(slice: Slice, now: UnixSeconds): Promise<void> {
    try {
      const ahead = Math.min(MOST_AHEAD, Math.floor(slice.left / PART_AHEAD))
      const want = Math.max(1, slice.waiting, ahead)
      const outcome = await this.#ledger.take({ of: slice.of, least: 1, want, now })
      slice.left = outcome.left
      if ('short' in outcome) {
        const short = slice.of.find(({ id }) => id === outcome.short)
        throw new PlanLimited(short ?? (slice.of[0] as PlanAllowance), now)
      }
      slice.held += outcome.granted
    } finally {
      slice.taking = undefined
    }
  }

  /** Gives back what was taken ahead and is not being used; to be called now and then, and at the end. */
  async giveBack(all = false): Promise<void> {
    for (const [name, slice] of this.#slices) {
      if (slice.waiting > 0 || (slice.isUsed && !all)) {
        slice.isUsed = false
        continue
      }
      const { held, of } = slice
      slice.held = 0
      this.#slices.delete(name)
      if (held > 0) {
        await this.#ledger.giveBack(
          of.map(({ id }) => id),
          held,
        )
      }
    }
  }

  async #allowances(named: PlanName, grant: Grant, now: UnixSeconds): Promise<PlanAllowances> {
    const rule = await andThen(this.#ledger.rule('plan', named.name), (found) => found)
    if (rule !== undefined) return allowancesOf(rule.plan, named, grant, now)
    throw new Refusal('policy_not_found', `there is no plan "${named.name}", which the key names`)
  }
}

const newSlice = (of: readonly PlanAllowance[]): Slice => ({
  of,
  held: 0,
  waiting: 0,
  left: 0,
  isUsed: true,
  taking: undefined,
})

interface PlanAllowances {
  readonly requests: readonly PlanAllowance[]
  readonly bytes: readonly PlanAllowance[]
}

function allowancesOf(plan: Plan, named: PlanName, grant: Grant, now: UnixSeconds): PlanAllowances {
  const base = `plan:${named.name}|${whose(plan, named, grant)}`
  const requests = plan.rate === undefined ? [] : [bucketOf(plan, plan.rate, named, base, now)]
  if (plan.quota === undefined) return { requests, bytes: [] }
  const { period, requests: mostRequests, bytes: mostBytes } = plan.quota
  const { start, end } = spanOf(period, now)
  const quota = (what: string, most: number): PlanAllowance => ({
    id: `${base}|${what}|${start}`,
    most,
    until: end,
    resets: end,
    policy: `${named.name}-${what}`,
    window: end - start,
  })
  return {
    requests:
      mostRequests === undefined ? requests : [...requests, quota('requests', mostRequests)],
    bytes: mostBytes === undefined ? [] : [quota('bytes', mostBytes)],
  }
}

function bucketOf(
  { burst }: Plan,
  { requests, seconds }: NonNullable<Plan['rate']>,
  { name }: PlanName,
  base: string,
  now: UnixSeconds,
): PlanAllowance {
  const most = burst ?? requests
  const refill = requests / seconds
  const window = Math.ceil(most / refill)
  return {
    id: `${base}|rate`,
    most,
    refill,
    // full again by then, as one that nobody has used
    until: (now + window + 1) as UnixSeconds,
    policy: `${name}-rate`,
    window,
  }
}

/** Whom the plan is counted for. */
function whose({ per }: Plan, { narrowedTo }: PlanName, grant: Grant): string {
  if (narrowedTo !== undefined) return `key:${narrowedTo}`
  const { kid, grantedId, grantedTo } = grant
  if (per === 'signing-key') return `signing-key:${kid}`
  return per === 'subject' && grantedTo !== undefined ? `subject:${grantedTo}` : `key:${grantedId}`
}
