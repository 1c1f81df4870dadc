/**
 * Work on a data folder that is killed half-way: as the main module of a child, it does the work and
 * kills itself as soon as so many things are done; imported, it starts such a child.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { backUp } from '../../cli/backup/backup.ts'
import { exportPrefix } from '../../cli/bulk/export.ts'
import { GroupSync } from '../../cli/bulk/group-sync.ts'
import { importFolder } from '../../cli/bulk/import.ts'
import { Instance } from '../../database/instance.ts'
import { DiskStore } from '../../gateway/store/disk/store.ts'
import type { Prefix } from '../../key/object-path.ts'
import { bytes, secondsOf } from '../../key/units.ts'

export interface Work {
  readonly kind: 'backup' | 'import' | 'export'
  readonly data: string
  /** the other folder: where to, or where from */
  readonly folder: string
  readonly prefix?: string
  /** how many files are dealt with before the end; `end`: all, and nothing is said to be complete */
  readonly killAfter: number | 'end'
}

/** Resolves when the process is dead. */
export async function killedWhile(work: Work): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(work)], {
    execArgv: ['--import', 'tsx'],
  })
  const [, signal] = await once(child, 'exit')
  if (signal !== 'SIGKILL') throw new Error(`the ${work.kind} was not killed`)
}

const die = (): never => {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('dead')
}

async function begin({ kind, data, folder, prefix = '', killAfter }: Work): Promise<void> {
  const instance = Instance.start(join(data, 'instances'))
  const now = () => secondsOf(Date.now())
  const dieAt = (count: number): void => {
    if (count === killAfter) die()
  }
  if (kind === 'backup') {
    let asked = 0
    await backUp({
      data,
      instance,
      to: folder,
      label: folder,
      link: true,
      secrets: false,
      // asked for the second time when all has been copied, just before the manifest is written
      now: () => {
        asked += 1
        return asked === 2 && killAfter === 'end' ? die() : now()
      },
      onProgress: ({ blobs }) => dieAt(blobs),
    })
    return
  }
  const store = await DiskStore.open({
    folder: join(data, 'store'),
    instance,
    now,
    reserve: bytes(0),
  })
  const common = {
    store,
    folder,
    prefix: prefix as Prefix,
    overwrite: false,
    checksum: false,
    signal: new AbortController().signal,
    onProgress: ({ count }: { count: number }) => dieAt(count),
  }
  if (kind === 'import') await importFolder({ ...common, skip: new Set(), link: false, now })
  else await exportPrefix({ ...common, instance, groupSync: await GroupSync.of(folder) })
}

const [, main, work] = process.argv
if (main === fileURLToPath(import.meta.url) && work !== undefined) {
  await begin(JSON.parse(work) as Work)
}
