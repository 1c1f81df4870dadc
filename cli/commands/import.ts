import { lstatSync, realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { type Bytes, formatBytes } from '../../key/units.ts'
import { type ImportResult, importFolder } from '../bulk/import.ts'
import { prefixOf, tellLeftOut } from '../bulk/told.ts'
import { walk } from '../bulk/walk.ts'
import type { Cli } from '../cli.ts'
import { counted } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { StatusLine, type Tally, tallyLine } from '../status-line.ts'

interface Flags {
  readonly overwrite?: true
  readonly checksum?: true
  readonly link?: true
}

export function addImport(program: Command, cli: Cli): void {
  program
    .command('import')
    .description('Make an object of every file beneath a folder; run again, it goes on.')
    .argument('<dir>', 'the folder')
    .argument('<prefix>', 'BUCKET/PREFIX/ to import beneath; / where the folders in it are buckets')
    .option('--overwrite', 'replace objects that differ')
    .option('--checksum', 'compare with what is there by content, not by size and time')
    .option('--link', 'hard links to large files, which must then never be changed any more')
    .addHelpText('after', '\nExample:\n  valetkey import /srv/photos photos/')
    .action((folder: string, prefix: string, flags: Flags) => run(cli, folder, prefix, flags))
}

async function run(cli: Cli, name: string, text: string, flags: Flags): Promise<void> {
  const prefix = prefixOf(text)
  const folder = realpathSync(cli.resolve(name))
  const line = new StatusLine(cli.shell)
  const result = await cli.withData({ make: true }, (data) =>
    interruptible(cli.shell, async (signal) => {
      const skip = new Set([realpathSync(data.path)])
      const controller = new AbortController()
      const total = cli.terminal.isWatched
        ? counting(folder, skip, AbortSignal.any([signal, controller.signal]))
        : { known: undefined }
      const started = performance.now()
      try {
        return await importFolder({
          store: await data.store(),
          folder,
          prefix,
          skip,
          overwrite: flags.overwrite === true,
          checksum: flags.checksum === true,
          link: flags.link === true,
          now: cli.shell.now,
          signal,
          changing: (change, make) => data.changing(change, make),
          onProgress: (done) =>
            line.draw(() =>
              tallyLine('files', done, (performance.now() - started) / 1000, total.known),
            ),
        })
      } finally {
        controller.abort()
        line.end()
      }
    }),
  )
  await cli.terminal.result(result, () => told(result))
  tellLeftOut(cli, result.leftOut, 'file')
}

/** Counts beside the work, so that the time that is left can be told once all are counted. */
function counting(folder: string, skip: ReadonlySet<string>, signal: AbortSignal) {
  const total: { known: Tally | undefined } = { known: undefined }
  const count = async (): Promise<void> => {
    let [files, bytes] = [0, 0]
    for await (const { path, reason } of walk(folder, skip)) {
      if (signal.aborted) return
      if (reason !== undefined) continue
      files += 1
      bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
    }
    total.known = { count: files, bytes }
  }
  // whatever keeps us from counting, the import itself will say
  count().catch(() => {})
  return total
}

function told({ imported, replaced, unchanged, bytes, linked, cloned }: ImportResult): string {
  const parts = [
    [imported, 'imported'],
    [replaced, 'replaced'],
    [unchanged, 'there already'],
    [linked, 'as links'],
    [cloned, 'as clones'],
  ] as const
  const details = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const files = counted(imported + replaced + unchanged, 'file')
  return `${[`${files}, ${formatBytes(bytes as Bytes)}`, ...details].join(', ')}\n`
}
