import type { WriteCondition } from '../store.ts'

/** Bytes in memory, until they become an object or a part. */
export class MemoryUpload<As, Outcome, Condition = WriteCondition> {
  readonly #enter: Enter<As, Outcome, Condition>
  #chunks: Uint8Array[] | undefined = []

  constructor(enter: Enter<As, Outcome, Condition>) {
    this.#enter = enter
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#chunks === undefined) throw new Error('this upload has ended')
    this.#chunks.push(...chunks)
  }

  async *written(): AsyncGenerator<Uint8Array> {
    if (this.#chunks === undefined) throw new Error('this upload has ended')
    yield* this.#chunks
  }

  async commit(as: As, condition?: Condition): Promise<Outcome> {
    if (this.#chunks === undefined) throw new Error('this upload has ended')
    const content = Buffer.concat(this.#chunks)
    this.#chunks = undefined
    return this.#enter(content, as, condition)
  }

  async discard(): Promise<void> {
    this.#chunks = undefined
  }
}

type Enter<As, Outcome, Condition> = (
  content: Uint8Array,
  as: As,
  condition: Condition | undefined,
) => Outcome
