import { type Command, InvalidArgumentError } from 'commander'
import { endOf } from '../../issuer/amend.ts'
import { parseScope } from '../../key/object-path.ts'
import { formatTime, type UnixSeconds } from '../../key/units.ts'
import type { IssuedKeyState } from '../../ledger/ledger.ts'
import type { Cli } from '../cli.ts'
import { relativeTime } from '../format.ts'
import type { Column } from '../table.ts'

interface Flags {
  readonly id?: string
  readonly subject?: string
  readonly path?: string
  readonly after?: string
  readonly limit: number
}

export function addIssued(program: Command, cli: Cli): void {
  program
    .command('issued')
    .description('List the keys that were minted here, newest first.')
    .option('--id <id>', 'the key with this id')
    .option('--subject <text>', 'keys for this subject')
    .option('--path <scope>', 'keys for what lies at or under this')
    .option('--after <id>', 'continue after this key')
    .option('--limit <count>', 'at most so many', countOf, 100)
    .addHelpText('after', '\nExample:\n  valetkey issued --subject ann')
    .action((flags: Flags) => issued(cli, flags))
}

function countOf(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (count >= 1) return count
  throw new InvalidArgumentError('expected a whole number from 1 to 999999.')
}

async function issued(cli: Cli, { path, limit, ...filter }: Flags): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    const asked = { ...filter, limit: limit + 1, ...(path && { path: parseScope(path) }) }
    const found = await (await data.ledger()).issued(asked)
    const keys = found.slice(0, limit)
    const next = found.length > limit ? keys.at(-1)?.id : undefined
    await cli.terminal.result({ keys, ...(next && { next }) }, () => table(cli, keys))
    if (next !== undefined) cli.terminal.note(`There are more: --after ${next}`)
    else if (keys.length === 0) cli.terminal.note('No keys were minted here that fit.')
  })
}

const STATE_STYLES = {
  active: 'green',
  'used up': 'yellow',
  paused: 'yellow',
  revoked: 'red',
  expired: 'dim',
} as const

function stateOf(key: IssuedKeyState, now: UnixSeconds): keyof typeof STATE_STYLES {
  const { revocation, uses, counted, rule } = key
  if (revocation !== undefined) return 'revoked'
  if (now >= endOf(key)) return 'expired'
  if (uses !== undefined && counted >= uses) return 'used up'
  return rule?.paused ? 'paused' : 'active'
}

function table(cli: Cli, keys: readonly IssuedKeyState[]): string {
  const { paint } = cli.terminal
  const now = cli.shell.now()
  const columns: readonly Column<IssuedKeyState>[] = [
    { title: 'ID', value: ({ id }) => id },
    {
      title: 'STATE',
      value: (key) => stateOf(key, now),
      paint: (cell, key) => paint(STATE_STYLES[stateOf(key, now)], cell),
    },
    { title: 'SUBJECT', value: ({ subjects }) => subjects.join(', ') || '-', fit: 'shorten' },
    { title: 'PATH', value: ({ paths }) => paths.join(', '), fit: 'shorten' },
    { title: 'METHODS', value: ({ methods }) => methods.join(',') },
    {
      title: 'EXPIRES',
      value: (key) => `${formatTime(endOf(key))} (${relativeTime(endOf(key), now)})`,
    },
    { title: 'USES', value: ({ counted, uses }) => usesText(counted, uses), align: 'right' },
    {
      title: 'LAST USED',
      value: ({ activity }) => (activity ? relativeTime(activity.lastUsed, now) : 'never'),
    },
  ]
  return cli.terminal.table(columns, keys)
}

/** Uses are counted where they are limited. */
const usesText = (counted: number, uses: number | undefined): string =>
  uses === undefined ? '-' : `${counted} of ${uses}`
