/**
 * Bytes in flight: what cuts those that are too slow, too long, or whose key was revoked meanwhile.
 * Time here is monotonic milliseconds, so that a clock set back or forth cuts nobody.
 */
import { Slots } from '../database/slots.ts'
import type { ObjectPath, Prefix } from '../key/object-path.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { Bytes, Seconds } from '../key/units.ts'
import type { Awaitable } from '../ledger/ledger.ts'
import type { Pace } from './pacing.ts'

export interface TransferLimits {
  /** bytes a second that an upload makes at least, over {@link RATE_WINDOW} */
  readonly minUploadRate: Bytes
  /** how long a download may take no byte */
  readonly downloadStall: Seconds
  readonly maxTransferTime: Seconds
  /** uploads at one time */
  readonly maxUploads: number
}

/** So much of the room for uploads, one in eight, is kept from a key that has half of it. */
const KEPT_SHARE = 1 / 8

/** Over how many milliseconds the rate of an upload is looked at. */
export const RATE_WINDOW = 30_000

export interface TransferOf {
  readonly grant: Grant
  readonly path: ObjectPath | Prefix
  readonly direction: 'in' | 'out'
  /** Ends the transfer, and says why. */
  readonly cut: (why: Refusal) => void
  /** under a key that states a rate */
  readonly pace?: Pace | undefined
}

/** One transfer, as its owner tells of it. */
export class Transfer {
  readonly of: TransferOf
  readonly began: number
  /** of an upload, the rate counts from here; of a download, the stall */
  since: number
  moved = 0
  /** whether the key was asked about since the transfer began: a revocation may have come in between */
  isChecked = false
  /** where it is among those that run; undefined once it has ended */
  slot: number | undefined
  /** while we are the ones who are slow (a disk), nobody is blamed */
  #ours = false

  constructor(of: TransferOf, now: number) {
    this.of = of
    this.began = now
    this.since = now
  }

  move(bytes: number): void {
    this.moved += bytes
  }

  /** Runs what the client does not wait for us to read or write: the time is not counted. */
  onOurTime<T>(work: Awaitable<T>): Awaitable<T> {
    return work instanceof Promise ? this.#uncounted(work) : work
  }

  async #uncounted<T>(work: Promise<T>): Promise<T> {
    this.#ours = true
    try {
      return await work
    } finally {
      this.#ours = false
    }
  }

  /** Why the transfer is to be cut now; undefined to let it go on. */
  overdue(now: number, limits: TransferLimits): Refusal | undefined {
    if (now - this.began >= limits.maxTransferTime * 1000) {
      return new Refusal('too_slow', `a transfer takes at most ${limits.maxTransferTime} seconds`)
    }
    if (this.#ours) {
      this.#restart(now)
      return undefined
    }
    return this.of.direction === 'in' ? this.#tooSlow(now, limits) : this.#stalled(now, limits)
  }

  #tooSlow(now: number, limits: TransferLimits): Refusal | undefined {
    const elapsed = now - this.since
    if (elapsed < RATE_WINDOW) return undefined
    if (this.moved >= (limits.minUploadRate * elapsed) / 1000) return this.#restart(now)
    return new Refusal(
      'too_slow',
      `an upload makes at least ${limits.minUploadRate} bytes a second, looked at over ${RATE_WINDOW / 1000} seconds; send it again over a better connection`,
    )
  }

  #stalled(now: number, limits: TransferLimits): Refusal | undefined {
    if (this.moved > 0) return this.#restart(now)
    if (now - this.since < limits.downloadStall * 1000) return undefined
    return new Refusal('too_slow', `nothing was taken for ${limits.downloadStall} seconds`)
  }

  #restart(now: number): undefined {
    this.since = now
    this.moved = 0
  }
}

export class Transfers {
  readonly #running = new Slots<Transfer>()
  readonly #limits: TransferLimits
  readonly #monotonic: () => number
  #uploads = 0

  constructor(limits: TransferLimits, monotonic: () => number) {
    this.#limits = limits
    this.#monotonic = monotonic
  }

  get running(): number {
    return this.#running.size
  }

  /** @throws Refusal unavailable, where no upload may begin now */
  checkUploads(): void {
    if (this.#uploads < this.#limits.maxUploads) return
    throw new Refusal('unavailable', 'too many uploads are running; try again in a moment')
  }

  /** @throws Refusal unavailable, for one upload too many; too_slow, where its key is never fast enough */
  begin(of: TransferOf): Transfer {
    if (of.direction === 'in') {
      this.checkUploads()
      this.#checkShare(of.grant)
      of.pace?.join(this.#limits.minUploadRate)
    }
    const transfer = new Transfer(of, this.#monotonic())
    transfer.slot = this.#running.add(transfer)
    if (of.direction === 'in') this.#uploads += 1
    return transfer
  }

  /** Idempotent. */
  end(transfer: Transfer): void {
    if (transfer.slot === undefined) return
    this.#running.takeOut(transfer.slot)
    transfer.slot = undefined
    if (transfer.of.direction !== 'in') return
    this.#uploads -= 1
    transfer.of.pace?.leave()
  }

  /** Nobody takes all the room there is with one key, however he narrows it. @throws Refusal unavailable */
  #checkShare(grant: Grant): void {
    const { maxUploads } = this.#limits
    if (this.#uploads < maxUploads - Math.floor(maxUploads * KEPT_SHARE)) return
    const own = this.#running
      .all()
      .filter(({ of }) => of.direction === 'in' && isSameKey(of.grant, grant))
    if (own.length < maxUploads / 2) return
    throw new Refusal(
      'unavailable',
      `the key runs ${own.length} uploads already, and what room is left is for others; try again in a moment`,
    )
  }

  /** Cuts what is overdue. */
  cutOverdue(): void {
    const now = this.#monotonic()
    for (const transfer of this.#running.all()) {
      const why = transfer.overdue(now, this.#limits)
      if (why !== undefined) this.#cut(transfer, why)
    }
  }

  /**
   * Asks of each whether its key is still honoured, and cuts those of which it is not.
   * @param isChanged false: nothing was revoked since the last time, so only new ones are asked about
   */
  async cutRevoked(
    isChanged: boolean,
    check: (grant: Grant, path: ObjectPath | Prefix) => Awaitable<Refusal | undefined>,
  ): Promise<void> {
    for (const transfer of this.#running.all()) {
      if (transfer.isChecked && !isChanged) continue
      transfer.isChecked = true
      const why = await check(transfer.of.grant, transfer.of.path)
      if (why !== undefined) this.#cut(transfer, why)
    }
  }

  /** Cuts everything, as when draining has taken too long. */
  cutAll(why: Refusal): void {
    for (const transfer of this.#running.all()) this.#cut(transfer, why)
  }

  #cut(transfer: Transfer, why: Refusal): void {
    this.end(transfer)
    transfer.of.cut(why)
  }
}

/** Whatever it was narrowed to. */
const isSameKey = (one: Grant, other: Grant): boolean =>
  one.kid === other.kid && one.grantedId === other.grantedId
