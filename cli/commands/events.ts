import type { Command } from 'commander'
import type { Delivery } from '../../events/events.ts'
import { Outbox } from '../../events/outbox.ts'
import { formatTime, secondsOf } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { counted, relativeTime } from '../format.ts'
import type { Column } from '../table.ts'

interface ChoiceFlags {
  readonly dead?: true
}

const MOST = 1000

export function addEvents(program: Command, cli: Cli): void {
  const events = program
    .command('events')
    .description('Events that a webhook, a command or a mail has yet to tell of.')
    .addHelpText('after', '\nExample:\n  valetkey events list')
  events
    .command('list')
    .description('List them, oldest first.')
    .option('--dead', 'only those that were given up')
    .addHelpText('after', '\nExample:\n  valetkey events list --dead')
    .action((flags: ChoiceFlags) => list(cli, flags))
  events
    .command('retry')
    .description('Try events again, at once: these, or all that were given up.')
    .argument('[id...]', 'ids of events')
    .option('--dead', 'all that were given up')
    .addHelpText('after', '\nExample:\n  valetkey events retry --dead')
    .action((ids: readonly string[], flags: ChoiceFlags) => change(cli, 'retry', ids, flags))
  events
    .command('drop')
    .description('Tell nobody of events any more: of these, or of all that were given up.')
    .argument('[id...]', 'ids of events')
    .option('--dead', 'all that were given up')
    .addHelpText('after', '\nExample:\n  valetkey events drop --dead')
    .action((ids: readonly string[], flags: ChoiceFlags) => change(cli, 'drop', ids, flags))
}

function withOutbox<T>(cli: Cli, use: (outbox: Outbox) => Promise<T>): Promise<T> {
  return cli.withData({ make: false }, async ({ path }) => {
    const outbox = await Outbox.open(path)
    try {
      return await use(outbox)
    } finally {
      await outbox.close()
    }
  })
}

async function list(cli: Cli, { dead }: ChoiceFlags): Promise<void> {
  const isDead = dead === true
  const found = await withOutbox(cli, (outbox) => outbox.list(MOST + 1, { isDead }))
  const events = found.slice(0, MOST)
  await cli.terminal.result({ events }, () => table(cli, events))
  if (events.length === 0) cli.terminal.note('Nobody has yet to be told of anything.')
  else if (found.length > MOST) cli.terminal.note(`There are more than these ${MOST}.`)
}

function table(cli: Cli, events: readonly Delivery[]): string {
  const now = cli.shell.now()
  const columns: readonly Column<Delivery>[] = [
    { title: 'ID', value: ({ event }) => event.id },
    { title: 'TYPE', value: ({ event }) => event.type },
    { title: 'SUBJECT', value: ({ event }) => event.subject, fit: 'shorten' },
    { title: 'TARGET', value: ({ target }) => target, fit: 'shorten' },
    { title: 'TRIED', value: ({ attempts }) => String(attempts), align: 'right' },
    { title: 'NEXT', value: ({ next }) => nextOf(next, now) },
    { title: 'ERROR', value: ({ error }) => error ?? '-', fit: 'wrap' },
  ]
  return cli.terminal.table(columns, events)
}

function nextOf(next: number | undefined, now: ReturnType<Cli['shell']['now']>): string {
  if (next === undefined) return 'given up'
  const time = secondsOf(next)
  return time <= now ? 'now' : `${formatTime(time)} (${relativeTime(time, now)})`
}

async function change(
  cli: Cli,
  how: 'retry' | 'drop',
  ids: readonly string[],
  { dead }: ChoiceFlags,
): Promise<void> {
  if ((ids.length === 0) === (dead !== true)) {
    throw new UsageError('say which: ids, or --dead for all that were given up')
  }
  const chosen = { ids, all: false, now: cli.shell.now() * 1000 }
  const events = await withOutbox(cli, (outbox) => outbox[how](chosen))
  const done = how === 'retry' ? 'will be tried again' : 'dropped'
  await cli.terminal.result({ events }, () => `${counted(events, 'event')} ${done}\n`)
}
