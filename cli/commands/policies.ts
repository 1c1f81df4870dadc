import type { Command } from 'commander'
import type { NarrowOptions } from '../../issuer/options.ts'
import { type PlanOptions, removeRule, setPlan, setPolicy, showRule } from '../../issuer/rules.ts'
import { describe } from '../../key/inspect.ts'
import { describePlan } from '../../key/plan.ts'
import { formatTime } from '../../key/units.ts'
import type { Rule } from '../../ledger/ledger.ts'
import type { Cli } from '../cli.ts'
import { printable } from '../format.ts'
import { addRestrictions, byFlags, repeated, restrictionsStated } from '../restrictions.ts'
import type { Column } from '../table.ts'

interface PolicyFlags {
  readonly path?: readonly string[]
  readonly overwrite: boolean
}

export function addPolicies(program: Command, cli: Cli): void {
  const policies = program
    .command('policies')
    .description('Stored policies: restrictions that keys name, and that can be changed later.')
    .addHelpText(
      'after',
      '\nExample:\n  valetkey policies set partners --method GET --ip 10.0.0.0/8',
    )
  const set = policies
    .command('set')
    .description('Store a policy, or put another in its place: keys that name it follow at once.')
    .argument('<name>', '1 to 64 of A-Z a-z 0-9 _ -')
    .option('--path <scope>', 'only this object or prefix; repeatable', repeated)
    .option('--no-overwrite', 'uploads may only create')
  addRestrictions(set)
    .addHelpText('after', '\nExample:\n  valetkey policies set partners --expires 2027-01-01')
    .action((name: string, flags: PolicyFlags) => put(cli, name, flags))
  addCommon(policies, cli, 'policy')
}

export function addPlans(program: Command, cli: Cli): void {
  const plans = program
    .command('plans')
    .description('Usage plans: how many requests and bytes keys may use in which time.')
    .addHelpText('after', '\nExample:\n  valetkey plans set free --rate 10/s --requests 1000')
  plans
    .command('set')
    .description('Store a usage plan, or put another in its place.')
    .argument('<name>', '1 to 64 of A-Z a-z 0-9 _ -')
    .option('--rate <rate>', 'requests: 10/s, 600/m, 1000/h')
    .option('--burst <count>', 'requests that may come at once (default: as many as the rate has)')
    .option('--requests <count>', 'requests of a period')
    .option('--bytes <size>', 'of content in a period')
    .option('--period <period>', 'day, week or month, in UTC (default: day)')
    .option('--per <what>', 'counted per key, subject or signing-key (default: key)')
    .addHelpText(
      'after',
      '\nExample:\n  valetkey plans set free --bytes 1GiB --period month --per subject',
    )
    .action((name: string, flags: PlanOptions) => putPlan(cli, name, flags))
  addCommon(plans, cli, 'plan')
}

function addCommon(parent: Command, cli: Cli, kind: 'policy' | 'plan'): void {
  const group = parent.name()
  parent
    .command('list')
    .description(`List the ${group}.`)
    .addHelpText('after', `\nExample:\n  valetkey ${group} list`)
    .action(() => list(cli, kind))
  parent
    .command('show')
    .description(`Show a ${kind}.`)
    .argument('<name>')
    .addHelpText('after', `\nExample:\n  valetkey ${group} show free`)
    .action((name: string) => show(cli, kind, name))
  parent
    .command('remove')
    .description(`Remove a ${kind}: keys that name it are refused from then on.`)
    .argument('<name>')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', `\nExample:\n  valetkey ${group} remove free --yes`)
    .action((name: string, flags: { readonly yes?: true }) => remove(cli, kind, name, flags))
}

async function put(cli: Cli, name: string, flags: PolicyFlags): Promise<void> {
  const options: NarrowOptions = {
    ...restrictionsStated({ ...flags }),
    ...(flags.path && { path: flags.path }),
    ...(!flags.overwrite && { overwrite: false }),
  }
  await stored(cli, (context) => setPolicy(name, options, context))
}

const putPlan = (cli: Cli, name: string, flags: PlanOptions): Promise<void> =>
  stored(cli, (context) => setPlan(name, { ...flags }, context))

async function stored(
  cli: Cli,
  set: (context: Parameters<typeof setPlan>[2]) => Promise<Rule>,
): Promise<void> {
  await cli.withData({ make: true }, async (data) => {
    try {
      const rule = await set({ ledger: await data.acts(), now: cli.shell.now() })
      await cli.terminal.result(rule, () => `${lines(cli, rule)}`)
    } catch (error) {
      throw byFlags(error)
    }
  })
}

async function list(cli: Cli, kind: 'policy' | 'plan'): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    const rules: readonly Rule[] = await (await data.ledger()).rules(kind)
    const columns: readonly Column<Rule>[] = [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'CHANGED', value: ({ changedAt }) => formatTime(changedAt) },
      { title: 'SAYS', value: (rule) => says(cli, rule).join('; ') || '-', fit: 'wrap' },
    ]
    await cli.terminal.result({ [kind === 'policy' ? 'policies' : 'plans']: rules }, () =>
      cli.terminal.table(columns, rules),
    )
    if (rules.length === 0) cli.terminal.note('None is stored here.')
  })
}

async function show(cli: Cli, kind: 'policy' | 'plan', name: string): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    const rule: Rule = await showRule(kind, name, { ledger: await data.ledger() })
    await cli.terminal.result(rule, () => lines(cli, rule))
  })
}

async function remove(
  cli: Cli,
  kind: 'policy' | 'plan',
  name: string,
  { yes }: { readonly yes?: true },
): Promise<void> {
  await cli.withData({ make: false }, async (data) => {
    if (!yes) {
      await cli.terminal.confirm(`Remove the ${kind} ${printable(name)}, and refuse its keys?`)
    }
    await removeRule(kind, name, { ledger: await data.acts() })
    await cli.terminal.result({ removed: name }, () => `removed ${printable(name)}\n`)
  })
}

const lines = (cli: Cli, rule: Rule): string =>
  [rule.name, ...says(cli, rule).map((line) => `  ${line}`)].map((line) => `${line}\n`).join('')

const says = (cli: Cli, rule: Rule): readonly string[] =>
  rule.kind === 'plan'
    ? describePlan(rule.plan)
    : describe(rule.claims, cli.shell.now()).map(printable)
