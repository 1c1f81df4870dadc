import type { Command } from 'commander'
import { DiskMaintenance } from '../../gateway/store/disk/maintenance.ts'
import type { BucketsSettings } from '../../gateway/store/folder/config.ts'
import { type Common, openFolders } from '../../gateway/store/folder/open.ts'
import { scrubFolder } from '../../gateway/store/folder/scrub.ts'
import type { Amount, Damage, ScrubOptions, ScrubReport } from '../../gateway/store/maintenance.ts'
import type { Store } from '../../gateway/store/store.ts'
import { type Bytes, formatBytes, parseBytes } from '../../key/units.ts'
import { hasStore, storeFolderOf } from '../backup/places.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { mark } from '../doctor/marks.ts'
import { UsageError } from '../failure.ts'
import { counted, printable } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { StatusLine, tallyLine } from '../status-line.ts'

interface Flags {
  readonly rate?: string
  readonly restart?: true
}

export function addScrub(program: Command, cli: Cli): void {
  program
    .command('scrub')
    .description('Read every object back, and say what is not as it was written.')
    .option(
      '--rate <size>',
      'bytes a second at most, such as 50MiB (default: as fast as they come)',
    )
    .option('--restart', 'begin anew, where a run that was broken off would be gone on with')
    .addHelpText('after', '\nExample:\n  valetkey scrub --rate 50MiB')
    .action((flags: Flags) => scrub(cli, flags))
}

const NOTHING: ScrubReport = { objects: 0, bytes: 0, damaged: [], strays: [] }

async function scrub(cli: Cli, flags: Flags): Promise<void> {
  const rate = rateOf(flags)
  const settings = cli.settings()
  const report = await cli.withData({ make: false, settings }, (data) =>
    interruptible(cli.shell, async (signal) => {
      const line = new StatusLine(cli.shell)
      const started = performance.now()
      const onProgress = ({ objects, bytes }: Amount) =>
        line.draw(() =>
          tallyLine('objects', { count: objects, bytes }, (performance.now() - started) / 1000),
        )
      const how = { now: cli.shell.now(), ...(rate !== undefined && { rate }), signal, onProgress }
      // first: a folder that is not there is said at once, and not when all else was read
      const folders = await openUntouched(settings.buckets, {
        data: data.path,
        instance: data.instance,
        now: cli.shell.now,
      })
      try {
        const own = hasStore(data.path) ? await scrubStore(data, flags, how) : NOTHING
        return await scrubFolders(folders, own, how)
      } finally {
        line.end()
        await Promise.all([...folders.values()].map((folder) => folder.close()))
      }
    }),
  )
  markScrub(cli, report)
  await cli.terminal.result(report, () => told(report))
  if (report.damaged.length > 0) cli.exitCode = 1
}

const scrubStore = (data: DataFolder, { restart }: Flags, how: ScrubOptions) =>
  new DiskMaintenance({ folder: storeFolderOf(data.path), instance: data.instance }).scrub({
    ...how,
    ...(restart && { restart }),
  })

/** The buckets that are folders, opened so that nothing is written to them. */
function openUntouched(buckets: BucketsSettings, common: Common): ReturnType<typeof openFolders> {
  const untouched = Object.entries(buckets).map(([name, one]) => [name, { ...one, readOnly: true }])
  return openFolders(Object.fromEntries(untouched), common)
}

/** Adds what the files of the buckets that are folders came to. */
async function scrubFolders(
  folders: ReadonlyMap<string, Store>,
  own: ScrubReport,
  how: ScrubOptions,
): Promise<ScrubReport> {
  let all = own
  for (const [bucket, folder] of folders) {
    const before = all
    const onProgress = (read: Amount): void => how.onProgress?.(sum(before, read))
    const found = await scrubFolder(folder, bucket, { ...how, onProgress })
    const damaged = [...before.damaged, ...found.damaged]
    all = { ...sum(before, found), damaged, strays: before.strays }
  }
  return all
}

const sum = (a: Amount, b: Amount): Amount => ({
  objects: a.objects + b.objects,
  bytes: a.bytes + b.bytes,
})

function markScrub(cli: Cli, { objects, damaged }: ScrubReport): void {
  const paths = [...new Set(damaged.map(({ path }) => path))]
  mark(cli.dataPath, 'scrub', { finished: cli.shell.now(), objects, damaged: paths })
}

function rateOf({ rate }: Flags): Bytes | undefined {
  if (rate === undefined) return undefined
  try {
    const value = parseBytes(rate.replace(/\/s$/, ''))
    if (value > 0) return value
  } catch {
    // said below
  }
  throw new UsageError('--rate is a size for each second, such as 50MiB')
}

function told({ objects, bytes, damaged, strays }: ScrubReport): string {
  const paths = new Set(damaged.map(({ path }) => path)).size
  const lines = [
    ...damaged.map((damage) => `damaged  ${describeDamage(damage)}`),
    ...strays.map((file) => `unknown  ${printable(file)}`),
    `read ${counted(objects, 'object')}, ${formatBytes(bytes as Bytes)}: ${
      paths === 0 ? 'all as they were written' : `${counted(paths, 'object')} damaged`
    }`,
    ...(paths === 0
      ? []
      : ['Damaged objects are not served: upload them again, or restore a backup.']),
    ...(strays.length === 0 ? [] : ['Nothing names the unknown files; they can be removed.']),
  ]
  return `${lines.join('\n')}\n`
}

/** `a/b: block 3 of blob 0f… is altered` */
export function describeDamage({ path, kind, blob, block }: Damage): string {
  const where =
    blob === undefined
      ? 'its content'
      : block === undefined
        ? `blob ${blob}`
        : `block ${block} of blob ${blob}`
  return printable(`${path}: ${where} is ${kind}`)
}
