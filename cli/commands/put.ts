import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { etagOf } from '../../gateway/body/digest.ts'
import type { Committed, Store, Upload } from '../../gateway/store/store.ts'
import { isMediaType } from '../../key/media-type.ts'
import { type ObjectPath, parseObjectPath } from '../../key/object-path.ts'
import { type Bytes, formatBytes } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { Failure, UsageError } from '../failure.ts'
import { printable } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { DEFAULT_TYPE, typeOf } from '../media-type.ts'
import { Progress } from '../progress.ts'

interface Flags {
  readonly type?: string
  readonly overwrite: boolean
}

/** What one write to the store gathers. */
const CHUNK = 1024 * 1024

export function addPut(program: Command, cli: Cli): void {
  program
    .command('put')
    .description('Put a file into the store of this data folder.')
    .argument('<file>', 'the file; - reads standard input')
    .argument('<path>', 'BUCKET/KEY, or BUCKET/PREFIX/ to keep the name of the file')
    .option('--type <type>', 'media type (default: by the extension)')
    .option('--no-overwrite', 'refuse where there is an object already')
    .addHelpText('after', '\nExample:\n  valetkey put report.pdf reports/2026/q3.pdf')
    .action((file: string, path: string, flags: Flags) => put(cli, file, path, flags))
}

async function put(cli: Cli, file: string, path: string, flags: Flags): Promise<void> {
  const target = targetPath(file, path)
  const type = flags.type ?? typeOf(target) ?? typeOf(file) ?? DEFAULT_TYPE
  if (!isMediaType(type)) {
    throw new UsageError('--type is a media type such as image/png or text/plain; charset=utf-8')
  }
  const source = await openSource(cli, file)
  try {
    const { info, created } = await cli.withData({ make: true }, async (data) =>
      interruptible(cli.shell, async (signal) =>
        store(await data.store(), target, source, {
          type,
          now: cli.shell.now,
          mayReplace: flags.overwrite,
          signal,
          changing: (change, make) => data.changing(change, make),
        }),
      ),
    )
    const verb = created ? 'stored' : 'replaced'
    await cli.terminal.result(
      { ...info, created },
      () => `${verb} ${printable(info.path)}  ${formatBytes(info.size)}  ${printable(info.type)}\n`,
    )
  } finally {
    await source.handle?.close()
  }
}

function targetPath(file: string, path: string): ObjectPath {
  if (!path.endsWith('/')) return parseObjectPath(path)
  if (file === '-') throw new UsageError('standard input has no name: write BUCKET/KEY')
  return parseObjectPath(path + basename(file))
}

export interface Source {
  readonly chunks: AsyncIterable<Uint8Array>
  readonly progress: Progress
  readonly handle?: FileHandle
  /** of a stream that may never say anything again: ends the waiting */
  readonly giveUp?: (why: Error) => void
}

export async function openSource(cli: Cli, file: string): Promise<Source> {
  const { shell } = cli
  if (file === '-') {
    const { stdin } = shell
    const giveUp = (why: Error) => stdin.destroy(why)
    return { chunks: gathered(stdin), progress: new Progress(shell, '-'), giveUp }
  }
  const handle = await open(cli.resolve(file), 'r')
  const { size } = await handle.stat()
  return {
    chunks: read(handle),
    progress: new Progress(shell, basename(file), size as Bytes),
    handle,
  }
}

/** A fresh buffer for every chunk: the store keeps what it is given. */
async function* read(handle: FileHandle): AsyncIterable<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** A pipe gives little pieces; a write to the store is worth about a megabyte. */
async function* gathered(stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of stream) {
    pieces.push(piece)
    length += piece.length
    if (length < CHUNK) continue
    yield Buffer.concat(pieces)
    pieces = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(pieces)
}

export interface As {
  readonly type: string
  readonly now: Cli['shell']['now']
  readonly mayReplace: boolean
  readonly signal: AbortSignal
  readonly changing: DataFolder['changing']
}

/** @throws Failure where there is an object already that may not be replaced */
export async function store(
  to: Store,
  path: ObjectPath,
  { chunks, progress, giveUp }: Source,
  { type, now, mayReplace, signal, changing }: As,
): Promise<Committed> {
  const upload = await to.upload(path)
  const onAbort = (): void => giveUp?.(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    const sha256 = await pass(chunks, upload, progress, signal)
    const outcome = await changing({ act: 'PUT', path, about: { sha256, type } }, () =>
      upload.commit(
        { type, sha256, etag: etagOf(sha256), modified: now() },
        mayReplace ? undefined : { absent: true },
      ),
    )
    if (outcome.done) return outcome
    throw new Failure(`${printable(path)} is there already: leave out --no-overwrite to replace it`)
  } finally {
    signal.removeEventListener('abort', onAbort)
    progress.end()
    await upload.discard()
  }
}

/** @returns the SHA-256 of all that passed, as lower-case hex */
async function pass(
  chunks: AsyncIterable<Uint8Array>,
  upload: Upload,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    hash.update(chunk)
    progress.add(chunk.length)
    await upload.write([chunk])
  }
  signal.throwIfAborted()
  return hash.digest('hex')
}
