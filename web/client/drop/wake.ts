/** Keeps a phone awake while it sends: one that goes to sleep would stop. */

export class Wake {
  #lock: Promise<WakeLockSentinel | undefined> | undefined

  constructor(signal: AbortSignal) {
    // the browser lets go of it whenever the page is out of sight
    const again = (): void => {
      if (document.hidden || this.#lock === undefined) return
      this.#lock = undefined
      this.keep(true)
    }
    document.addEventListener('visibilitychange', again, { signal })
    signal.addEventListener('abort', () => this.keep(false))
  }

  keep(isNeeded: boolean): void {
    if (isNeeded && this.#lock === undefined) {
      this.#lock = navigator.wakeLock?.request('screen').catch(() => undefined)
    } else if (!isNeeded && this.#lock !== undefined) {
      void this.#lock.then((lock) => lock?.release())
      this.#lock = undefined
    }
  }
}
