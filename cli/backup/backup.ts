/** Backs up a data folder, online, into a folder that any later run brings up to date. */
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { copyDatabase, openSnapshot } from '../../database/copy.ts'
import { Instance } from '../../database/instance.ts'
import { pruneCopy } from '../../gateway/store/disk/backup.ts'
import { DiskMaintenance } from '../../gateway/store/disk/maintenance.ts'
import type { BlobAmount, StoreCopy } from '../../gateway/store/maintenance.ts'
import type { UnixSeconds } from '../../key/units.ts'
import { copyPrivately, makeFolder, syncFolder } from '../durable.ts'
import { Failure } from '../failure.ts'
import { programVersion } from '../version.ts'
import { describeFile, type Manifest, newRunFolder, writeManifest } from './manifest.ts'
import { hasStore, storeFolderOf } from './places.ts'

export interface BackupOptions {
  /** the data folder, absolute */
  readonly data: string
  readonly instance: Instance
  /** where to, absolute */
  readonly to: string
  /** the same as people write it */
  readonly label: string
  readonly link: boolean
  readonly secrets: boolean
  readonly now: () => UnixSeconds
  readonly signal?: AbortSignal
  readonly onProgress?: (done: BlobAmount) => void
}

export type BackupResult = Manifest & Pick<StoreCopy, 'kept' | 'linked' | 'copied'>

const ABOUT = 'about.txt'
const ABOUT_TEXT = `A backup of a valetkey data folder. It is complete where there is a manifest.json.
To get the data folder back: valetkey restore THIS_FOLDER --data NEW_FOLDER
`

/** Who is writing here: one at a time. */
const RUNNING = 'running'

/** @throws Failure where that folder holds something else, or somebody else is writing there */
export async function backUp(options: BackupOptions): Promise<BackupResult> {
  const { data, to, label } = options
  if (isInside(to, data)) {
    throw new Failure(`${label} lies inside the data folder: name a folder outside of it`)
  }
  await prepare(to, label)
  const turn = Instance.start(join(to, RUNNING))
  try {
    checkAlone(turn, to, label)
    return await run(options)
  } finally {
    turn.close()
  }
}

const isInside = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === '' || !(way === '..' || way.startsWith('../') || way.startsWith('/'))
}

async function prepare(to: string, label: string): Promise<void> {
  await makeFolder(to, 0o700)
  const names = readdirSync(to)
  if (names.length > 0 && !names.includes(ABOUT)) {
    throw new Failure(`${label} holds something else than a backup: name an empty or a new folder`)
  }
  await writeFile(join(to, ABOUT), ABOUT_TEXT, { mode: 0o600 })
}

function checkAlone(turn: Instance, to: string, label: string): void {
  for (const id of turn.dead()) turn.bury(id)
  const others = readdirSync(join(to, RUNNING)).filter((name) => !name.startsWith(turn.id))
  if (others.some((name) => name.endsWith('.lock'))) {
    throw new Failure(`another backup is being written to ${label}: wait until it is done`)
  }
}

async function run(options: BackupOptions): Promise<BackupResult> {
  const { to, now } = options
  const started = now()
  const folder = newRunFolder()
  const into = join(to, folder)
  mkdirSync(into, { mode: 0o700 })
  const { kept, linked, copied, ...copy } = await copyStore(options, into)
  const names = [
    ...(existsSync(join(into, 'index.db')) ? ['index.db'] : []),
    ...(await copyRest(options, into)),
  ]
  for (const path of [into, to]) await syncFolder(path)
  const files: Manifest['files'] = []
  for (const name of names) files.push(await describeFile(into, name))
  const manifest: Manifest = {
    format: 1,
    program: programVersion(),
    started,
    finished: now(),
    folder,
    files,
    ...copy,
    missing: [...copy.missing],
  }
  await writeManifest(to, manifest)
  await removeOlder(to, manifest)
  return { ...manifest, kept, linked, copied }
}

const NOTHING: StoreCopy = {
  objects: { objects: 0, bytes: 0 },
  blobs: { blobs: 0, bytes: 0 },
  kept: 0,
  linked: 0,
  copied: 0,
  missing: [],
}

async function copyStore(options: BackupOptions, into: string): Promise<StoreCopy> {
  const { data, instance, to } = options
  if (!hasStore(data)) return NOTHING
  const folder = storeFolderOf(data)
  const place = { index: join(into, 'index.db'), folder: to }
  return new DiskMaintenance({ folder, instance }).copyTo(place, options)
}

/**
 * What else there is. Behind the index: a revocation that was made while the blobs were copied is in
 * the ledger's copy.
 */
async function copyRest({ data, secrets }: BackupOptions, into: string): Promise<string[]> {
  const names: string[] = []
  const ledger = join(data, 'ledger.db')
  if (existsSync(ledger)) {
    const snapshot = openSnapshot(ledger)
    try {
      await copyDatabase(snapshot, join(into, 'ledger.db'))
      names.push('ledger.db')
    } finally {
      snapshot.close()
    }
  }
  if (existsSync(join(data, 'valetkey.toml'))) names.push(await copied(data, into, 'valetkey.toml'))
  const folder = join(data, 'secrets')
  if (secrets && existsSync(folder)) {
    mkdirSync(join(into, 'secrets'), { mode: 0o700 })
    for (const name of readdirSync(folder)) {
      const isFile = statSync(join(folder, name)).isFile()
      if (isFile && !name.startsWith('.')) names.push(await copied(data, into, `secrets/${name}`))
    }
    await syncFolder(join(into, 'secrets'))
  }
  return names
}

async function copied(from: string, to: string, name: string): Promise<string> {
  await copyPrivately(join(from, name), join(to, name))
  return name
}

/** What the manifest does not name any more, it does not need. */
async function removeOlder(to: string, { folder, files }: Manifest): Promise<void> {
  for (const name of readdirSync(to)) {
    const isOther = name.startsWith('run-') && name !== folder
    if (isOther) await rm(join(to, name), { recursive: true, force: true })
  }
  const index = join(to, folder, 'index.db')
  if (files.some(({ name }) => name === 'index.db')) await pruneCopy({ index, folder: to })
}
