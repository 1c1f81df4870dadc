/**
 * What may be read of an object, as its clients know it: they were told that some changes are done,
 * of others they don't know whether they will be. All clients are of one process, so that their
 * events have one order.
 */

/** The SHA-256 of a content, or that there is none. */
export type State = string

export const ABSENT: State = 'absent'

interface Change {
  readonly state: State
  readonly began: number
  /** infinite while nobody was told that it is done */
  ended: number
}

let time = 0
/** A moment after all those before. */
export const tick = (): number => {
  time += 1
  return time
}

export class History {
  #changes: Change[] = [{ state: ABSENT, began: 0, ended: 0 }]

  /** A client asks for a change. */
  begin(state: State): Change {
    const change = { state, began: tick(), ended: Number.POSITIVE_INFINITY }
    this.#changes.push(change)
    return change
  }

  /** It was told that the change is done. */
  acknowledge(change: Change): void {
    change.ended = tick()
  }

  /** It was told that the change is refused. */
  refuse(change: Change): void {
    this.#changes = this.#changes.filter((other) => other !== change)
  }

  /**
   * Whether a read may have seen this. A change is over when another one, which began after it was
   * acknowledged, was acknowledged before the read began.
   */
  mayBe(state: State, readBegan: number): boolean {
    const isOver = ({ ended }: Change): boolean =>
      this.#changes.some((later) => later.began > ended && later.ended < readBegan)
    return this.#changes.some((change) => change.state === state && !isOver(change))
  }

  /** What was read while nobody was changing anything: from now on, that and nothing else is there. */
  found(state: State): void {
    const now = tick()
    this.#changes = [{ state, began: now, ended: now }]
  }

  /** What is there while nobody is changing anything, once it was {@link found}. */
  get state(): State {
    return this.#changes[0]?.state ?? ABSENT
  }
}
