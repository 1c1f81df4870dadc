import { readFileSync } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import { type Command, InvalidArgumentError } from 'commander'
import {
  type CountedSigningKey,
  countedSigningKeys,
  exportSigningKey,
  importSigningKey,
  retire,
  revokeSigningKey,
  rotate,
} from '../../issuer/signing-keys.ts'
import { formatTime, parseDuration, type Seconds } from '../../key/units.ts'
import { IdTaken } from '../../ledger/ledger.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { Failure } from '../failure.ts'
import { printable, relativeTime } from '../format.ts'
import { addKeysCreate } from './keys-create.ts'

interface GraceFlags {
  readonly grace: Seconds
}

const WEEK = parseDuration('7d')

export function addKeys(program: Command, cli: Cli): void {
  const keys = program
    .command('keys')
    .description('Signing keys: what keys are minted and verified with.')
    .addHelpText('after', '\nExample:\n  valetkey keys rotate --grace 7d')
  keys
    .command('list')
    .description('List the signing keys.')
    .addHelpText('after', '\nExample:\n  valetkey keys list')
    .action(() => list(cli))
  addKeysCreate(keys, cli)
  addChanges(keys, cli)
  addCarrying(keys, cli)
}

function addChanges(keys: Command, cli: Cli): void {
  keys
    .command('rotate')
    .description('Make a new signing key; those before it verify until the grace ends.')
    .option('--grace <duration>', 'how long (default: 7d)', graceOf, WEEK)
    .addHelpText('after', '\nExample:\n  valetkey keys rotate --grace 7d')
    .action((flags: GraceFlags) => rotated(cli, flags))
  keys
    .command('retire')
    .description('Mint with this key no more; it verifies until the grace ends.')
    .argument('<kid>', 'the id of the signing key')
    .option('--grace <duration>', 'how long (default: 7d)', graceOf, WEEK)
    .addHelpText('after', '\nExample:\n  valetkey keys retire 3f0c --grace 1d')
    .action((kid: string, flags: GraceFlags) => retired(cli, kid, flags))
  keys
    .command('revoke')
    .description('Refuse every key that was minted with this signing key, from now on.')
    .argument('<kid>', 'the id of the signing key')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  valetkey keys revoke 3f0c --yes')
    .action((kid: string, flags: { readonly yes?: true }) => revoked(cli, kid, flags))
}

function addCarrying(keys: Command, cli: Cli): void {
  keys
    .command('export')
    .description('Print a signing key, a secret: whoever has it mints any key.')
    .argument('<kid>', 'the id of the signing key')
    .addHelpText('after', '\nExample:\n  valetkey keys export 3f0c > signing-key')
    .action((kid: string) => exported(cli, kid))
  keys
    .command('import')
    .description('Add a signing key of another machine.')
    .argument('[file]', 'a file that holds it; - reads standard input', '-')
    .addHelpText('after', '\nExample:\n  valetkey keys import signing-key')
    .action((file: string) => imported(cli, file))
}

function graceOf(text: string): Seconds {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

async function list(cli: Cli): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    const lines = await linesOf(cli, data)
    await cli.terminal.result({ keys: lines }, () => table(cli, lines))
  })
}

const linesOf = async (cli: Cli, data: DataFolder): Promise<readonly CountedSigningKey[]> =>
  countedSigningKeys((await data.keyring()).records(), await data.ledger(), cli.shell.now())

const STATUS_STYLES = { active: 'green', retiring: 'yellow', revoked: 'red' } as const

function table(cli: Cli, lines: readonly CountedSigningKey[]): string {
  const { paint } = cli.terminal
  const now = cli.shell.now()
  return cli.terminal.table<CountedSigningKey>(
    [
      { title: 'KID', value: ({ kid }) => kid },
      { title: 'KIND', value: ({ kind }) => kind },
      {
        title: 'STATUS',
        value: ({ status }) => status,
        paint: (cell, { status }) => paint(STATUS_STYLES[status], cell),
      },
      { title: 'SECRET', value: ({ secret }) => secret },
      {
        title: 'CREATED',
        value: ({ createdAt }) => (createdAt === undefined ? '-' : formatTime(createdAt)),
      },
      {
        title: 'GRACE ENDS',
        value: ({ graceEnds }) =>
          graceEnds === undefined
            ? '-'
            : `${formatTime(graceEnds)} (${relativeTime(graceEnds, now)})`,
      },
      { title: 'KEYS ISSUED', value: ({ issued }) => String(issued), align: 'right' },
      { title: 'STILL VALID', value: ({ live }) => String(live), align: 'right' },
    ],
    lines,
  )
}

async function rotated(cli: Cli, { grace }: GraceFlags): Promise<void> {
  await cli.withData({ make: true }, async (data) => {
    const record = await rotate(await data.signingKeys(), grace)
    await cli.terminal.result(record, () => `${record.kid} signs new keys from now on\n`)
  })
}

async function retired(cli: Cli, kid: string, { grace }: GraceFlags): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    const entry = await retire(kid, await data.signingKeys(), grace)
    const until = entry.graceEnds === undefined ? 'its grace ends' : formatTime(entry.graceEnds)
    await cli.terminal.result(entry, () => `${printable(kid)} verifies until ${until}\n`)
  })
}

async function revoked(cli: Cli, kid: string, { yes }: { readonly yes?: true }): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    if (!yes) {
      const live = (await linesOf(cli, data)).find((line) => line.kid === kid)?.live ?? 0
      const what = `${live} keys that were minted here and are still valid`
      await cli.terminal.confirm(
        `Revoke ${printable(kid)}, and with it every key minted with it, among them ${what}?`,
      )
    }
    const entry = await revokeSigningKey(kid, await data.signingKeys())
    await cli.terminal.result(entry, () => `revoked ${printable(kid)} and all keys under it\n`)
  })
}

async function exported(cli: Cli, kid: string): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    const signingKey = await exportSigningKey(kid, await data.signingKeys())
    cli.terminal.note(
      'This is a secret: whoever has it mints any key. Keep it where only you read.',
    )
    await cli.terminal.result({ kid, signingKey }, () => `${signingKey}\n`)
  })
}

async function imported(cli: Cli, file: string): Promise<void> {
  const { stdin } = cli.shell
  const text = file === '-' ? await textOf(stdin) : readFileSync(cli.resolve(file), 'utf8')
  await cli.withData({ make: true }, async (data) => {
    const kid = await importSigningKey(text, await data.signingKeys()).catch(explainTaken)
    await cli.terminal.result({ kid }, () => `imported ${kid}: it signs and verifies from now on\n`)
  })
}

function explainTaken(error: unknown): never {
  if (!(error instanceof IdTaken)) throw error
  throw new Failure(
    `there is a signing key ${error.id} here already, or there was: nothing was changed`,
  )
}
