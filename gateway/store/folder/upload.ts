import { Gatherer } from '../files/gather.ts'
import type { Health } from '../files/health.ts'
import type { Committed, Conflict, NewObject, Upload, WriteCondition } from '../store.ts'
import type { Busy } from './busy.ts'
import { refusalOf } from './refusals.ts'
import type { StagedFile, Staging } from './staging.ts'

/** What is gathered before it is written at once. */
const BATCH = 1024 * 1024

/** Makes a staged file the object. */
export type Place = (
  staged: StagedFile,
  as: NewObject,
  condition: WriteCondition | undefined,
) => Promise<Committed | Conflict>

/** What uploads of one store share. */
export interface Uploading {
  readonly staging: Staging
  readonly health: Health
  /** keeps the store from closing while something is done */
  readonly busy: Pick<Busy, 'run' | 'finish'>
}

export class FolderUpload implements Upload {
  readonly #uploading: Uploading
  readonly #place: Place
  readonly #gathered = new Gatherer()
  #staged: StagedFile | undefined
  #ended = false
  /** Steps come one after the other: a file isn't closed while it is being written. */
  #step: Promise<unknown> = Promise.resolve()

  constructor(uploading: Uploading, place: Place) {
    this.#uploading = uploading
    this.#place = place
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#ended) throw new Error('this upload has ended')
    for (const chunk of chunks) this.#gathered.add(chunk)
    if (this.#gathered.size < BATCH) return
    await this.#next(async () => {
      while (this.#gathered.size >= BATCH) await this.#flush(BATCH)
    })
  }

  async *written(): AsyncGenerator<Uint8Array> {
    if (this.#ended) throw new Error('this upload has ended')
    try {
      if (this.#staged !== undefined) yield* this.#staged.written()
      yield* this.#gathered.chunks
    } catch (error) {
      throw refusalOf(error)
    }
  }

  async commit(as: NewObject, condition?: WriteCondition): Promise<Committed | Conflict> {
    if (this.#ended) throw new Error('this upload has ended')
    this.#ended = true
    return this.#next(async () => {
      try {
        return await this.#place(await this.#flush(this.#gathered.size), as, condition)
      } finally {
        await this.#remove()
      }
    })
  }

  async discard(): Promise<void> {
    this.#ended = true
    await this.#after(() => this.#uploading.busy.finish(() => this.#remove()))
  }

  async #flush(size: number): Promise<StagedFile> {
    const { health, staging } = this.#uploading
    await health.check()
    this.#staged ??= await staging.create()
    const { chunks, giveBack } = this.#gathered.take(size)
    await this.#staged.append(chunks)
    giveBack()
    return this.#staged
  }

  async #remove(): Promise<void> {
    this.#gathered.clear()
    const staged = this.#staged
    this.#staged = undefined
    await staged?.remove()
  }

  /** @throws Refusal where the store is closed */
  async #next<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await this.#after(() => this.#uploading.busy.run(step))
    } catch (error) {
      // bytes may be missing from here on
      this.#ended = true
      throw refusalOf(error)
    }
  }

  #after<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#step.then(step)
    this.#step = result.catch(() => {})
    return result
  }
}
