import type { Instance } from '../../../database/instance.ts'
import type { Files } from '../files/files.ts'
import { Pace } from '../files/pace.ts'
import type { Damage, ScrubOptions, ScrubReport } from '../maintenance.ts'
import { ContentReader, type StoredObject } from './content-reader.ts'
import { type Examining, examine } from './examination.ts'
import type { Layout } from './layout.ts'
import { BEGINNING, loadCursor, removeCursor, saveCursor } from './scrub-cursor.ts'
import { findStrays } from './strays.ts'

export interface ScrubPlace {
  readonly files: Files
  readonly layout: Layout
  readonly instance: Pick<Instance, 'isAlive'>
}

/** How many objects are looked up at a time. */
const PAGE = 64

/** How often the cursor is written while objects are read, in milliseconds. */
const SAVE_INTERVAL = 1000

/** An object that is replaced again and again has been written just now. */
const MOST_TRIES = 3

/** @throws what the signal was aborted with; DatabaseError where the index can't be read */
export async function scrub(place: ScrubPlace, options: ScrubOptions): Promise<ScrubReport> {
  const index = new ContentReader(place.layout.index)
  try {
    return await new Scrub(place, index, options).run()
  } finally {
    index.close()
  }
}

class Scrub {
  readonly #place: ScrubPlace
  readonly #index: ContentReader
  readonly #options: ScrubOptions
  readonly #damaged: Damage[] = []
  /** paths that an earlier run found damaged, and that may have been replaced since */
  readonly #suspects: readonly string[]
  #after: string
  #objects: number
  #bytes: number
  #savedAt = performance.now()

  constructor(place: ScrubPlace, index: ContentReader, options: ScrubOptions) {
    this.#place = place
    this.#index = index
    this.#options = options
    const begun = options.restart === true ? BEGINNING : loadCursor(place.layout.folder)
    this.#suspects = begun.damaged
    this.#after = begun.after
    this.#objects = begun.objects
    this.#bytes = begun.bytes
  }

  async run(): Promise<ScrubReport> {
    const examining = await this.#examining()
    try {
      for (const path of this.#suspects) await this.#examine(examining, path)
      await this.#readOn(examining)
    } catch (error) {
      this.#save()
      throw error
    }
    removeCursor(this.#place.layout.folder)
    const strays = await findStrays({ ...this.#place, index: this.#index })
    return { objects: this.#objects, bytes: this.#bytes, damaged: this.#damaged, strays }
  }

  async #examining(): Promise<Examining> {
    const { rate, signal } = this.#options
    const pace = rate === undefined ? undefined : new Pace(rate)
    const reading = async (count: number): Promise<void> => {
      signal?.throwIfAborted()
      await pace?.spend(count, signal)
    }
    return { ...this.#place, reading }
  }

  async #readOn(examining: Examining): Promise<void> {
    for (;;) {
      const page = this.#index.after(this.#after, this.#options.now, PAGE)
      for (const object of page) {
        await this.#examine(examining, object.path, object)
        this.#after = object.path
        this.#objects += 1
        this.#bytes += object.size
        this.#options.onProgress?.({ objects: this.#objects, bytes: this.#bytes })
        if (performance.now() - this.#savedAt > SAVE_INTERVAL) this.#save()
      }
      if (page.length < PAGE) return
    }
  }

  async #examine(examining: Examining, path: string, known?: StoredObject): Promise<void> {
    let object = known ?? this.#index.at(path, this.#options.now)
    for (let tries = 1; object !== undefined; tries += 1) {
      const damages = await examine(examining, object)
      if (damages.length === 0) return
      const now = this.#index.at(path, this.#options.now)
      if (now !== undefined && isSameContent(object, now)) {
        this.#damaged.push(...damages)
        return
      }
      // it was replaced or deleted meanwhile, and its files with it
      object = tries < MOST_TRIES ? now : undefined
    }
  }

  #save(): void {
    const damaged = [...new Set([...this.#suspects, ...this.#damaged.map(({ path }) => path)])]
    const cursor = { after: this.#after, objects: this.#objects, bytes: this.#bytes, damaged }
    saveCursor(this.#place.layout.folder, cursor)
    this.#savedAt = performance.now()
  }
}

/** A blob's name is never used twice. */
function isSameContent(a: StoredObject, b: StoredObject): boolean {
  const names = ({ pieces }: StoredObject): string => pieces.map(({ blob }) => blob.name).join()
  const bytes = ({ inline }: StoredObject): Uint8Array => inline?.bytes ?? new Uint8Array()
  return names(a) === names(b) && Buffer.compare(bytes(a), bytes(b)) === 0
}
