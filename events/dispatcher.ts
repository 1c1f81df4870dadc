/**
 * Reads events from the audit and tells the targets of them: in one process at a time of those that
 * share a data folder, while it holds the lock that goes with it.
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Follower, type Position } from '../audit/read.ts'
import { tryHold } from '../database/lock.ts'
import { Deriver, type DeriverState } from './derive.ts'
import type { Delivery, Event, Target } from './events.ts'
import { Outbox } from './outbox.ts'

export interface DispatcherOptions {
  /** `DATA` */
  readonly data: string
  readonly auditFolder: string
  readonly targets: readonly Target[]
  readonly log: Pick<Logger, 'warn' | 'error'>
  /** milliseconds since 1970 */
  readonly now?: () => number
  /** how often the audit is looked at, in milliseconds */
  readonly interval?: number
  /** from 0 to 1; random unless stated */
  readonly random?: () => number
}

const INTERVAL = 500
/** Told at one time, by each target. */
const LANES = 4

/** How long after each failure it is tried again, in seconds; after the last, it is given up. */
const PAUSES = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800]
/** Pauses are up to so much longer, so that what failed together does not come together. */
const JITTER = 0.2

interface State extends DeriverState {
  readonly position: Position
}

interface Reading {
  readonly follower: Follower
  readonly deriver: Deriver
}

export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #outbox: Outbox
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  readonly #telling = new Map<string, Promise<void>>()
  #lock: { close(): void } | undefined
  #reading: Reading | undefined
  #turn: Promise<void> | undefined
  #isClosing = false

  private constructor(options: DispatcherOptions, outbox: Outbox) {
    this.#options = options
    this.#outbox = outbox
    this.#now = options.now ?? Date.now
    this.#timer = setInterval(() => void this.look(), options.interval ?? INTERVAL).unref()
  }

  /** @throws DatabaseError */
  static async start(options: DispatcherOptions): Promise<Dispatcher> {
    const dispatcher = new Dispatcher(options, await Outbox.open(options.data))
    await dispatcher.look()
    return dispatcher
  }

  /** Takes up what is new, and begins to tell what is due. One at a time. */
  look(): Promise<void> {
    this.#turn ??= this.#look()
      .catch((error: unknown) => {
        // what was read and not taken up is read again
        this.#reading = undefined
        this.#options.log.error({ err: error }, 'events are not taken up')
      })
      .finally(() => {
        this.#turn = undefined
      })
    return this.#turn
  }

  /** Ends what is being told; the rest is told by the next one. */
  async close(): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#timer)
    await this.#turn
    await Promise.all(this.#telling.values())
    await this.#outbox.close()
    this.#lock?.close()
  }

  async #look(): Promise<void> {
    this.#lock ??= tryHold(join(this.#options.data, 'events.lock'))
    if (this.#lock === undefined || this.#isClosing) return
    this.#reading ??= await this.#begin()
    const { follower, deriver } = this.#reading
    const records = await follower.next()
    const events = deriver.take(records, this.#now())
    if (records.length > 0 || events.length > 0) await this.#take(this.#reading, events)
    for (const target of this.#options.targets) this.#tellAll(target)
  }

  /** The first time of all from now on; else from where whoever was before has stopped. */
  async #begin(): Promise<Reading> {
    const text = await this.#outbox.state()
    const state = text === undefined ? undefined : (JSON.parse(text) as State)
    const follower = new Follower(this.#options.auditFolder, {}, state?.position)
    const reading = { follower, deriver: new Deriver(state) }
    if (state === undefined) await this.#take(reading, [])
    return reading
  }

  #take({ follower, deriver }: Reading, events: readonly Event[]): Promise<void> {
    const state: State = { ...deriver.state, position: follower.position }
    const deliveries = events.flatMap((event) =>
      this.#options.targets
        .filter(({ types }) => types.includes(event.type))
        .map(({ name }) => ({ event, target: name })),
    )
    return this.#outbox.take({ state: JSON.stringify(state), deliveries, now: this.#now() })
  }

  /** Each target by itself: one that hangs keeps nothing from the others. */
  #tellAll(target: Target): void {
    if (this.#telling.has(target.name)) return
    const telling = this.#tellDue(target)
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'events are not told'))
      .finally(() => this.#telling.delete(target.name))
    this.#telling.set(target.name, telling)
  }

  async #tellDue(target: Target): Promise<void> {
    while (!this.#isClosing) {
      const due = await this.#outbox.due(target.name, this.#now(), LANES)
      if (due.length === 0) return
      await Promise.all(due.map((delivery) => this.#tell(target, delivery)))
    }
  }

  async #tell(target: Target, delivery: Delivery): Promise<void> {
    try {
      await target.tell(delivery.event)
    } catch (error) {
      await this.#failed(delivery, reasonOf(error))
      return
    }
    await this.#outbox.done(delivery)
  }

  async #failed({ event, target, attempts }: Delivery, error: string): Promise<void> {
    const { log, random = Math.random } = this.#options
    const pause = PAUSES[attempts]
    const next =
      pause === undefined ? null : this.#now() + Math.ceil(pause * 1000 * (1 + JITTER * random()))
    await this.#outbox.failed({ event: event.id, target, error, next })
    const facts = { event: event.id, type: event.type, target, attempts: attempts + 1, error }
    if (next === null) log.error(facts, 'an event was given up: see valetkey events list')
    else log.warn(facts, 'an event was not taken; it is tried again')
  }
}

/** For people, and kept: what a target answers is not in it. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string }
  return (message || code || String(error)).slice(0, 200)
}
