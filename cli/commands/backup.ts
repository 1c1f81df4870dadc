import type { Command } from 'commander'
import { type Bytes, formatBytes } from '../../key/units.ts'
import { type BackupResult, backUp } from '../backup/backup.ts'
import { linkedIn } from '../backup/places.ts'
import type { Cli } from '../cli.ts'
import { mark } from '../doctor/marks.ts'
import { counted, printable } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { StatusLine, tallyLine } from '../status-line.ts'

interface Flags {
  readonly copy?: true
  readonly secrets?: true
}

export function addBackup(program: Command, cli: Cli): void {
  program
    .command('backup')
    .description('Back up this data folder, also while it is in use.')
    .argument('<dir>', 'a new folder, or one with an earlier backup, which is brought up to date')
    .option('--copy', 'copy every file, where it would be a hard link on the same file system')
    .option('--secrets', 'with signing keys and admin token: whoever has them mints any key')
    .addHelpText('after', '\nExample:\n  valetkey backup /mnt/backup/valetkey --copy --secrets')
    .action((to: string, flags: Flags) => backup(cli, to, flags))
}

async function backup(cli: Cli, folder: string, flags: Flags): Promise<void> {
  const to = cli.resolve(folder)
  const line = new StatusLine(cli.shell)
  const started = performance.now()
  const result = await cli.withData({ make: false }, (data) =>
    interruptible(cli.shell, (signal) =>
      backUp({
        data: data.path,
        instance: data.instance,
        to,
        label: cli.label(to),
        link: flags.copy === undefined,
        secrets: flags.secrets === true,
        now: cli.shell.now,
        signal,
        onProgress: ({ blobs, bytes }) =>
          line.draw(() =>
            tallyLine('files', { count: blobs, bytes }, (performance.now() - started) / 1000),
          ),
      }).finally(() => line.end()),
    ).then(async (done) => {
      const { finished, kept } = done
      // what an earlier backup has linked is linked still
      const linked = done.linked > 0 || kept === 0 ? done.linked : await linkedIn(to)
      mark(data.path, 'backup', { finished, to, linked, secrets: flags.secrets === true })
      return done
    }),
  )
  await cli.terminal.result({ ...result, backup: to }, () => told(cli.label(to), result))
  if (!flags.secrets) {
    cli.terminal.note('Without --secrets: keep DATA/secrets elsewhere, else links die with it.')
  }
  if (result.missing.length > 0) cli.exitCode = 1
}

function told(label: string, result: BackupResult): string {
  const { objects, kept, linked, copied, missing } = result
  const how = [
    [kept, 'there already'],
    [linked, 'linked'],
    [copied, 'copied'],
  ] as const
  const files = how.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  const lines = [
    ...missing.map(({ path, blob }) =>
      printable(`missing  ${path}: blob ${blob} is not in the store`),
    ),
    `backed up ${counted(objects.objects, 'object')}, ${formatBytes(objects.bytes as Bytes)}, to ${printable(label)}${
      files.length === 0 ? '' : ` (files: ${files.join(', ')})`
    }`,
  ]
  return `${lines.join('\n')}\n`
}
