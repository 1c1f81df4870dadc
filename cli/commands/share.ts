import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { zipNames } from '../../gateway/body/zip.ts'
import type { ListedObject, Store } from '../../gateway/store/store.ts'
import { type ObjectPath, type Prefix, parseObjectPath, parsePath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { formatBytes } from '../../key/units.ts'
import { walk } from '../bulk/walk.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { Failure, UsageError } from '../failure.ts'
import { printable } from '../format.ts'
import { interruptible } from '../interrupt.ts'
import { DEFAULT_TYPE, typeOf } from '../media-type.ts'
import { addPageOptions, makePageLink, type PageFlags, readNote, tellLink } from '../page-link.ts'
import { addRestrictions, restrictionsStated } from '../restrictions.ts'
import { type Column, formatTable } from '../table.ts'
import { type As, openSource, store } from './put.ts'

interface Flags extends PageFlags {
  readonly bucket: string
  readonly once?: true
  readonly uses?: string
}

/** What is listed of a folder that is shared; the page shows all of it. */
const MOST_SHOWN = 20

export function addShare(program: Command, cli: Cli): void {
  const command = program
    .command('share')
    .description('Share files: print the link of a page that shows them.')
    .argument('<file...>', 'files and folders of this machine, or one PATH of the store')
    .option('--bucket <name>', 'where files of this machine are put', 'shared')
  addRestrictions(command, ['expires', 'uses', 'once', 'bytes', 'rate', 'policy', 'plan'])
  addPageOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n  valetkey share report.pdf photos/ --expires 3d --password\n  valetkey share docs/2026/ --qr',
    )
    .action((names: readonly string[], flags: Flags) => share(cli, names, flags))
}

async function share(cli: Cli, names: readonly string[], flags: Flags): Promise<void> {
  const files = await filesOf(cli, names)
  const target = files === undefined ? pathOf(names[0] ?? '') : undefined
  const isFolder = files === undefined ? target?.kind === 'prefix' : files.length > 1
  if (isFolder && (flags.once || flags.uses === '1')) {
    throw new UsageError('--once is for one file: to look into a folder is a use as well')
  }
  const settings = cli.settings()
  const note = await readNote(cli, flags)
  const [made, shared] = await cli.withData({ make: files !== undefined, settings }, (data) =>
    interruptible(cli.shell, async (signal) => {
      const found =
        files === undefined
          ? await stored(await data.store(), target?.path as ObjectPath | Prefix)
          : await putAll(cli, data, files, flags.bucket, signal)
      const methods = isFolder ? ['GET', 'LIST'] : ['GET']
      const options = { ...restrictionsStated({ ...flags }), path: found.path, methods }
      const link = await undoing(data, files === undefined ? [] : found.objects, () =>
        makePageLink(data, settings, 'share', options, note),
      )
      return [link, found.objects] as const
    }),
  )
  const shown = shared.map(({ path, size, type }) => ({ path, size, type }))
  await cli.terminal.result({ ...made, files: shown }, () => `${made.link}\n`)
  cli.terminal.note(formatTable(COLUMNS, shared).trimEnd())
  tellLink(cli, made, flags)
}

type Shown = Pick<ListedObject, 'path' | 'size' | 'type'>

const COLUMNS: readonly Column<Shown>[] = [
  { value: ({ size }) => formatBytes(size), align: 'right' },
  { value: ({ type }) => type },
  { value: ({ path }) => path },
]

interface Shared {
  /** what the key is for */
  readonly path: string
  readonly objects: readonly Shown[]
}

/** A name that no path can have is more likely a file that is not here. @throws Failure */
function pathOf(name: string): ReturnType<typeof parsePath> {
  try {
    return parsePath(name)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Failure(
      `there is no file "${printable(name)}" here, and of the store it is no path: ${error.detail}`,
    )
  }
}

/** What is there already. @throws Failure where nothing is */
async function stored(from: Store, path: ObjectPath | Prefix): Promise<Shared> {
  if (path !== '' && !path.endsWith('/')) {
    const object = await from.head(path as ObjectPath)
    if (object !== undefined) return { path, objects: [object] }
  } else {
    const { objects } = await from.list({ prefix: path, limit: MOST_SHOWN })
    if (objects.length > 0) return { path: path === '' ? '/' : path, objects }
  }
  throw new Failure(
    `there is no file "${printable(path)}" here, and nothing of that name in the store`,
  )
}

// ── files of this machine ───────────────────────────────────────────────────

interface LocalFile {
  readonly file: string
  /** under which it is shared, beneath a folder of its own */
  readonly name: string
}

/** Undefined where the one name is none of this machine's. @throws UsageError, Failure */
async function filesOf(
  cli: Cli,
  names: readonly string[],
): Promise<readonly LocalFile[] | undefined> {
  const missing = names.filter((name) => !existsSync(cli.resolve(name)))
  if (missing.length === 1 && names.length === 1) return undefined
  if (missing.length > 0) {
    throw new UsageError(
      `${printable(missing.join(', '))}: no such file; of the store, share one PATH`,
    )
  }
  const found: LocalFile[] = []
  for (const name of names) {
    const file = cli.resolve(name)
    const stats = statSync(file)
    if (!stats.isFile() && !stats.isDirectory()) {
      // a pipe that nobody writes to would be waited for without end
      throw new Failure(`${printable(name)} is neither a file nor a folder`)
    }
    if (stats.isFile()) {
      found.push({ file, name: basename(file) })
      continue
    }
    for await (const met of walk(file, new Set([cli.dataPath]))) {
      if (met.reason === undefined) {
        found.push({ file: met.path, name: `${basename(file)}/${met.name}` })
      } else cli.terminal.warn(`valetkey: left out ${printable(met.name)}: ${met.reason}`)
    }
  }
  if (found.length === 0) throw new Failure('there are no files in there')
  // two of one name must not be one, and none of them may leave its folder
  const free = zipNames(found.map(({ name }) => name))
  return found.map(({ file }, index) => ({ file, name: free[index] ?? '' }))
}

/** Under a fresh prefix, so that nothing of before is touched or shown. */
async function putAll(
  cli: Cli,
  data: DataFolder,
  files: readonly LocalFile[],
  bucket: string,
  signal: AbortSignal,
): Promise<Shared> {
  const to = await data.store()
  // the page knows such a name for one that tells nobody anything: web/client/share/files.ts
  const folder = `${bucket}/share-${randomBytes(9).toString('base64url')}/`
  const paths = files.map(({ name }) => parseObjectPath(folder + name))
  const done: Shown[] = []
  await undoing(data, done, async () => {
    for (const [index, { file }] of files.entries()) {
      const path = paths[index] as ObjectPath
      const type = typeOf(path) ?? DEFAULT_TYPE
      const source = await openSource(cli, file)
      try {
        const changing: As['changing'] = (change, make) => data.changing(change, make)
        const as = { type, now: cli.shell.now, mayReplace: false, signal, changing }
        done.push((await store(to, path, source, as)).info)
      } finally {
        await source.handle?.close()
      }
    }
  })
  const [only] = done
  return { path: done.length === 1 && only !== undefined ? only.path : folder, objects: done }
}

/** Nothing stays behind that nobody has a link to. */
async function undoing<T>(
  data: DataFolder,
  objects: readonly Shown[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const store = await data.store()
    for (const { path } of objects) {
      await data.changing({ act: 'DELETE', path }, () => store.delete(path))
    }
    throw error
  }
}
