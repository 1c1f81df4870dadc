/** What was made of texts that come again and again; forgets everything when it holds too much. */
export class Memo<T> {
  readonly #made = new Map<string, T>()
  readonly #most: number
  #held = 0

  /** @param most characters of all texts together: strangers choose them */
  constructor(most: number) {
    this.#most = most
  }

  get(text: string): T | undefined {
    return this.#made.get(text)
  }

  /** One that `get` did not have. */
  add(text: string, made: T): T {
    if (this.#held >= this.#most) this.clear()
    this.#made.set(text, made)
    this.#held += text.length
    return made
  }

  clear(): void {
    this.#made.clear()
    this.#held = 0
  }
}
