/**
 * Makes files durable many at a time: of a million small ones, each with an fsync of its own, the
 * disk would do little else.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The program of GNU and others that asks Linux for syncfs(2), which Node has not. */
const syncFileSystem = async (folder: string): Promise<void> => {
  await run('sync', ['-f', folder])
}

export class GroupSync {
  readonly #sync: () => Promise<void>
  #next: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()

  /** @param sync makes all that has been written durable */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /** For what lies in a folder; undefined where this machine has no such program. */
  static async of(folder: string): Promise<GroupSync | undefined> {
    if (process.platform !== 'linux') return undefined
    const sync = (): Promise<void> => syncFileSystem(folder)
    return sync().then(
      () => new GroupSync(sync),
      () => undefined,
    )
  }

  /**
   * Resolves when all that was written before is durable. Whoever asks while a sync runs shares the
   * next one. After one that failed nobody knows what is on the disk: all later ones fail with it.
   */
  settle(): Promise<void> {
    this.#next ??= this.#following()
    return this.#next
  }

  async #following(): Promise<void> {
    await this.#last
    this.#next = undefined
    this.#last = this.#sync()
    return this.#last
  }
}
