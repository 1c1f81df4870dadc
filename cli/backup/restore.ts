/** Makes a new data folder of a backup: under another name, until all of it is there and checked. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkWhole } from '../../database/copy.ts'
import { Instance } from '../../database/instance.ts'
import { openReader } from '../../database/open.ts'
import { restoreBlobs } from '../../gateway/store/disk/backup.ts'
import { DiskMaintenance } from '../../gateway/store/disk/maintenance.ts'
import type { Amount, BlobAmount, Damage, MissingBlob } from '../../gateway/store/maintenance.ts'
import type { UnixSeconds } from '../../key/units.ts'
import { copyPrivately, makeFolder, makeFolders, syncFolder } from '../durable.ts'
import { Failure } from '../failure.ts'
import { counted } from '../format.ts'
import { type BackedUpFile, describeFile, type Manifest, readManifest } from './manifest.ts'
import { indexOf, storeFolderOf } from './places.ts'

export interface RestoreOptions {
  /** the backup, absolute */
  readonly from: string
  readonly fromLabel: string
  /** the data folder that is to be, absolute */
  readonly data: string
  readonly dataLabel: string
  /** whether its files may be hard links to those of the backup */
  readonly link: boolean
  /** whether every object is read and checked */
  readonly verify: boolean
  /** whether to take what there is where the backup is damaged */
  readonly keepDamaged: boolean
  readonly now: UnixSeconds
  readonly signal?: AbortSignal
  readonly onCopied?: (done: BlobAmount, all: BlobAmount) => void
  readonly onRead?: (read: Amount, all: Amount) => void
}

export interface RestoreResult {
  /** the data folder; the unfinished one where it was not taken */
  readonly folder: string
  readonly isRestored: boolean
  readonly manifest: Manifest
  readonly missing: readonly MissingBlob[]
  readonly damaged: readonly Damage[]
  readonly hasSecrets: boolean
}

/** Where each file of the backup has its place. */
const placeOf = (data: string, name: string): string =>
  name === 'index.db' ? indexOf(data) : join(data, name)

/**
 * What was brought is kept where it fails: the next attempt goes on there.
 * @throws Failure where the backup is not complete or its databases are damaged, or where the data
 *   folder holds anything
 */
export async function restore(options: RestoreOptions): Promise<RestoreResult> {
  const { from, fromLabel, data } = options
  const manifest = readManifest(from, fromLabel)
  checkPlace(options)
  const unfinished = `${data}.restoring`
  await makeFolder(storeFolderOf(unfinished), 0o700)
  for (const file of manifest.files) await bringFile(options, manifest, file, unfinished)
  const { missing, damaged } = await bringStore(options, manifest, unfinished)
  const known = new Set(manifest.missing.map(({ path }) => path))
  const isGood = [...missing, ...damaged].every(({ path }) => known.has(path))
  const isRestored = isGood || options.keepDamaged
  if (isRestored) await takePlace(unfinished, data)
  const hasSecrets = manifest.files.some(({ name }) => name.startsWith('secrets/'))
  const folder = isRestored ? data : unfinished
  return { folder, isRestored, manifest, missing, damaged, hasSecrets }
}

function checkPlace({ data, dataLabel }: RestoreOptions): void {
  if (!existsSync(data)) return
  if (readdirSync(data).length > 0) {
    throw new Failure(
      `${dataLabel} is not empty: name a new data folder with --data, or move this one away`,
    )
  }
  if (statSync(data).dev !== statSync(dirname(data)).dev) {
    throw new Failure(
      `${dataLabel} is where a file system is mounted, which can not be given to another folder: restore to a folder in it`,
    )
  }
}

async function bringFile(
  { from, fromLabel }: RestoreOptions,
  { folder }: Manifest,
  file: BackedUpFile,
  unfinished: string,
): Promise<void> {
  const source = join(from, folder)
  const found = await describeFile(source, file.name).catch(() => undefined)
  if (found?.sha256 !== file.sha256) {
    const what = found === undefined ? 'is missing' : 'is not what was written'
    throw new Failure(`${fromLabel}: ${folder}/${file.name} ${what}; restore another backup`)
  }
  const target = placeOf(unfinished, file.name)
  makeFolders(dirname(target), 0o700)
  // of an earlier attempt
  for (const suffix of ['', '-wal', '-shm']) rmSync(target + suffix, { force: true })
  await copyPrivately(join(source, file.name), target)
}

interface Brought {
  readonly missing: readonly MissingBlob[]
  readonly damaged: readonly Damage[]
}

async function bringStore(
  options: RestoreOptions,
  manifest: Manifest,
  unfinished: string,
): Promise<Brought> {
  for (const { name } of manifest.files) if (name.endsWith('.db')) check(unfinished, name)
  if (!manifest.files.some(({ name }) => name === 'index.db')) return { missing: [], damaged: [] }
  const folder = storeFolderOf(unfinished)
  const { from, signal, link } = options
  const missing = await restoreBlobs(from, folder, {
    link,
    ...(signal && { signal }),
    onProgress: (done) => options.onCopied?.(done, manifest.blobs),
  })
  if (!options.verify) return { missing, damaged: [] }
  const instance = Instance.start(join(unfinished, 'instances'))
  try {
    const { damaged } = await new DiskMaintenance({ folder, instance }).scrub({
      now: options.now,
      restart: true,
      ...(signal && { signal }),
      onProgress: (read) => options.onRead?.(read, manifest.objects),
    })
    return { missing, damaged }
  } finally {
    instance.close()
  }
}

/** @throws DatabaseError */
function check(unfinished: string, name: string): void {
  const file = placeOf(unfinished, name)
  const db = openReader(file)
  try {
    checkWhole(db, file, 'integrity_check')
  } finally {
    db.close()
  }
}

/** From here on it is the data folder. */
async function takePlace(unfinished: string, data: string): Promise<void> {
  makeFolders(join(unfinished, 'instances'), 0o700)
  for (const folder of ['store', 'secrets', '.']) {
    const path = join(unfinished, folder)
    if (existsSync(path)) await syncFolder(path)
  }
  // takes the place of an empty folder as well
  await rename(unfinished, data)
  await syncFolder(dirname(data))
}

export const problemsOf = ({ missing, damaged }: RestoreResult): string => {
  const paths = new Set([...missing, ...damaged].map(({ path }) => path))
  return counted(paths.size, 'object')
}
