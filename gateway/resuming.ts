/**
 * Which resumable uploads are being sent to this process. A client that lost its connection comes
 * back while the old one still looks alive: the newer request ends the older, which keeps what it
 * has got. Between processes the store decides whose bytes came first.
 */

/** Of one request that sends to an upload. */
export interface Turn {
  /** aborted when somebody newer waits for the turn to end */
  readonly signal: AbortSignal
  /** To be called whatever happens. */
  end(): void
}

interface Running {
  readonly controller: AbortController
  readonly ended: Promise<void>
}

export class Resuming {
  readonly #running = new Map<string, Running>()
  readonly #finishing = new Map<string, Promise<unknown>>()

  /** Whoever asks while the upload of this id is being finished gets what comes of it. */
  finishing<T>(id: string, finish: () => Promise<T>): Promise<T> {
    const there = this.#finishing.get(id)
    if (there !== undefined) return there as Promise<T>
    const finished = finish().finally(() => this.#finishing.delete(id))
    this.#finishing.set(id, finished)
    return finished
  }

  /** Resolves when nothing is being sent to the upload of this id any more. */
  async interrupt(id: string): Promise<void> {
    for (let found = this.#running.get(id); found; found = this.#running.get(id)) {
      found.controller.abort()
      await found.ended
    }
  }

  /** Interrupts whoever is sending, and takes over. */
  async begin(id: string): Promise<Turn> {
    // others may have waited for the same turn to end
    while (this.#running.has(id)) await this.interrupt(id)
    const controller = new AbortController()
    let settle = (): void => {}
    const ended = new Promise<void>((resolve) => {
      settle = resolve
    })
    this.#running.set(id, { controller, ended })
    const end = (): void => {
      this.#running.delete(id)
      settle()
    }
    return { signal: controller.signal, end }
  }
}
