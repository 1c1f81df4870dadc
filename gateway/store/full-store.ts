/**
 * What a store may be able to do beyond `store.ts`: each power apart, and the store that has them
 * all, which is what the doors with more than uploads and downloads stand on. Documented, no logic.
 *
 * A bucket that lacks a power, such as a folder of plain files, refuses what is asked of it
 * (`Refusal` method_not_allowed, with the reason).
 */
import type { ObjectPath } from '../../key/object-path.ts'
import type { UnixSeconds } from '../../key/units.ts'
import type { Awaitable } from '../../ledger/ledger.ts'
import type { Multipart } from './multipart.ts'
import type { ObjectCopying } from './object-copy.ts'
import type { Committed, Conflict, ObjectMeta, Store, WriteCondition } from './store.ts'

export interface FullStore extends Store, ObjectCopying, MetaChanging {
  readonly multipart: Multipart
  readonly buckets: BucketRegister
}

export interface MetaChanging {
  /**
   * Changes what is known of an object, not its content, ETag or time; a {@link Conflict} where the
   * condition fails, and one without `existing` where there is no such object.
   */
  setMeta(
    path: ObjectPath,
    change: MetaChange,
    condition?: WriteCondition,
  ): Promise<Committed | Conflict>
}

/** What is not named stays; null removes. */
export type MetaChange = {
  readonly [Field in Exclude<keyof ObjectMeta, 'partSizes'>]?: ObjectMeta[Field] | null
}

/**
 * Which buckets there are. A bucket exists when it was created here, when it holds an object, or
 * when the configuration names it; uploads need none to be created first.
 */
export interface BucketRegister {
  /** In byte order of their names. */
  list(): Awaitable<readonly Bucket[]>
  find(name: string): Awaitable<Bucket | undefined>
  /** Whether it was created: false where it existed. The name is one that was checked. */
  create(name: string, now: UnixSeconds): Promise<boolean>
  /** Only one that is empty goes, and what is being uploaded to it in parts with it. */
  remove(name: string): Promise<'removed' | 'not found' | 'not empty'>
}

export interface Bucket {
  readonly name: string
  /**
   * When it was created; of one that merely holds objects, when the first of them in byte order was
   * modified; absent where nobody knows
   */
  readonly created?: UnixSeconds
}
