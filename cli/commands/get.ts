import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { Damaged, type OpenObject } from '../../gateway/store/store.ts'
import { fileNameOf, type ObjectPath, parseObjectPath } from '../../key/object-path.ts'
import { formatBytes } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import { printable } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { intoFile, type Sink, taken } from '../into-file.ts'
import { Progress } from '../progress.ts'

interface Flags {
  readonly force?: true
}

const CHUNK = 1024 * 1024
/** What to do where there is a file already. */
const REPLACE = '--force replaces it'

export function addGet(program: Command, cli: Cli): void {
  program
    .command('get')
    .description('Get an object out of the store of this data folder.')
    .argument('<path>', 'BUCKET/KEY')
    .argument('[file]', 'where to; - writes standard output (default: the name of the object)')
    .option('--force', 'replace a file that is there')
    .addHelpText('after', '\nExample:\n  valetkey get reports/2026/q3.pdf ./q3.pdf')
    .action((path: string, file: string | undefined, flags: Flags) => get(cli, path, file, flags))
}

async function get(cli: Cli, text: string, file: string | undefined, { force }: Flags) {
  const path = parseObjectPath(text)
  const target = file === '-' ? undefined : fileFor(cli, path, file)
  if (target !== undefined && force === undefined && isThere(target)) {
    throw taken(cli.label(target), REPLACE)
  }
  await cli.withData({ make: false }, (data) =>
    interruptible(cli.shell, async (signal) => {
      const object = await (await data.store()).open(path)
      if (object === undefined) throw new Failure(`there is no object ${printable(path)}`)
      const progress = new Progress(cli.shell, fileNameOf(path), object.info.size)
      const copyTo = (sink: Sink) => copy(object, sink, progress, signal)
      try {
        if (target === undefined) await copyTo((chunk) => cli.terminal.write(chunk))
        else
          await intoFile(
            target,
            { label: cli.label(target), mayReplace: force === true, advice: REPLACE },
            copyTo,
          )
      } finally {
        progress.end()
        object.close()
      }
      if (target !== undefined) await told(cli, object, target)
    }),
  )
}

const told = (cli: Cli, { info }: OpenObject, target: string): Promise<void> =>
  cli.terminal.result(
    { ...info, file: target },
    () => `${printable(cli.label(target))}  ${formatBytes(info.size)}\n`,
  )

function fileFor(cli: Cli, path: ObjectPath, file = '.'): string {
  const target = cli.resolve(file)
  const isFolder = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true
  return isFolder ? join(target, fileNameOf(path)) : target
}

const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined

/** @throws Damaged where the bytes are not those that were stored */
async function copy(
  object: OpenObject,
  sink: Sink,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { size, sha256, path } = object.info
  const hash = createHash('sha256')
  for (let position = 0; position < size; ) {
    signal.throwIfAborted()
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size - position))
    const length = await object.read(buffer, position)
    if (length === 0) throw new Damaged(`${path} ends after ${position} of ${size} bytes`)
    const chunk = buffer.subarray(0, length)
    hash.update(chunk)
    progress.add(length)
    await sink(chunk)
    position += length
  }
  // what came in parts has none as a whole
  if (sha256 !== undefined && hash.digest('hex') !== sha256) {
    throw new Damaged(`${path} does not have its SHA-256 any more`)
  }
}
