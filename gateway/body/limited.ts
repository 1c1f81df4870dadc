/** A body whose bytes are counted, or which is read no faster than its key allows. */
import type { IncomingMessage } from 'node:http'
import type { Meter } from '../meter.ts'
import type { Pace } from '../pacing.ts'
import type { Transfer } from '../transfers.ts'
import { SNIFFED_BYTES } from './media-type.ts'
import type { Body } from './receive.ts'

export interface Limits {
  readonly meter: Meter | undefined
  readonly pace: Pace | undefined
}

/** The body itself where nothing limits it. */
export function limited(
  body: Body,
  limits: Limits,
  transfer: Transfer,
  incoming: IncomingMessage,
): Body {
  if (limits.meter === undefined && limits.pace === undefined) return body
  // whoever waits for a client that is gone would wait for nothing
  incoming.once('close', () => {
    if (!incoming.complete) limits.pace?.stop()
  })
  return new LimitedBody(body, limits, transfer)
}

class LimitedBody implements Body {
  readonly #body: Body
  readonly #limits: Limits
  readonly #transfer: Transfer
  #last = 0

  constructor(body: Body, limits: Limits, transfer: Transfer) {
    this.#body = body
    this.#limits = limits
    this.#transfer = transfer
  }

  /** @throws Refusal bytes_exhausted, before what is too much is taken */
  async next(least: number): Promise<readonly Uint8Array[] | undefined> {
    const { meter, pace } = this.#limits
    if (pace !== undefined && this.#last > 0) {
      await this.#transfer.onOurTime(pace.after(this.#last))
    }
    // never too little to be held against the declared type
    const portion = Math.max(SNIFFED_BYTES, pace?.portion ?? least)
    const batch = await this.#body.next(Math.min(least, portion))
    await meter?.cover()
    this.#last = batch?.reduce((sum, { length }) => sum + length, 0) ?? 0
    return batch
  }

  fail(why: Parameters<Body['fail']>[0]): void {
    this.#body.fail(why)
    this.#limits.pace?.stop()
  }
}
