import type { Command } from 'commander'
import { type RevocationTarget, revoke as revokeTarget } from '../../issuer/revoke.ts'
import { revokeSigningKey } from '../../issuer/signing-keys.ts'
import { parseScope } from '../../key/object-path.ts'
import {
  formatTime,
  parseDuration,
  parseTime,
  type UnixSeconds,
  unixSeconds,
} from '../../key/units.ts'
import type { Revocation } from '../../ledger/ledger.ts'
import type { Cli } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { printable } from '../format.ts'
import { isMintedHere, NOT_MINTED_HERE } from '../minted-here.ts'
import { repeated } from '../restrictions.ts'

interface Flags {
  readonly subject?: readonly string[]
  readonly path?: readonly string[]
  readonly signingKey?: readonly string[]
  readonly mintedBefore?: string
  readonly reason?: string
}

const ID = /^[A-Za-z0-9_-]{1,64}$/

export function addRevoke(program: Command, cli: Cli): void {
  program
    .command('revoke')
    .description('Revoke keys: at once, and on transfers that run.')
    .argument('[id|url...]', 'ids, links or keys')
    .option('--subject <text>', 'all keys for this subject; repeatable', repeated)
    .option('--path <scope>', 'all keys for what lies at or under this; repeatable', repeated)
    .option('--signing-key <kid>', 'all keys under this signing key; repeatable', repeated)
    .option(
      '--minted-before <time>',
      'of these (alone: of all) those minted before a date-time, or longer ago than a duration',
    )
    .option('--reason <text>', 'why, for whoever asks later')
    .addHelpText('after', '\nExample:\n  valetkey revoke --subject ann --reason "left the company"')
    .action((ids: readonly string[], flags: Flags) => revoke(cli, ids, flags))
}

async function revoke(cli: Cli, ids: readonly string[], flags: Flags): Promise<void> {
  const now = cli.shell.now()
  const targets = [...ids.map(oneKey), ...groupsOf(flags, now)]
  const kids = flags.signingKey ?? []
  checkCombination(ids, kids, targets, flags)
  await cli.withData({ make: false }, async (data) => {
    const reason = flags.reason === undefined ? {} : { reason: flags.reason }
    const context = { ledger: await data.acts(), keyring: await data.keyring(), now, ...reason }
    const revoked: Revocation[] = []
    for (const target of targets) revoked.push(await revokeTarget(target, context))
    for (const kid of kids) await revokeSigningKey(kid, await data.signingKeys())
    const notMintedHere: string[] = []
    for (const target of targets) {
      if (!('id' in target) || (await isMintedHere(target.id, context.ledger))) continue
      notMintedHere.push(target.id)
    }
    await cli.terminal.result(
      { revoked, signingKeys: kids, ...(notMintedHere.length > 0 && { notMintedHere }) },
      () => report(revoked, kids),
    )
    for (const id of notMintedHere) cli.terminal.warn(`${printable(id)}: ${NOT_MINTED_HERE}`)
  })
}

const oneKey = (text: string): RevocationTarget => (ID.test(text) ? { id: text } : { url: text })

function checkCombination(
  ids: readonly string[],
  kids: readonly string[],
  targets: readonly RevocationTarget[],
  { mintedBefore }: Flags,
): void {
  if (targets.length + kids.length === 0) {
    throw new UsageError(
      'say what to revoke: an id, a link, --subject, --path, --signing-key or --minted-before',
    )
  }
  if (mintedBefore !== undefined && ids.length + kids.length > 0) {
    throw new UsageError(
      'ids and signing keys are revoked as a whole: --minted-before is for --subject, --path, or alone',
    )
  }
}

function groupsOf(flags: Flags, now: UnixSeconds): readonly RevocationTarget[] {
  const { subject = [], path = [] } = flags
  const before =
    flags.mintedBefore === undefined ? undefined : momentBefore(flags.mintedBefore, now)
  const upTo = before === undefined ? {} : { mintedBefore: before }
  const groups = [
    ...subject.map((text) => ({ subject: text, ...upTo })),
    ...path.map((text) => ({ path: parseScope(text), ...upTo })),
  ]
  return groups.length === 0 && before !== undefined ? [{ mintedBefore: before }] : groups
}

/** `2h` is two hours ago here: what was minted lies in the past. */
function momentBefore(text: string, now: UnixSeconds): UnixSeconds {
  try {
    const isDuration = /^[\dwdhms]+$/.test(text)
    const moment = isDuration
      ? unixSeconds(Math.max(0, now - parseDuration(text)))
      : parseTime(text, now)
    if (moment <= now) return moment
  } catch (error) {
    throw new UsageError(`--minted-before: ${printable((error as Error).message)}`)
  }
  throw new UsageError('--minted-before lies in the future; what was minted lies in the past')
}

const report = (revoked: readonly Revocation[], kids: readonly string[]): string =>
  [...revoked.map(inWords), ...kids.map((kid) => `the signing key ${kid} and all keys under it`)]
    .map((what) => `revoked ${printable(what)}\n`)
    .join('')

function inWords({ kind, value, mintedUpTo }: Revocation): string {
  const upTo = mintedUpTo === undefined ? '' : ` minted until ${formatTime(mintedUpTo)}`
  return {
    id: `the key ${value}`,
    subject: `the keys for "${value}"${upTo}`,
    path: `the keys for ${value}${upTo}`,
    everything: `all keys${upTo}`,
  }[kind]
}
