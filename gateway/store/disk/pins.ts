import type { Keep } from './blob-object.ts'

interface PinsOptions {
  /** Pins an object in the index; undefined where there is no such object any more. */
  readonly pin: (oid: number) => Promise<number | undefined>
  /** Takes a pin out of the index again, and sees to what became garbage by it. */
  readonly unpin: (pin: number) => Promise<void>
}

interface Held {
  readonly oid: number
  /** undefined where the object was gone already */
  readonly pin: Promise<number | undefined>
  readers: number
  /** the round in which its last reader left */
  idleSince: number
}

/** A pin that one reader has. */
export interface Taken extends Keep {
  readonly pin: number
  /** It is not what is wanted any more: nobody else gets it. */
  forget(): void
}

/**
 * Pins of this process in the index. Whoever reads an object of many files can't have them all open,
 * so that other processes, too, must be told to leave them: what is pinned is not unlinked, whoever
 * replaces or deletes the object, until the last reader has ended, or its process has died. All
 * readers of an object share a pin, and it outlasts them for a while: a commit for each of many
 * requests for ranges would be more than they are worth.
 */
export class Pins {
  readonly #options: PinsOptions
  readonly #held = new Map<number, Held>()
  #round = 0
  #unpinning: Promise<void> = Promise.resolve()

  constructor(options: PinsOptions) {
    this.#options = options
  }

  /**
   * Whether it is the same object still that is pinned, the caller asks the index afterwards.
   * @returns undefined where there is no such object any more
   * @throws DatabaseError where nothing can be written
   */
  async take(oid: number): Promise<Taken | undefined> {
    const held = this.#held.get(oid) ?? this.#pinned(oid)
    held.readers += 1
    try {
      const pin = await held.pin
      if (pin !== undefined) return this.#taken(held, pin)
    } catch (error) {
      this.#forget(held)
      throw error
    }
    this.#forget(held)
    return undefined
  }

  /** Gives up what nobody has read since the last call. */
  async releaseIdle(): Promise<void> {
    for (const held of this.#held.values()) {
      if (held.readers === 0 && held.idleSince < this.#round) this.#unpin(held)
    }
    this.#round += 1
    await this.#unpinning
  }

  /** What is still being read stays, until another process finds that this one has ended. */
  async close(): Promise<void> {
    for (const held of this.#held.values()) if (held.readers === 0) this.#unpin(held)
    await this.#unpinning
  }

  #pinned(oid: number): Held {
    const held = { oid, pin: this.#options.pin(oid), readers: 0, idleSince: this.#round }
    this.#held.set(oid, held)
    return held
  }

  #taken(held: Held, pin: number): Taken {
    return {
      pin,
      forget: () => this.#forget(held),
      release: () => {
        held.readers -= 1
        held.idleSince = this.#round
        if (held.readers === 0 && this.#held.get(held.oid) !== held) this.#unpin(held)
      },
    }
  }

  #forget(held: Held): void {
    if (this.#held.get(held.oid) === held) this.#held.delete(held.oid)
  }

  /** In the background; what fails is left for when this process has ended. */
  #unpin(held: Held): void {
    this.#forget(held)
    this.#unpinning = this.#unpinning
      .then(() => held.pin)
      .then((pin) => (pin === undefined ? undefined : this.#options.unpin(pin)))
      .catch(() => {})
  }
}
