/** What the machine gives us: permissions, disk, file system, clock. Looks, and changes nothing. */
import { lstatSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { NOTEWORTHY } from '../../gateway/clock.ts'
import type { StoreSettings } from '../../gateway/config.ts'
import { type Bytes, formatBytes, formatTime, type UnixSeconds } from '../../key/units.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** What only its owner may look into. */
const PRIVATE = ['ledger.db', 'events.db', 'store', 'audit', 'instances', 'secrets']

const ownerOf = (file: string): number | undefined =>
  lstatSync(file, { throwIfNoEntry: false })?.uid

/**
 * Files of another user come about where a command was run as root: the service can't use them.
 * @param path the data folder
 */
export function permissions(path: string, owner = ownerOf): Finding {
  const secrets = namesIn(join(path, 'secrets'), true).map((name) => join('secrets', name))
  const open = [...PRIVATE, ...secrets].map((name) => join(path, name)).filter(isOpenToOthers)
  if (isWritableByOthers(path)) open.unshift(path)
  if (open.length > 0) {
    const advice = `chmod go= ${open.join(' ')}`
    return fail('permissions', `others can get at ${open.join(', ')}`, advice)
  }
  const uid = owner(path)
  const foreign = partsOf(path).find((file) => (owner(file) ?? uid) !== uid)
  if (foreign === undefined) {
    return ok('permissions', 'only their owner can read secrets and store')
  }
  return fail(
    'permissions',
    `${foreign} is not of the user whom the data folder is of (uid ${uid})`,
    `chown -R ${uid}: ${path}, and run commands as that user`,
  )
}

/** What is ours in the folder, and in its parts; not the blobs, which are many. */
function partsOf(path: string): readonly string[] {
  const parts = namesIn(path).filter((name) => OURS.test(name))
  const inside = parts.flatMap((name) => namesIn(join(path, name)).map((one) => join(name, one)))
  // hidden ones say something by being there
  return [...parts, ...inside]
    .filter((name) => !basename(name).startsWith('.'))
    .map((name) => join(path, name))
}

const OURS = /^(?:(?:ledger|events)\.db.*|store|audit|instances|metrics|secrets)$/

function isOpenToOthers(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  return stats !== undefined && (stats.mode & 0o077) !== 0
}

const isWritableByOthers = (file: string): boolean => (lstatSync(file).mode & 0o022) !== 0

/** None of what is no folder. */
function namesIn(folder: string, recursive = false): readonly string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  return readdirSync(folder, { recursive, encoding: 'utf8' })
}

/** As the store has it: 5 % of the disk, and at least 1 GiB. */
const usualReserve = (size: number): number => Math.max(size / 20, 2 ** 30)

/** Of which each upload takes one or two for a moment. */
const FEW_FILES = 1000

export function disk(path: string, { reserve }: StoreSettings): Finding {
  const { bavail, blocks, bsize, files, ffree } = statfsSync(path)
  const free = (bavail * bsize) as Bytes
  const kept = Math.ceil(reserve ?? usualReserve(blocks * bsize)) as Bytes
  const detail = `${formatBytes(free)} free, of which ${formatBytes(kept)} are left alone`
  const advice = 'free some space, or lower store.reserve'
  // some file systems do not count files, and say 0 of 0
  if (files > 0 && ffree < FEW_FILES) {
    return fail('disk', `only ${ffree} more files can be made there`, 'remove some files')
  }
  if (free < kept) return fail('disk', `${detail}: uploads are refused`, advice)
  return free < kept * 1.5 ? warn('disk', detail, advice) : ok('disk', detail)
}

/** Linux's magic numbers (statfs(2)) of file systems whose locks or syncs can't be relied on. */
const NETWORK: Readonly<Record<number, string>> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  20859: 'SMB',
  16914839: '9p',
  1397113167: 'AFS',
  22092: 'NCP',
  12805120: 'Ceph',
  198183888: 'Lustre',
}

const FUSE = 1702057286

/** @param type of the file system, as statfs(2) has it */
export function fileSystem(type: number): Finding {
  const name = NETWORK[type >>> 0]
  if (type >>> 0 === FUSE) {
    const advice = 'make sure that it is local, and keeps what it has synced'
    return warn('file system', 'a program serves it (FUSE): nobody knows what it promises', advice)
  }
  if (name === undefined) return ok('file system', 'local, as far as the system says')
  return fail(
    'file system',
    `the data folder lies on ${name}, where SQLite can lose what it has acknowledged`,
    'move the data folder to a disk of this machine',
  )
}

/** The day on which this check was written: no clock that goes right is behind it. */
const EARLIEST = Date.UTC(2026, 0, 1) / 1000

export async function clock(now: UnixSeconds, ledger: Ledger | undefined): Promise<Finding> {
  const advice = 'set the clock, and keep it right with NTP: keys live by it'
  if (now < EARLIEST) return fail('clock', `it says ${formatTime(now)}, which is past`, advice)
  const latest = (await ledger?.latestTime()) ?? now
  if (latest > now + NOTEWORTHY) {
    const detail = `it says ${formatTime(now)}, but was at ${formatTime(latest)} before: keys are judged by the later time`
    return fail('clock', detail, `${advice}. If it is right now: valetkey doctor --accept-clock`)
  }
  const [key] = (await ledger?.issued({ limit: 1 })) ?? []
  const [revocation] = (await ledger?.revocations(1)) ?? []
  const newest = Math.max(key?.issuedAt ?? 0, revocation?.revokedAt ?? 0) as UnixSeconds
  if (newest > now) {
    const detail = `it says ${formatTime(now)}, but the ledger holds an entry of ${formatTime(newest)}`
    return fail('clock', detail, advice)
  }
  return ok('clock', formatTime(now))
}
