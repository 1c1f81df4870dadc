/**
 * Things that come and go all the time, each under a number for as long as it is there.
 *
 * A `Map` or a `Set` that lives long is the wrong place for them: V8 replaces its table again and again,
 * each table refers to the next, and once one of them counts as old, the tables after it and all that
 * went through them are kept until the next whole collection.
 */
export class Slots<T extends object> {
  readonly #things: (T | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#things.length - this.#free.length
  }

  /** @returns its number, which is given to another when it was taken out */
  add(thing: T): number {
    const slot = this.#free.pop() ?? this.#things.length
    this.#things[slot] = thing
    return slot
  }

  /** What was there; undefined where nothing is. */
  takeOut(slot: number): T | undefined {
    const thing = this.#things[slot]
    if (thing === undefined) return undefined
    this.#things[slot] = undefined
    this.#free.push(slot)
    return thing
  }

  takeAll(): T[] {
    return this.#things.flatMap((_, slot) => this.takeOut(slot) ?? [])
  }

  /** As they are now. */
  all(): T[] {
    return this.#things.filter((thing) => thing !== undefined)
  }
}
