/** Says what happens to those who hear a page, and no more often than can be listened to. */

/** Milliseconds between two messages. */
const PAUSE = 4_000

export class Announcer {
  readonly #say: (text: string) => void
  readonly #later: (milliseconds: number, callback: () => void) => void
  #next: string | undefined
  #isQuiet = true

  constructor(
    say: (text: string) => void,
    later: (milliseconds: number, callback: () => void) => void,
  ) {
    this.#say = say
    this.#later = later
  }

  /** At once, or after the pause; what was still to be said by then is out of date, and is not said. */
  say(text: string): void {
    this.#next = text
    if (this.#isQuiet) this.#speak()
  }

  #speak(): void {
    const text = this.#next
    this.#next = undefined
    this.#isQuiet = text === undefined
    if (text === undefined) return
    this.#say(text)
    this.#later(PAUSE, () => this.#speak())
  }
}
