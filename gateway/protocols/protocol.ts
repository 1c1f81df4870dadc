/**
 * The contract of a protocol: how a dialect speaks. Documented, no logic.
 *
 * A protocol reads a request of its own into what it asks for, has its credential verified and its
 * attempt admitted, calls a verb, and writes what came of it in its own words. Only an `Admitted`
 * reaches a verb; after that nobody asks which protocol it was.
 */
import type { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { Exchange, FlatHeaders } from '../exchange.ts'
import type { RawRequest } from '../request.ts'
import type { Services } from '../services.ts'
import type { Problem } from './problem.ts'

export interface Offer {
  /** as in Access-Control-Allow-Methods, whatever the key grants */
  readonly methods: string
  readonly headers: FlatHeaders
}

export interface Protocol {
  readonly name: string
  /**
   * Whether the request carries a credential of this protocol, or has a form that is its alone.
   * Looks at nothing but the form. A request that several protocols recognise is refused.
   */
  recognises(request: RawRequest, services: Services): boolean
  /**
   * Answers a request that no other protocol recognises.
   * @throws Refusal of any stage, while nothing of a response was sent
   */
  serve(request: RawRequest, exchange: Exchange, services: Services): Awaitable<void>
  /**
   * What the URL of a preflight grants; undefined where it carries no credential.
   * @throws Refusal
   */
  preflight(request: RawRequest, exchange: Exchange, services: Services): Promise<Grant | undefined>
  /** What it says when it is asked for its options, where there is more to say than for objects. */
  offers?(services: Services): Offer
  /** The one place where this protocol's refusals are rendered. */
  problemOf(refusal: Refusal, exchange: Exchange): Problem
}
