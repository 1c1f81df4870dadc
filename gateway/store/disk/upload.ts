import type { Awaitable } from '../../../ledger/ledger.ts'
import { codeOf } from '../files/files.ts'
import { Gatherer } from '../files/gather.ts'
import { asRefusal, type Health } from '../files/health.ts'
import type { AdoptableFile, Adoption } from '../maintenance.ts'
import type { Committed, Conflict, NewObject, WriteCondition } from '../store.ts'
import { adopt } from './adopt.ts'
import type { Blob } from './schema.ts'
import { StagedBlob, type Staging } from './staged-blob.ts'

/** Up to this size an object lies in the index: one flush, shared with others, instead of a file's. */
const INLINE_LIMIT = 64 * 1024

/** What is gathered before it is written at once: a whole number of blocks. */
const BATCH = 1024 * 1024

interface Outcome {
  readonly done: boolean
}

/** Makes the content an object, or whatever it is to be, in the index. */
export type Enter<
  As = NewObject,
  Entered extends Outcome = Committed | Conflict,
  Condition = WriteCondition,
> = (content: Uint8Array | Blob, as: As, condition: Condition | undefined) => Promise<Entered>

export class DiskUpload<
  As = NewObject,
  Entered extends Outcome = Committed | Conflict,
  Condition = WriteCondition,
> {
  readonly #staging: Staging
  readonly #health: Health
  readonly #enter: Enter<As, Entered, Condition>
  readonly #inlineLimit: number
  readonly #gathered = new Gatherer()
  #blob: StagedBlob | undefined
  #ended = false
  /** Steps come one after the other: a file isn't closed while it is being written. */
  #step: Promise<unknown> | undefined

  /** @param inlineLimit in bytes; what is larger lies in a file */
  constructor(
    staging: Staging,
    health: Health,
    enter: Enter<As, Entered, Condition>,
    inlineLimit = INLINE_LIMIT,
  ) {
    this.#staging = staging
    this.#health = health
    this.#enter = enter
    this.#inlineLimit = inlineLimit
  }

  write(chunks: readonly Uint8Array[]): Awaitable<void> {
    if (this.#ended) throw new Error('this upload has ended')
    for (const chunk of chunks) this.#gathered.add(chunk)
    if (this.#gathered.size < BATCH) return
    return this.#next(async () => {
      while (this.#gathered.size >= BATCH) await this.#flush(BATCH)
    })
  }

  async adopt(
    file: AdoptableFile,
    how: Adoption,
    seen: (bytes: Uint8Array) => void,
  ): Promise<boolean> {
    if (this.#ended) throw new Error('this upload has ended')
    return this.#next(async () => {
      await this.#health.check()
      this.#blob = await adopt(this.#staging, file, how, seen)
      return this.#blob !== undefined
    })
  }

  /** What is gathered does not go to the disk for it: the block that it ends in may not be full. */
  async *written(): AsyncGenerator<Uint8Array> {
    if (this.#ended) throw new Error('this upload has ended')
    try {
      if (this.#blob !== undefined) yield* this.#blob.written()
      yield* this.#gathered.chunks
    } catch (error) {
      throw asRefusal(error)
    }
  }

  async commit(as: As, condition?: Condition): Promise<Entered> {
    if (this.#ended) throw new Error('this upload has ended')
    this.#ended = true
    if (this.#isOnlyGathered && this.#isSmall) return this.#commitSmall(as, condition)
    return this.#next(() => this.#commit(as, condition))
  }

  discard(): Awaitable<void> {
    this.#ended = true
    if (this.#isOnlyGathered) return this.#gathered.clear()
    return this.#next(() => this.#remove())
  }

  /** Whether it has been in memory alone from its beginning. */
  get #isOnlyGathered(): boolean {
    return this.#step === undefined
  }

  /** Whether what is gathered may lie in the index. */
  get #isSmall(): boolean {
    return this.#blob === undefined && this.#gathered.size <= this.#inlineLimit
  }

  async #commitSmall(as: As, condition?: Condition): Promise<Entered> {
    const content = this.#gathered.takeWhole()
    try {
      await this.#health.check()
      return await this.#enter(content, as, condition)
    } catch (error) {
      throw asRefusal(error)
    }
  }

  async #commit(as: As, condition?: Condition): Promise<Entered> {
    let mayBeNamed = false
    try {
      const content = await this.#content()
      mayBeNamed = true
      const outcome = await this.#enter(content, as, condition)
      mayBeNamed = outcome.done
      if (outcome.done) await this.#blob?.settle()
      return outcome
    } catch (error) {
      if (isRolledBack(error)) mayBeNamed = false
      throw error
    } finally {
      // what the index may name after all, the next start decides
      if (mayBeNamed) this.#blob = undefined
      await this.#remove()
    }
  }

  async #content(): Promise<Uint8Array | Blob> {
    await this.#health.check()
    if (this.#isSmall) return this.#gathered.takeWhole()
    const blob = await this.#flush(this.#gathered.size)
    return blob.publish()
  }

  async #flush(size: number): Promise<StagedBlob> {
    await this.#health.check()
    this.#blob ??= await StagedBlob.create(this.#staging)
    const { chunks, giveBack } = this.#gathered.take(size)
    await this.#blob.append(chunks)
    giveBack()
    return this.#blob
  }

  async #remove(): Promise<void> {
    this.#gathered.clear()
    const blob = this.#blob
    this.#blob = undefined
    await blob?.remove()
  }

  async #next<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#step === undefined ? step() : this.#step.then(step)
    this.#step = result.catch(() => {})
    try {
      return await result
    } catch (error) {
      // bytes may be missing from here on
      this.#ended = true
      throw asRefusal(error)
    }
  }
}

/** Whether a failed transaction has left nothing for certain; after an I/O error nobody knows. */
const isRolledBack = (error: unknown): boolean =>
  /^SQLITE_(FULL|BUSY|LOCKED|CONSTRAINT|TOOBIG)/.test(codeOf(error))
