import { type Files, ifThere, syncFolder } from '../files/files.ts'
import type { Descriptors } from './descriptors.ts'
import type { Layout } from './layout.ts'

interface GarbageOptions {
  readonly files: Files
  readonly layout: Layout
  readonly descriptors: Descriptors
  /** Strikes names off the index's list of garbage. */
  readonly forget: (names: readonly string[]) => Promise<void>
}

/**
 * Files that no object names any more. They are unlinked right after the commit that made them
 * garbage: whoever reads one has it open, which keeps its bytes. The list in the index forgets them
 * later and many at a time, once it is durable that they are gone.
 */
export class Garbage {
  readonly #options: GarbageOptions
  #unlinked: string[] = []
  #running: Promise<void> = Promise.resolve()

  constructor(options: GarbageOptions) {
    this.#options = options
  }

  /** In the background; what fails stays on the list, for the next start. */
  collect(names: readonly string[]): void {
    if (names.length > 0) this.#running = this.#running.then(() => this.#unlink(names))
  }

  async settle(): Promise<void> {
    await this.#running
    const names = this.#unlinked
    this.#unlinked = []
    if (names.length === 0) return
    const { files, layout, forget } = this.#options
    for (const folder of new Set(names.map((name) => layout.folderOf(name)))) {
      await syncFolder(files, folder)
    }
    await forget(names)
  }

  async #unlink(names: readonly string[]): Promise<void> {
    const { files, layout, descriptors } = this.#options
    for (const name of names) {
      descriptors.drop(name)
      try {
        await ifThere(files.unlink(layout.blob(name)))
        this.#unlinked.push(name)
      } catch {
        // stays on the list
      }
    }
  }
}
