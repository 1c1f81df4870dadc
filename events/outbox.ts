/** What has yet to be told, durably: `DATA/events.db`. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openReader } from '../database/open.ts'
import { siblingModule } from '../database/sibling.ts'
import { startWriter, type Writer } from '../database/writer.ts'
import type { Delivery, Event } from './events.ts'
import type { Chosen, OutboxJobs, Row, Settled, Taken } from './jobs.ts'

const fileOf = (data: string): string => join(data, 'events.db')

export class Outbox {
  readonly #writer: Writer<OutboxJobs>

  private constructor(writer: Writer<OutboxJobs>) {
    this.#writer = writer
  }

  /** @throws DatabaseError */
  static async open(data: string): Promise<Outbox> {
    const jobs = siblingModule(import.meta.url, 'jobs')
    return new Outbox(await startWriter<OutboxJobs>(fileOf(data), jobs))
  }

  /** What was written with the events taken up last. */
  state(): Promise<string | undefined> {
    return this.#writer.run('state', undefined as never)
  }

  /** Takes up events, each once, and how far the audit was read for them: both or neither. */
  async take(taken: Taken): Promise<void> {
    await this.#writer.run('take', taken)
  }

  /** What a target has to be told of now, those first that have waited longest. */
  async due(target: string, now: number, limit: number): Promise<readonly Delivery[]> {
    return (await this.#writer.run('due', { now, target, limit })).map(deliveryOf)
  }

  async done({ event, target }: Delivery): Promise<void> {
    await this.#writer.run('done', { event: event.id, target })
  }

  async failed(settled: Settled): Promise<void> {
    await this.#writer.run('fail', settled)
  }

  /** Oldest first. @param isDead only what was given up */
  async list(limit: number, { isDead = false } = {}): Promise<readonly Delivery[]> {
    return (await this.#writer.run('list', { limit, isDead })).map(deliveryOf)
  }

  /** Tries them again at once; returns how many. */
  retry(chosen: Chosen): Promise<number> {
    return this.#writer.run('retry', chosen)
  }

  /** Tells nobody of them any more; returns how many. */
  drop(chosen: Chosen): Promise<number> {
    return this.#writer.run('drop', chosen)
  }

  close(): Promise<void> {
    return this.#writer.close()
  }
}

const deliveryOf = ({ target, text, attempts, next, error }: Row): Delivery => ({
  event: JSON.parse(text) as Event,
  target,
  attempts,
  ...(next !== null && { next }),
  ...(error !== null && { error }),
})

/** How many deliveries wait, and how many were given up; nothing where there is no outbox. */
export function queueOf(data: string): { readonly waiting: number; readonly dead: number } {
  if (!existsSync(fileOf(data))) return { waiting: 0, dead: 0 }
  const db = openReader(fileOf(data))
  try {
    const sql = 'SELECT count(next) AS waiting, count(*) - count(next) AS dead FROM delivery'
    return db.prepare(sql).get() as { waiting: number; dead: number }
  } finally {
    db.close()
  }
}
