/** Help for tests of folder buckets: a folder of files and the stores on it, all of which go away. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Instance } from '../../database/instance.ts'
import { FolderStore, type FolderStoreOptions } from '../../gateway/store/folder/store.ts'
import { bytes } from '../../key/units.ts'
import { type Clock, START } from './store.ts'

export class FolderBucket {
  readonly top = mkdtempSync(join(tmpdir(), 'valetkey-folder-'))
  /** the files that are served */
  readonly folder = join(this.top, 'files')
  readonly data = join(this.top, 'data')
  /** not served: whatever of it is seen has leaked */
  readonly outside = join(this.top, 'outside')
  readonly clock: Clock = { now: START }
  readonly #running: { readonly store: FolderStore; readonly instance: Instance }[] = []

  constructor() {
    mkdirSync(this.folder)
    mkdirSync(this.outside)
  }

  get instances(): string {
    return join(this.top, 'instances')
  }

  /** Of a file that is served. */
  path(name: string): string {
    return join(this.folder, name)
  }

  async start(options: Partial<FolderStoreOptions> = {}): Promise<FolderStore> {
    const instance = Instance.start(this.instances)
    try {
      const store = await FolderStore.open({
        bucket: 'bucket',
        folder: this.folder,
        readOnly: false,
        data: this.data,
        instance,
        now: () => this.clock.now,
        reserve: bytes(0),
        ...options,
      })
      this.#running.push({ store, instance })
      return store
    } catch (error) {
      instance.close()
      throw error
    }
  }

  /** Removes all files but ours, as another program; Node can't where a name is no UTF-8. */
  empty(): void {
    const all = ['-mindepth', '1', '-maxdepth', '1', '!', '-name', '.valetkey']
    execFileSync('find', [this.folder, this.outside, ...all, '-exec', 'rm', '-rf', '{}', '+'])
  }

  async stop(): Promise<void> {
    for (const { store, instance } of this.#running.splice(0)) {
      await store.close()
      instance.close()
    }
  }

  async remove(): Promise<void> {
    await this.stop()
    this.empty()
    rmSync(this.top, { recursive: true, force: true })
  }
}
