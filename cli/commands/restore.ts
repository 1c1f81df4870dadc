import type { Command } from 'commander'
import { type Bytes, formatBytes, formatTime, type UnixSeconds } from '../../key/units.ts'
import { problemsOf, type RestoreResult, restore } from '../backup/restore.ts'
import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import { counted, printable } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { StatusLine, tallyLine } from '../status-line.ts'
import { describeDamage } from './scrub.ts'

interface Flags {
  readonly link?: true
  readonly verify: boolean
  readonly keepDamaged?: true
}

export function addRestore(program: Command, cli: Cli): void {
  program
    .command('restore')
    .description('Make a new data folder of a backup.')
    .argument('<dir>', 'the backup')
    .option('--link', 'hard links to the files of the backup, where one file system holds both')
    .option('--no-verify', 'do not read every object to check it')
    .option('--keep-damaged', 'take what there is; damaged objects are refused when they are read')
    .addHelpText(
      'after',
      '\nExample:\n  valetkey restore /mnt/backup/valetkey --data /srv/valetkey',
    )
    .action((from: string, flags: Flags) => run(cli, from, flags))
}

async function run(cli: Cli, folder: string, flags: Flags): Promise<void> {
  const from = cli.resolve(folder)
  const line = new StatusLine(cli.shell)
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const result = await interruptible(cli.shell, (signal) =>
    restore({
      from,
      fromLabel: cli.label(from),
      data: cli.dataPath,
      dataLabel: cli.label(cli.dataPath),
      link: flags.link === true,
      verify: flags.verify,
      keepDamaged: flags.keepDamaged === true,
      now: cli.shell.now(),
      signal,
      onCopied: ({ blobs, bytes }, all) =>
        line.draw(() =>
          tallyLine('files', { count: blobs, bytes }, seconds(), {
            count: all.blobs,
            bytes: all.bytes,
          }),
        ),
      onRead: ({ objects, bytes }) =>
        line.draw(() => tallyLine('objects checked', { count: objects, bytes }, seconds())),
    }).finally(() => line.end()),
  )
  const { folder: restored, missing, damaged, hasSecrets, isRestored } = result
  await cli.terminal.result(
    { restored: isRestored, folder: restored, missing, damaged, hasSecrets },
    () => told(cli, result),
  )
  if (!isRestored) {
    throw new Failure(
      `not restored: the backup is damaged (${problemsOf(result)}). What there is lies in ${cli.label(restored)}; restore another backup, or take it with --keep-damaged`,
    )
  }
  if (missing.length + damaged.length > 0) cli.exitCode = 1
}

function told(cli: Cli, { folder, manifest, missing, damaged, ...result }: RestoreResult): string {
  const { objects, bytes } = manifest.objects
  const gone = new Set(missing.map(({ path }) => path))
  const lines = [
    ...missing.map(({ path, blob }) => printable(`missing  ${path}: blob ${blob}`)),
    ...damaged
      .filter(({ path }) => !gone.has(path))
      .map((damage) => `damaged  ${describeDamage(damage)}`),
  ]
  if (result.isRestored) {
    lines.push(
      `restored ${counted(objects, 'object')}, ${formatBytes(bytes as Bytes)}, as of ${formatTime(manifest.finished as UnixSeconds)}, to ${printable(cli.label(folder))}`,
      'What was revoked since then is not revoked any more: revoke it again, or rotate the signing key.',
    )
    if (!result.hasSecrets) {
      lines.push('The backup holds no secrets: put yours into its folder secrets/, else links die.')
    }
  }
  return lines.map((text) => `${text}\n`).join('')
}
