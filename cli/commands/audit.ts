import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { AuditRecord } from '../../audit/audit.ts'
import type { AuditFilter } from '../../audit/filter.ts'
import { parseMoment } from '../../audit/moment.ts'
import { auditFolderOf } from '../../audit/open.ts'
import { Follower, newestFirst, oldestFirst } from '../../audit/read.ts'
import { parseAddress, parseCidr } from '../../key/address.ts'
import { type Bytes, formatBytes } from '../../key/units.ts'
import { type Refused, summaryOf } from '../audit/summary.ts'
import { verify } from '../audit/verify.ts'
import type { Cli } from '../cli.ts'
import { Failure, UsageError } from '../failure.ts'
import { printable } from '../format.ts'
import { intoFile, taken } from '../into-file.ts'
import { stopSignal } from '../stop-signal.ts'
import type { Column } from '../table.ts'

interface Flags {
  readonly follow?: true
  readonly id?: string
  readonly signingKey?: string
  readonly subject?: string
  readonly path?: string
  readonly since?: string
  readonly until?: string
  readonly code?: string
  readonly refused?: true
  readonly address?: string
  readonly summary?: true
  readonly export?: string
  readonly limit: number
}

/** How often new records are looked for, in milliseconds. */
const LOOK_INTERVAL = 250
/** What an export writes at once, in characters. */
const GATHERED = 64 * 1024

export function addAudit(program: Command, cli: Cli): void {
  const audit = program
    .command('audit')
    .description('What was asked and done here, by whom, and what became of it; newest first.')
    .option('--follow', 'go on with what happens from now on, until Ctrl-C')
    .option('--id <id>', 'by the key with this id, or one that was narrowed from it')
    .option('--signing-key <kid>', 'by keys that this one signed, and what became of it')
    .option('--subject <text>', 'by keys for this subject')
    .option('--path <path>', 'of this object, or with a slash at its end, of all beneath')
    .option('--since <time>', 'since a date-time, or for so long: 24h')
    .option('--until <time>', 'until a date-time, or so long ago')
    .option('--code <code>', 'refused with this code')
    .option('--refused', 'refused, for whatever reason')
    .option('--address <address>', 'from this address or network')
    .option('--summary', 'with --refused: how often, why, and from where')
    .option(
      '--export <file>',
      'write all of them as JSON Lines, oldest first; - is standard output',
    )
    .option('--limit <count>', 'at most so many', countOf, 100)
    .addHelpText('after', '\nExample:\n  valetkey audit --refused --since 24h --summary')
    .action((flags: Flags) => read(cli, flags))
  audit
    .command('verify')
    .description('Whether records were edited, dropped, added or moved since they were written.')
    .option('--earlier <file>', 'what --json printed before: whether all of that is still there')
    .addHelpText(
      'after',
      '\nExample:\n  valetkey audit verify --json > /mnt/elsewhere/audit.json\n  valetkey audit verify --earlier /mnt/elsewhere/audit.json',
    )
    .action(({ earlier }: { readonly earlier?: string }) => verify(cli, earlier))
}

function countOf(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (count >= 1) return count
  throw new InvalidArgumentError('expected a whole number of at least 1.')
}

async function read(cli: Cli, flags: Flags): Promise<void> {
  if (!cli.hasData) throw new Failure(`there is no data folder at ${cli.label(cli.dataPath)}`)
  const modes = [flags.follow, flags.export, flags.summary].filter((mode) => mode !== undefined)
  if (modes.length > 1) throw new UsageError('--follow, --export and --summary exclude each other')
  const folder = auditFolderOf(cli.dataPath)
  const filter = filterOf(cli, flags)
  if (flags.export !== undefined) await exportAll(cli, folder, filter, flags.export)
  else if (flags.summary) await summarize(cli, folder, filter)
  else if (flags.follow) await follow(cli, folder, filter)
  else await list(cli, folder, filter, flags.limit)
}

function filterOf(cli: Cli, flags: Flags): AuditFilter {
  const { id, signingKey: kid, subject, path, code, refused, address } = flags
  if (address !== undefined && !parseAddress(address) && !parseCidr(address)) {
    throw new UsageError('--address is an address or a network such as 10.0.0.0/8')
  }
  return {
    ...(id !== undefined && { id }),
    ...(kid !== undefined && { kid }),
    ...(subject !== undefined && { subject }),
    ...(path !== undefined && { path }),
    ...(code !== undefined && { code }),
    ...(address !== undefined && { address }),
    ...((refused || flags.summary) && { refused: true }),
    ...momentOf(cli, 'since', flags.since),
    ...momentOf(cli, 'until', flags.until),
  }
}

function momentOf(cli: Cli, name: 'since' | 'until', text: string | undefined): AuditFilter {
  if (text === undefined) return {}
  try {
    return { [name]: parseMoment(text, cli.shell.now()) }
  } catch (error) {
    throw new UsageError(`--${name}: ${printable((error as Error).message)}`)
  }
}

async function list(cli: Cli, folder: string, filter: AuditFilter, limit: number): Promise<void> {
  const found: AuditRecord[] = []
  let isMore = false
  for await (const { record } of newestFirst(folder, filter)) {
    isMore = found.length === limit
    if (isMore) break
    if (record !== undefined && isShown(record)) found.push(record)
  }
  await cli.terminal.write(cli.json ? found.map(asLine).join('') : table(cli, found))
  if (found.length === 0) cli.terminal.note('There are no records that fit.')
  else if (isMore) cli.terminal.note(`There are more: --limit, --since and --until say which.`)
}

const asLine = (record: AuditRecord): string => `${JSON.stringify(record)}\n`

/** What the audit says of itself is for `verify` and for exports. */
const isShown = ({ kind, act }: AuditRecord): boolean => kind !== 'note' || act === 'lost'

async function follow(cli: Cli, folder: string, filter: AuditFilter): Promise<void> {
  const follower = new Follower(folder, filter)
  const stop = stopSignal(cli.shell)
  const stopped = new AbortController()
  void stop.received.then(() => stopped.abort())
  try {
    while (!stopped.signal.aborted) {
      const records = (await follower.next()).filter(isShown)
      await cli.terminal.write(
        cli.json ? records.map(asLine).join('') : records.map((one) => line(cli, one)).join(''),
      )
      // nothing else keeps the process alive meanwhile
      await pause(LOOK_INTERVAL, undefined, { signal: stopped.signal }).catch(() => {})
    }
  } finally {
    stop.release()
  }
}

async function exportAll(
  cli: Cli,
  folder: string,
  filter: AuditFilter,
  file: string,
): Promise<void> {
  let count = 0
  const write = async (to: (text: string) => Promise<void>): Promise<void> => {
    for await (const record of oldestFirst(folder, filter)) {
      await to(asLine(record))
      count += 1
    }
  }
  if (file === '-') return write((text) => cli.terminal.write(text))
  const as = { label: file, mayReplace: false, advice: 'name another file', mode: 0o600 }
  if (existsSync(cli.resolve(file))) throw taken(file, as.advice)
  await intoFile(cli.resolve(file), as, async (sink) => {
    let gathered = ''
    await write(async (text) => {
      gathered += text
      if (gathered.length < GATHERED) return
      await sink(Buffer.from(gathered))
      gathered = ''
    })
    await sink(Buffer.from(gathered))
  })
  await cli.terminal.result(
    { file, records: count },
    () => `${count} records written to ${printable(file)}\n`,
  )
}

async function summarize(cli: Cli, folder: string, filter: AuditFilter): Promise<void> {
  const groups = await summaryOf(oldestFirst(folder, filter))
  await cli.terminal.result({ refused: groups }, () => summaryTable(cli, groups))
  if (groups.length === 0) cli.terminal.note('Nothing was refused.')
}

function summaryTable(cli: Cli, groups: readonly Refused[]): string {
  const columns: readonly Column<Refused>[] = [
    { title: 'CODE', value: ({ code }) => code },
    { title: 'TIMES', value: ({ times }) => String(times), align: 'right' },
    { title: 'KEYS', value: ({ keys }) => most(keys) },
    { title: 'FROM', value: ({ addresses }) => most(addresses) },
    { title: 'PATHS', value: ({ paths }) => most(paths), fit: 'shorten' },
    { title: 'LAST', value: ({ last }) => last },
  ]
  return cli.terminal.table(columns, groups)
}

/** The most frequent first, as many as one reads. */
function most(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const shown = sorted.slice(0, 2).map(([name, times]) => `${name} (${times})`)
  return [...shown, ...(sorted.length > 2 ? [`+${sorted.length - 2}`] : [])].join(', ') || '-'
}

const outcomeOf = ({ status, code, broken, kind }: AuditRecord): string =>
  [status ?? (kind === 'request' ? 'none' : '-'), code, broken && 'broken']
    .filter(Boolean)
    .join(' ')

/** What was handed out comes first: ids and names behind it were chosen by its holders. */
const holderOf = ({ keys, subjects, narrowedFor, who }: AuditRecord): string =>
  [
    keys?.join('/'),
    subjects && `for ${subjects.join(', ')}`,
    narrowedFor && `narrowed for ${narrowedFor.join(', ')}`,
    who && `by ${who}`,
  ]
    .filter(Boolean)
    .join(' ')

const movedOf = ({ in: received = 0, out = 0 }: AuditRecord): string =>
  received + out === 0 ? '-' : formatBytes((received + out) as Bytes)

function table(cli: Cli, records: readonly AuditRecord[]): string {
  const { paint } = cli.terminal
  const columns: readonly Column<AuditRecord>[] = [
    { title: 'TIME', value: ({ time }) => time },
    { title: 'WHAT', value: ({ kind, act }) => (kind === 'change' ? `${act}*` : act) },
    {
      title: 'OUTCOME',
      value: outcomeOf,
      paint: (cell, { code }) => (code === undefined ? cell : paint('red', cell)),
    },
    { title: 'PATH', value: ({ path }) => path ?? '-', fit: 'shorten' },
    { title: 'KEY', value: (record) => holderOf(record) || '-', fit: 'shorten' },
    { title: 'FROM', value: ({ address }) => address || '-' },
    { title: 'BYTES', value: movedOf, align: 'right' },
    { title: 'MS', value: ({ ms }) => (ms === undefined ? '-' : String(ms)), align: 'right' },
  ]
  return cli.terminal.table(columns, records)
}

const line = (cli: Cli, record: AuditRecord): string => {
  const { time, act, kind, path = '-', address = '-' } = record
  const what = kind === 'change' ? `${act}*` : act
  const outcome = outcomeOf(record)
  const shown = record.code === undefined ? outcome : cli.terminal.paint('red', outcome)
  return `${time}  ${printable(what)}  ${shown}  ${printable(path)}  ${printable(holderOf(record) || '-')}  ${address}\n`
}
