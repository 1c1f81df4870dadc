/**
 * What was made of texts that come again and again. One that comes once is forgotten after a moment,
 * before V8 takes what was made of it for something that stays.
 */
export class Memo<T> {
  #again = new Map<string, T>()
  #once = new Map<string, T>()
  readonly #most: number
  readonly #mostOnce: number
  #held = 0
  #latest: string | undefined
  #madeOfLatest: T | undefined

  /**
   * @param most characters of all texts together that came again: strangers choose them
   * @param mostOnce texts that came once: as many others may come before one comes again
   */
  constructor(most: number, mostOnce = 128) {
    this.#most = most
    this.#mostOnce = mostOnce
  }

  get(text: string): T | undefined {
    // a player asks for one range after the other: the text need not even be hashed
    if (text === this.#latest) return this.#madeOfLatest
    const made = this.#again.get(text) ?? this.#cameAgain(text)
    if (made !== undefined) {
      this.#latest = text
      this.#madeOfLatest = made
    }
    return made
  }

  /** One that `get` did not have. */
  add(text: string, made: T): T {
    if (this.#once.size >= this.#mostOnce) this.#once = new Map()
    this.#once.set(text, made)
    return made
  }

  clear(): void {
    this.#once = new Map()
    this.#forget()
  }

  #cameAgain(text: string): T | undefined {
    const made = this.#once.get(text)
    if (made === undefined) return undefined
    this.#once.delete(text)
    if (this.#held >= this.#most) this.#forget()
    this.#again.set(text, made)
    this.#held += text.length
    return made
  }

  /** A map that is cleared would hold what it had for as long as V8 holds its table. */
  #forget(): void {
    this.#again = new Map()
    this.#held = 0
    this.#latest = undefined
  }
}
