import type { Command } from 'commander'
import { Policies } from '../../gateway/policies.ts'
import { NOT_BEFORE_LEEWAY } from '../../key/clear.ts'
import { countersOf } from '../../key/counters.ts'
import { type InspectedKey, inspectKey, scopesOfAll } from '../../key/inspect.ts'
import { keyOf } from '../../key/link.ts'
import type { ObjectPath, Prefix } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import { formatTime, type UnixSeconds } from '../../key/units.ts'
import type { Revocation } from '../../ledger/ledger.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { printable } from '../format.ts'

/** Whether the gateway over this data folder would honour the key now, for what it grants. */
type Verdict =
  | { readonly honoured: true }
  | { readonly honoured: false; readonly code: string; readonly why: string }

export function addInspect(program: Command, cli: Cli): void {
  program
    .command('inspect')
    .description('Say what a key allows, block by block, and whether it would be honoured here.')
    .argument('<url|key>', 'a link with its key, or the key alone')
    .addHelpText('after', "\nExample:\n  valetkey inspect 'https://…?vk=vk1.…'")
    .action((text: string) => inspect(cli, text))
}

async function inspect(cli: Cli, text: string): Promise<void> {
  const { key } = keyOf(text)
  const inspected = inspectKey(key, cli.shell.now())
  const verdict = cli.hasData
    ? await cli.withData({ make: false }, async (data) =>
        judged(data, key, (await data.clock()).now()),
      )
    : undefined
  await cli.terminal.result({ ...inspected, ...verdict }, () => report(cli, inspected, verdict))
}

async function judged(data: DataFolder, key: string, now: UnixSeconds): Promise<Verdict> {
  try {
    const stated = await data.verify(key, now)
    const grant = await new Policies(await data.ledger()).inForce(stated)
    const why = (await revoked(data, grant)) ?? outOfTime(grant, now) ?? (await usedUp(data, grant))
    return why === undefined ? { honoured: true } : refused(why)
  } catch (error) {
    if (error instanceof Refusal) return refused(error)
    throw error
  }
}

const refused = ({ code, detail }: Refusal): Verdict => ({ honoured: false, code, why: detail })

/** A revocation of a path hits what is done there: the key is revoked when all it covers is. */
async function revoked(data: DataFolder, grant: Grant): Promise<Refusal | undefined> {
  const ledger = await data.ledger()
  let found: Revocation | undefined
  for (const scope of scopesOfAll(grant.blocks)) {
    const path = (scope === '/' ? '' : scope) as ObjectPath | Prefix
    found = await ledger.revocationOf({ ...grant, path })
    if (found === undefined) return undefined
  }
  return found && new Refusal('key_revoked', describeRevocation(found))
}

function describeRevocation({ kind, revokedAt, reason }: Revocation): string {
  const what = { id: 'it', subject: 'its subject', path: 'its path', everything: 'all' }[kind]
  const why = reason === undefined ? '' : ` (${reason})`
  return `${what} was revoked at ${formatTime(revokedAt)}${why}`
}

function outOfTime({ expires, blocks }: Grant, now: UnixSeconds): Refusal | undefined {
  if (now >= expires) return new Refusal('key_expired', `it expired at ${formatTime(expires)}`)
  const from = Math.max(0, ...blocks.flatMap(({ nbf }) => nbf ?? [])) as UnixSeconds
  if (now >= from - NOT_BEFORE_LEEWAY) return undefined
  return new Refusal('key_not_yet_valid', `it is valid from ${formatTime(from)} on`)
}

async function usedUp(data: DataFolder, grant: Grant): Promise<Refusal | undefined> {
  const ledger = await data.ledger()
  const { uses = [], bytes = [], files = [] } = countersOf(grant) ?? {}
  for (const { id, most } of uses) {
    const used = await ledger.usesOf(id)
    if (used >= most) return new Refusal('uses_exhausted', `${used} of ${most} uses are counted`)
  }
  for (const [code, counters] of [
    ['bytes_exhausted', bytes],
    ['files_exhausted', files],
  ] as const) {
    for (const { id, most } of counters) {
      if ((await ledger.takenOf(id)) >= most) return new Refusal(code, `all ${most} are used`)
    }
  }
  return undefined
}

function report(cli: Cli, { blocks }: InspectedKey, verdict: Verdict | undefined): string {
  const { paint } = cli.terminal
  const described = blocks.flatMap(({ says }, index) => [
    paint('bold', index === 0 ? 'The key' : `Narrowed, block ${index}`),
    ...says.map((sentence) => `  ${printable(sentence)}`),
  ])
  return `${[...described, conclusion(cli, verdict)].join('\n')}\n`
}

function conclusion(cli: Cli, verdict: Verdict | undefined): string {
  const { paint } = cli.terminal
  const where = printable(cli.label(cli.dataPath))
  if (verdict === undefined) {
    return paint(
      'dim',
      `There is no data folder at ${where}, so nobody can say whether it is ours.`,
    )
  }
  if (verdict.honoured) return paint('green', `Honoured now by the gateway over ${where}.`)
  return paint('red', `Not honoured by the gateway over ${where}: ${printable(verdict.why)}.`)
}
