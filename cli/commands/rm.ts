import type { Command } from 'commander'
import type { Store } from '../../gateway/store/store.ts'
import { type ObjectPath, type Prefix, parseObjectPath, parsePath } from '../../key/object-path.ts'
import type { Cli } from '../cli.ts'
import { Failure, UsageError } from '../failure.ts'
import { counted, printable } from '../format.ts'
import { interruptible } from '../interrupt.ts'

interface Flags {
  readonly recursive?: true
  readonly yes?: true
}

const PAGE = 1000

export function addRm(program: Command, cli: Cli): void {
  program
    .command('rm')
    .description('Delete objects from the store of this data folder.')
    .argument('<path...>', 'BUCKET/KEY, or with -r BUCKET/PREFIX/')
    .option('-r, --recursive', 'delete everything under each path that ends with a slash')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  valetkey rm -r --yes reports/2025/')
    .action((paths: readonly string[], flags: Flags) => rm(cli, paths, flags))
}

async function rm(cli: Cli, texts: readonly string[], flags: Flags): Promise<void> {
  const targets = texts.map((text) => target(text, flags.recursive === true))
  await cli.withData({ make: false }, (data) =>
    interruptible(cli.shell, async (signal) => {
      const store = await data.store()
      const erase: Erase = async (path) => {
        const make = () => store.delete(path)
        return (await data.changing({ act: 'DELETE', path }, make)) === true
      }
      await confirmed(cli, store, targets, flags)
      const deleted: ObjectPath[] = []
      const missing: string[] = []
      for (const path of targets) {
        const gone = isPrefix(path)
          ? await deleteBeneath(store, path, signal, erase)
          : await deleteOne(path, erase)
        deleted.push(...gone)
        if (gone.length === 0) missing.push(path)
      }
      await cli.terminal.result({ deleted, missing }, () =>
        deleted.map((path) => `deleted ${printable(path)}\n`).join(''),
      )
      if (missing.length > 0) {
        throw new Failure(`there is nothing at ${missing.map(printable).join(', ')}`)
      }
    }),
  )
}

function target(text: string, recursive: boolean): ObjectPath | Prefix {
  if (!text.endsWith('/')) return parseObjectPath(text)
  if (recursive) return text === '/' ? ('' as Prefix) : (parsePath(text).path as Prefix)
  throw new UsageError(`${printable(text)} is a prefix: -r deletes everything under it`)
}

const isPrefix = (path: ObjectPath | Prefix): path is Prefix => path === '' || path.endsWith('/')

async function confirmed(
  cli: Cli,
  store: Store,
  targets: readonly (ObjectPath | Prefix)[],
  { yes }: Flags,
): Promise<void> {
  if (yes) return
  for (const prefix of targets.filter(isPrefix)) {
    const { objects, next } = await store.list({ prefix, limit: PAGE })
    const many = counted(objects.length, 'object')
    const what = next === undefined ? many : `more than ${many}`
    const where = prefix === '' ? 'the whole store' : printable(prefix)
    if (objects.length > 0) await cli.terminal.confirm(`Delete ${what} under ${where}?`)
  }
}

/** Whether there was anything to delete. */
type Erase = (path: ObjectPath) => Promise<boolean>

const deleteOne = async (path: ObjectPath, erase: Erase): Promise<readonly ObjectPath[]> =>
  (await erase(path)) ? [path] : []

async function deleteBeneath(
  store: Store,
  prefix: Prefix,
  signal: AbortSignal,
  erase: Erase,
): Promise<readonly ObjectPath[]> {
  const deleted: ObjectPath[] = []
  for (;;) {
    const { objects } = await store.list({ prefix, limit: PAGE })
    const done = await Promise.all(objects.map(({ path }) => deleteOne(path, erase)))
    deleted.push(...done.flat())
    signal.throwIfAborted()
    if (objects.length < PAGE) return deleted
  }
}
