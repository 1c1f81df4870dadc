import { bucketOf } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { Bucket, BucketRegister } from '../full-store.ts'
import type { Entries } from './entries.ts'

export class MemoryBuckets implements BucketRegister {
  readonly #entries: Entries
  readonly #onRemoved: (name: string) => void
  readonly #created = new Map<string, UnixSeconds>()

  constructor(entries: Entries, onRemoved: (name: string) => void) {
    this.#entries = entries
    this.#onRemoved = onRemoved
  }

  list(): readonly Bucket[] {
    const filled = this.#entries.sorted().map(({ path }) => bucketOf(path))
    return [...new Set([...this.#created.keys(), ...filled])]
      .sort()
      .flatMap((name) => this.find(name) ?? [])
  }

  find(name: string): Bucket | undefined {
    const created = this.#created.get(name) ?? this.#first(name)?.modified
    return created === undefined ? undefined : { name, created }
  }

  async create(name: string, now: UnixSeconds): Promise<boolean> {
    const isNew = this.find(name) === undefined
    if (!this.#created.has(name)) this.#created.set(name, now)
    return isNew
  }

  async remove(name: string): Promise<'removed' | 'not found' | 'not empty'> {
    if (this.#first(name) !== undefined) return 'not empty'
    if (!this.#created.delete(name)) return 'not found'
    this.#onRemoved(name)
    return 'removed'
  }

  #first(name: string) {
    return this.#entries.sorted().find(({ path }) => bucketOf(path) === name)
  }
}
