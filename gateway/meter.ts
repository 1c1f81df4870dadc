/**
 * Bytes that come in under a key that may move only so many. What a request declares is taken before
 * its first byte is read; of one that declares nothing, what has arrived is taken before it is
 * stored, so that nobody holds room that others could use.
 */
import { type Counters, countersOf, type EndingCounter } from '../key/counters.ts'
import type { Grant } from '../key/sign.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Allowances, Awaitable } from '../ledger/ledger.ts'
import type { Plans } from './plans.ts'
import { shortOf } from './use.ts'

export class Meter {
  readonly #ledger: Allowances
  readonly #of: readonly EndingCounter[]
  readonly #now: UnixSeconds
  #arrived = 0
  #held = 0

  private constructor(ledger: Allowances, of: readonly EndingCounter[], now: UnixSeconds) {
    this.#ledger = ledger
    this.#of = of
    this.#now = now
  }

  /**
   * Undefined where the key may move any number of bytes.
   * @param declared bytes that are to come, where that is known
   * @throws Refusal bytes_exhausted, rate_limited
   */
  static start(
    ledger: Allowances,
    plans: Pick<Plans, 'bytesOf'>,
    grant: Grant,
    now: UnixSeconds,
    declared: number | undefined,
  ): Awaitable<Meter | undefined> {
    const counters = countersOf(grant)
    if (counters === undefined) return undefined
    return Meter.#started(ledger, plans.bytesOf(grant, now), counters, now, declared)
  }

  static async #started(
    ledger: Allowances,
    ofPlans: Promise<readonly EndingCounter[]>,
    { bytes }: Pick<Counters, 'bytes'>,
    now: UnixSeconds,
    declared: number | undefined,
  ): Promise<Meter | undefined> {
    const of = [...bytes, ...(await ofPlans)]
    if (of.length === 0) return undefined
    const meter = new Meter(ledger, of, now)
    if (declared === undefined) await meter.#checkAny()
    else await meter.#take(declared, declared)
    return meter
  }

  /** Without a byte left, nothing is read. */
  async #checkAny(): Promise<void> {
    for (const { id, most } of this.#of) {
      const isLeft = (await this.#ledger.takenOf(id)) < most
      if (!isLeft) throw shortOf('bytes', this.#of, { short: id, left: 0 }, 1, this.#now)
    }
  }

  arrived(count: number): void {
    this.#arrived += count
  }

  /** Takes what has arrived beyond what was taken before. @throws Refusal bytes_exhausted */
  async cover(): Promise<void> {
    const wanting = this.#arrived - this.#held
    if (wanting > 0) await this.#take(wanting, 1)
  }

  async #take(want: number, least: number): Promise<void> {
    if (want === 0) return
    const outcome = await this.#ledger.take({ of: this.#of, least, want, now: this.#now })
    this.#held += outcome.granted
    if (outcome.granted === want) return
    const short = 'short' in outcome ? outcome : { short: await this.#scarcest(), left: 0 }
    throw shortOf('bytes', this.#of, short, want, this.#now)
  }

  async #scarcest(): Promise<string> {
    let scarcest = { id: '', left: Number.POSITIVE_INFINITY }
    for (const { id, most } of this.#of) {
      const left = most - (await this.#ledger.takenOf(id))
      if (left < scarcest.left) scarcest = { id, left }
    }
    return scarcest.id
  }

  /** Once, at the end: what has arrived was moved, whatever became of it. */
  async settle(): Promise<void> {
    try {
      await this.cover()
    } catch {
      // what was left of the key is taken: it has moved all that it may
    }
    const unused = this.#held - this.#arrived
    if (unused > 0) {
      await this.#ledger.giveBack(
        this.#of.map(({ id }) => id),
        unused,
      )
    }
  }
}
