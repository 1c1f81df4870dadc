import type { ObjectPath } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import { compareBytes } from '../byte-order.ts'
import { holds } from '../condition.ts'
import type { Committed, Conflict, ObjectInfo, WriteCondition } from '../store.ts'

export interface Entry {
  readonly info: ObjectInfo
  readonly content: Uint8Array
}

/** The objects of a store in memory: those that have expired are none. */
export class Entries {
  readonly #now: () => UnixSeconds
  readonly #entries = new Map<ObjectPath, Entry>()

  constructor(now: () => UnixSeconds) {
    this.#now = now
  }

  get(path: ObjectPath): Entry | undefined {
    const entry = this.#entries.get(path)
    if (entry?.info.expires === undefined || entry.info.expires > this.#now()) return entry
    this.#entries.delete(path)
    return undefined
  }

  put(entry: Entry, condition: WriteCondition | undefined): Committed | Conflict {
    const { info } = entry
    const existing = this.get(info.path)?.info
    if (!holds(condition, existing)) return conflictWith(existing)
    this.#entries.set(info.path, entry)
    return { done: true, info, created: existing === undefined }
  }

  delete(path: ObjectPath): boolean {
    return this.#entries.delete(path)
  }

  /** In byte order of their paths. */
  sorted(): readonly ObjectInfo[] {
    return [...this.#entries.keys()]
      .flatMap((path) => this.get(path)?.info ?? [])
      .sort((a, b) => compareBytes(a.path, b.path))
  }

  clear(): void {
    this.#entries.clear()
  }
}

export const conflictWith = (existing: ObjectInfo | undefined): Conflict =>
  existing === undefined ? { done: false } : { done: false, existing }

/** Whether a text lies in a range of a scan. */
export const isWithin = (text: string, from: string, below: string | undefined): boolean =>
  compareBytes(text, from) >= 0 && (below === undefined || compareBytes(text, below) < 0)
