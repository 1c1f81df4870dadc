import type { Command } from 'commander'
import type { Listing, ObjectInfo, Store } from '../../gateway/store/store.ts'
import { type Prefix, parsePath } from '../../key/object-path.ts'
import { formatBytes, formatTime, type UnixSeconds } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import { printable, relativeTime } from '../format.ts'
import type { Column } from '../table.ts'

interface Flags {
  readonly long?: true
  readonly recursive?: true
}

const PAGE = 1000

export function addLs(program: Command, cli: Cli): void {
  program
    .command('ls')
    .description('List what lies under a prefix in the store of this data folder.')
    .argument('[prefix]', 'BUCKET/ or BUCKET/PREFIX/ (default: the buckets)', '')
    .option('-l, --long', 'with size, time, type and expiry')
    .option('-r, --recursive', 'all objects beneath, not just one level')
    .addHelpText('after', '\nExample:\n  valetkey ls --long reports/')
    .action((prefix: string, flags: Flags) => ls(cli, prefix, flags))
}

async function ls(cli: Cli, text: string, flags: Flags): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    const pages = listing(await data.store(), text, flags.recursive === true)
    if (cli.json) return printJson(cli, text, pages)
    let isEmpty = true
    for await (const page of pages) {
      isEmpty &&= page.objects.length + page.prefixes.length === 0
      await cli.terminal.write(pageText(cli, page, flags))
    }
    if (isEmpty) cli.terminal.note(text === '' ? 'The store is empty.' : 'There is nothing there.')
  })
}

/** The object of that very name, if there is one, then what lies beneath. */
async function* listing(store: Store, text: string, recursive: boolean): AsyncIterable<Listing> {
  const target = text === '' || text.endsWith('/') ? parsePath(text) : parsePath(`${text}/`)
  const prefix = target.path as Prefix
  if (prefix !== text && prefix.indexOf('/') < prefix.length - 1) {
    const own = parsePath(text)
    const object = own.kind === 'object' ? await store.head(own.path) : undefined
    if (object !== undefined) yield { objects: [object], prefixes: [] }
  }
  let after: string | undefined
  do {
    const page = await store.list({
      prefix,
      limit: PAGE,
      ...(!recursive && { delimiter: '/' }),
      ...(after !== undefined && { after }),
    })
    yield page
    after = page.next
  } while (after !== undefined)
}

/** Written page by page: a store may hold more than fits into memory. */
async function printJson(cli: Cli, prefix: string, pages: AsyncIterable<Listing>): Promise<void> {
  const prefixes: string[] = []
  let separator = ''
  await cli.terminal.write(`{"prefix":${JSON.stringify(prefix)},"objects":[`)
  for await (const page of pages) {
    prefixes.push(...page.prefixes)
    for (const object of page.objects) {
      await cli.terminal.write(`${separator}\n  ${JSON.stringify(object)}`)
      separator = ','
    }
  }
  await cli.terminal.write(`],"prefixes":${JSON.stringify(prefixes)}}\n`)
}

interface Line {
  readonly path: string
  readonly object?: ObjectInfo
}

function pageText(cli: Cli, page: Listing, { long }: Flags): string {
  const lines: readonly Line[] = [
    ...page.objects.map((object) => ({ path: object.path, object })),
    ...page.prefixes.map((path) => ({ path })),
  ].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
  if (long) return cli.terminal.table(columns(cli), lines)
  return lines.map(({ path }) => `${printable(path)}\n`).join('')
}

const columns = (cli: Cli): readonly Column<Line>[] => {
  const now: UnixSeconds = cli.shell.now()
  return [
    { value: ({ object }) => (object ? formatBytes(object.size) : '-'), align: 'right' },
    { value: ({ object }) => (object ? formatTime(object.modified) : '-') },
    { value: ({ object }) => object?.type ?? '-' },
    {
      value: ({ object }) => (object?.expires ? `goes ${relativeTime(object.expires, now)}` : '-'),
    },
    { value: ({ path }) => path },
  ]
}
