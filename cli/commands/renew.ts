/** What can be done with a key that is in use: its link stays, unless it is replaced. */
import type { Command } from 'commander'
import { type AmendContext, amend, type Change, replaced, replacement } from '../../issuer/amend.ts'
import { timeOf } from '../../issuer/option-values.ts'
import { formatTime, type UnixSeconds } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { UsageError } from '../failure.ts'
import { printable, relativeTime } from '../format.ts'
import { isMintedHere, NOT_MINTED_HERE } from '../minted-here.ts'
import { byFlags } from '../restrictions.ts'

const ID = 'the id of the key: see valetkey issued'

export function addRenew(program: Command, cli: Cli): void {
  program
    .command('renew')
    .description('Let a key end later, or sooner; its link stays. Later: if minted --renewable.')
    .argument('<id>', ID)
    .requiredOption('--expires <time>', 'a duration from now (7d) or a date-time')
    .addHelpText('after', '\nExample:\n  valetkey renew invoice-17 --expires 7d')
    .action((id: string, { expires }: { readonly expires: string }) => change(cli, id, { expires }))
}

export function addPause(program: Command, cli: Cli): void {
  program
    .command('pause')
    .description('Refuse a key until it is resumed, also on transfers that run.')
    .argument('<id>', ID)
    .addHelpText('after', '\nExample:\n  valetkey pause invoice-17')
    .action((id: string) => change(cli, id, { paused: true }))
}

export function addResume(program: Command, cli: Cli): void {
  program
    .command('resume')
    .description('Honour a paused key again.')
    .argument('<id>', ID)
    .addHelpText('after', '\nExample:\n  valetkey resume invoice-17')
    .action((id: string) => change(cli, id, { paused: false }))
}

export function addReplace(program: Command, cli: Cli): void {
  program
    .command('replace')
    .description('Revoke a key, and mint another one with the same claims: a new link.')
    .argument('<id>', ID)
    .option('--expires <time>', 'when the new one ends (default: as the old one)')
    .addHelpText('after', '\nExample:\n  valetkey replace invoice-17')
    .action((id: string, flags: { readonly expires?: string }) => replace(cli, id, flags))
}

const contextOf = async (cli: Cli, data: DataFolder): Promise<AmendContext> => ({
  ledger: await data.acts(),
  now: cli.shell.now(),
  maxLife: cli.settings().issuer.maxExpires,
})

async function change(cli: Cli, id: string, asked: Change): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    try {
      const { claims, paused } = await amend(id, asked, await contextOf(cli, data))
      const mintedHere = await isMintedHere(id, await data.ledger())
      const end = claims.exp as UnixSeconds | undefined
      const until = end === undefined ? 'its end' : whenOf(end, cli)
      const said = paused
        ? `${printable(id)} is paused; go on with: valetkey resume ${printable(id)}`
        : `${printable(id)} is honoured until ${until}`
      await cli.terminal.result({ id, claims, paused, mintedHere }, () =>
        mintedHere ? `${said}\n` : `${ofOthers(id, paused, until)}\n`,
      )
    } catch (error) {
      throw byFlags(error)
    }
  })
}

/** Whether there is such a key, and until when it was signed, nobody knows here. */
function ofOthers(id: string, paused: boolean, until: string): string {
  const what = paused ? 'it is paused, if there is one' : `at most until ${until}, if there is one`
  return `${printable(id)}: ${NOT_MINTED_HERE}; ${what}`
}

const whenOf = (time: UnixSeconds, cli: Cli): string =>
  `${formatTime(time)} (${relativeTime(time, cli.shell.now())})`

async function replace(cli: Cli, id: string, flags: { readonly expires?: string }): Promise<void> {
  const now = cli.shell.now()
  const end = flags.expires === undefined ? undefined : endOf(flags.expires, now)
  await cli.withData({ make: false }, async (data) => {
    const ledger = await data.acts()
    const keyring = await data.keyring()
    const { issuer, publicUrl } = cli.settings()
    const minted = await replacement(id, end, {
      ledger,
      keyring,
      now,
      maxLife: issuer.maxExpires,
      publicUrl: publicUrl[0] ?? '',
    }).catch((error) => {
      throw byFlags(error)
    })
    await replaced(id, minted, { ledger, keyring, now, by: 'cli' })
    const { claims: _, ...shown } = minted
    await cli.terminal.result(shown, () => `${minted.url}\n`)
    cli.terminal.note(
      `${printable(id)} is revoked; the new one, ${minted.id}, is for ${whenOf(minted.expires, cli)}`,
    )
  })
}

function endOf(text: string, now: UnixSeconds): UnixSeconds {
  try {
    return timeOf(text, now)
  } catch (error) {
    throw new UsageError(`--expires ${printable((error as Error).message)}`)
  }
}
