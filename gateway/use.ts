/**
 * What a request takes of a key that allows only so much: a use, bytes, a file. All of it is taken
 * before anything happens, or nothing, and settled when it is known what became of it.
 */
import type { Attempt } from '../key/clear.ts'
import { type Counters, countersOf, type EndingCounter } from '../key/counters.ts'
import { Refusal, type RefusalCode } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Allowances, Awaitable, Lease, LeaseRequest, Leases } from '../ledger/ledger.ts'
import { isOfPlan, PlanLimited, type Plans } from './plans.ts'

/** What a request is about to do. */
export interface Intent {
  /** a download says what it is about to send: its bytes are counted */
  readonly transfer?: LeaseRequest['transfer']
  /** an upload says whether it makes an object of which there is none */
  readonly creates?: boolean
}

type Asking = { readonly grant: Grant; readonly attempt: Attempt }
type Counts = Leases & Allowances
type BytesOf = Pick<Plans, 'bytesOf'>

/**
 * Undefined for a key of which nothing is counted or paced.
 * @throws Refusal uses_exhausted, bytes_exhausted, files_exhausted, rate_limited
 */
export function takeUse(
  ledger: Counts,
  plans: BytesOf,
  asking: Asking,
  intent: Intent,
): Awaitable<Use | undefined> {
  const counters = countersOf(asking.grant)
  return counters === undefined ? undefined : taken(ledger, plans, counters, asking, intent)
}

async function taken(
  ledger: Counts,
  plans: BytesOf,
  { uses, bytes, files, rates }: Counters,
  { grant, attempt }: Asking,
  { transfer, creates }: Intent,
): Promise<Use> {
  const { now } = attempt
  const holding = new Holding(ledger)
  try {
    if (transfer !== undefined) {
      const all = [...bytes, ...(await plans.bytesOf(grant, now))]
      await holding.take('bytes', all, transfer.end - transfer.start, now)
    }
    if (creates === true) await holding.take('files', files, 1, now)
    const lease =
      uses.length === 0 ? undefined : await leased(ledger, uses, attempt, transfer && { transfer })
    const rate = rates.length === 0 ? undefined : Math.min(...rates.map(({ rate }) => rate))
    return new Use(ledger, lease, holding, rate, files.length > 0 && creates === false)
  } catch (error) {
    await holding.settle(0, false)
    throw error
  }
}

async function leased(
  ledger: Leases,
  counted: LeaseRequest['counted'],
  { path: object, address, now }: Attempt,
  transfer: Pick<LeaseRequest, 'transfer'> = {},
): Promise<Lease> {
  const outcome = await ledger.lease({ counted, object, address, now, ...transfer })
  if (outcome.granted) return outcome.lease
  throw new Refusal('uses_exhausted', EXHAUSTED[outcome.reason])
}

const EXHAUSTED = {
  exhausted: 'all its uses have been counted; ask for a new key',
  running: 'another transfer under this use is still running; wait until it has ended',
  overrun: 'the object was sent twice over already under this use; ask for a new key',
} as const

const SHORT = {
  bytes: ['bytes_exhausted', 'bytes'],
  files: ['files_exhausted', 'files'],
} as const satisfies Record<string, readonly [RefusalCode, string]>

/** What is said of an allowance that is used up: of a usage plan, or of the key itself. */
export function shortOf(
  kind: keyof typeof SHORT,
  of: readonly EndingCounter[],
  { short, left }: { readonly short: string; readonly left: number },
  needed: number,
  now: UnixSeconds,
): Refusal {
  const counter = of.find(({ id }) => id === short)
  return counter !== undefined && isOfPlan(counter)
    ? new PlanLimited(counter, now)
    : exhausted(kind, needed, left)
}

/** @param left of the scarcest */
export const exhausted = (kind: keyof typeof SHORT, needed: number, left: number): Refusal => {
  const [code, things] = SHORT[kind]
  const under = 'what runs under the key holds what it may need, and gives back what it did not'
  return new Refusal(
    code,
    left === 0
      ? `none of the ${things} that the key may ${kind === 'bytes' ? 'move' : 'create'} are left; ask for a new key`
      : `this needs ${needed} ${things}, and ${left} are left of those that the key may move (${under}); ask for less, or for a new key`,
  )
}

/** What was taken of allowances, by its kind. */
class Holding {
  readonly #ledger: Allowances
  readonly #held = new Map<string, { readonly ids: readonly string[]; readonly amount: number }>()

  constructor(ledger: Allowances) {
    this.#ledger = ledger
  }

  /** @throws Refusal where less than this is left */
  async take(
    kind: keyof typeof SHORT,
    of: readonly EndingCounter[],
    amount: number,
    now: UnixSeconds,
  ): Promise<void> {
    if (of.length === 0 || amount === 0) return
    const outcome = await this.#ledger.take({ of, least: amount, want: amount, now })
    if ('short' in outcome) throw shortOf(kind, of, outcome, amount, now)
    this.#held.set(kind, { ids: of.map(({ id }) => id), amount })
  }

  /** Gives back what was not used. */
  async settle(bytes: number, created: boolean): Promise<void> {
    await this.#giveBack('bytes', bytes)
    await this.#giveBack('files', created ? 1 : 0)
  }

  async #giveBack(kind: keyof typeof SHORT, used: number): Promise<void> {
    const held = this.#held.get(kind)
    this.#held.delete(kind)
    if (held === undefined || used >= held.amount) return
    await this.#ledger.giveBack(held.ids, held.amount - used)
  }
}

export class Use {
  readonly #ledger: Leases
  readonly #lease: Lease | undefined
  readonly #holding: Holding
  /** bytes a second, where the key is paced */
  readonly rate: number | undefined
  /** whether the upload may only replace: there was an object, so nothing was taken for a new one */
  readonly onlyReplaces: boolean

  /** asked for when it is settled */
  onSettled: (() => Promise<void>) | undefined

  /** whether it is one of a limited number */
  get isCounted(): boolean {
    return this.#lease !== undefined
  }

  constructor(
    ledger: Leases,
    lease: Lease | undefined,
    holding: Holding,
    rate: number | undefined,
    onlyReplaces: boolean,
  ) {
    this.#ledger = ledger
    this.#lease = lease
    this.#holding = holding
    this.rate = rate
    this.onlyReplaces = onlyReplaces
  }

  /**
   * @param sent bytes of a transfer, or 1 for done and 0 for not done
   * @param handed bytes of a transfer that may have left, though nobody knows
   * @param created whether an object was made of which there was none
   */
  async settle(sent: number, handed: number = sent, created = false): Promise<void> {
    try {
      if (this.#lease !== undefined) await this.#ledger.settle(this.#lease, sent, handed)
    } finally {
      // bytes that may have left count as moved
      await this.#holding.settle(Math.max(sent, handed), created)
    }
    await this.onSettled?.()
  }
}
