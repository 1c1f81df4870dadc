/** The powers of a disk store that need no open store: they work beside those that are. */
import type { Instance } from '../../../database/instance.ts'
import { type Files, nodeFiles } from '../files/files.ts'
import type {
  Copying,
  CopyOptions,
  CopyPlace,
  Scrubbing,
  ScrubOptions,
  ScrubReport,
  StoreCopy,
} from '../maintenance.ts'
import { type BackupSource, copyStore } from './backup.ts'
import { Layout } from './layout.ts'
import { type ScrubPlace, scrub } from './scrub.ts'

export interface DiskMaintenanceOptions {
  /** the store's; there must be an index in it */
  readonly folder: string
  readonly instance: Pick<Instance, 'id' | 'isAlive'>
  /** absent: the real ones */
  readonly files?: Files
}

export class DiskMaintenance implements Scrubbing, Copying {
  readonly #place: ScrubPlace & BackupSource

  constructor({ folder, instance, files = nodeFiles }: DiskMaintenanceOptions) {
    this.#place = { files, layout: new Layout(folder), instance }
  }

  scrub(options: ScrubOptions): Promise<ScrubReport> {
    return scrub(this.#place, options)
  }

  copyTo(place: CopyPlace, options: CopyOptions): Promise<StoreCopy> {
    return copyStore(this.#place, place, options)
  }
}
