import type { Writer } from '../../../database/writer.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { Files } from '../files/files.ts'
import { asRefusal, type Health } from '../files/health.ts'
import type { Conflict } from '../store.ts'
import type { Descriptors } from './descriptors.ts'
import type { Garbage } from './garbage.ts'
import type { IndexReader } from './index-reader.ts'
import type { StoreJobs } from './jobs.ts'
import type { Layout } from './layout.ts'
import type { Occasion } from './object-jobs.ts'
import type { Pins } from './pins.ts'
import { infoOf, type ObjectRow } from './schema.ts'

/** What a store on disk is made of, all of it started. */
export interface Workings {
  readonly files: Files
  readonly layout: Layout
  readonly writer: Writer<StoreJobs>
  readonly index: IndexReader
  readonly health: Health
  readonly descriptors: Descriptors
  readonly garbage: Garbage
  readonly pins: Pins
  /** the id of the instance */
  readonly owner: string
  readonly now: () => UnixSeconds
}

export const occasionOf = ({ now, owner }: Workings): Occasion => ({ now: now(), owner })

export const conflictWith = (existing: ObjectRow | undefined): Conflict =>
  existing === undefined ? { done: false } : { done: false, existing: infoOf(existing) }

/** @throws Refusal instead of errors of disk and database */
export async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw asRefusal(error)
  }
}
