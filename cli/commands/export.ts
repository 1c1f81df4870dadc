import { realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { type Bytes, formatBytes } from '../../key/units.ts'
import { type ExportResult, exportPrefix } from '../bulk/export.ts'
import { GroupSync } from '../bulk/group-sync.ts'
import { prefixOf, tellLeftOut } from '../bulk/told.ts'
import type { Cli } from '../cli.ts'
import { makeFolder } from '../durable.ts'
import { counted } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { StatusLine, tallyLine } from '../status-line.ts'

interface Flags {
  readonly overwrite?: true
  readonly checksum?: true
}

export function addExport(program: Command, cli: Cli): void {
  program
    .command('export')
    .description('Write every object beneath a prefix to a file; run again, it goes on.')
    .argument('<prefix>', 'BUCKET/PREFIX/; / for everything, each bucket as a folder')
    .argument('<dir>', 'the folder to write to; made where it is missing')
    .option('--overwrite', 'replace files that differ')
    .option('--checksum', 'compare with what is there by content, not by size and time')
    .addHelpText('after', '\nExample:\n  valetkey export photos/ /srv/photos')
    .action((prefix: string, folder: string, flags: Flags) => run(cli, prefix, folder, flags))
}

async function run(cli: Cli, text: string, name: string, flags: Flags): Promise<void> {
  const prefix = prefixOf(text)
  const line = new StatusLine(cli.shell)
  const started = performance.now()
  const result = await cli
    .withData({ make: false }, (data) =>
      interruptible(cli.shell, async (signal) => {
        await makeFolder(cli.resolve(name), 0o777)
        const into = realpathSync(cli.resolve(name))
        return exportPrefix({
          store: await data.store(),
          instance: data.instance,
          prefix,
          folder: into,
          groupSync: await GroupSync.of(into),
          overwrite: flags.overwrite === true,
          checksum: flags.checksum === true,
          signal,
          onProgress: (done) =>
            line.draw(() => tallyLine('files', done, (performance.now() - started) / 1000)),
        })
      }),
    )
    .finally(() => line.end())
  await cli.terminal.result(result, () => told(result))
  tellLeftOut(cli, result.leftOut, 'object')
}

function told({ exported, unchanged, bytes }: ExportResult): string {
  const objects = counted(exported + unchanged, 'object')
  const behind = unchanged === 0 ? '' : `, ${unchanged} there already`
  return `${objects}, ${formatBytes(bytes as Bytes)}, ${exported} exported${behind}\n`
}
