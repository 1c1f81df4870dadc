/** The power of a store to make an object of another's content. Documented, no logic. */
import type { ObjectPath } from '../../key/object-path.ts'
import type { UnixSeconds } from '../../key/units.ts'
import type { Committed, Conflict, NewObject, WriteCondition } from './store.ts'

export interface ObjectCopying {
  /**
   * Makes the content of one object another's, all at one moment; within one store no bytes are
   * moved. An object may be copied onto itself, which changes what is known of it.
   */
  copy(
    from: ObjectPath,
    to: ObjectPath,
    as: CopiedObject,
    conditions?: CopyConditions,
  ): Promise<Committed | CopyConflict>
}

/**
 * What the copy is to be. Type, ETag, SHA-256 and `meta` are the source's unless stated, `meta` as a
 * whole; `expires` is the copy's own: absent, it stays.
 */
export interface CopiedObject extends Partial<NewObject> {
  readonly modified: UnixSeconds
}

/** Both are looked at in the moment of the copy. */
export interface CopyConditions {
  readonly source?: WriteCondition
  readonly target?: WriteCondition
}

/** For the source `existing` is absent where there is no such object, whatever the condition. */
export interface CopyConflict extends Conflict {
  readonly of: 'source' | 'target'
}
