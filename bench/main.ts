/** `npm run bench -- [names…]`: measures the gateway beside what a user would pick instead. */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Bench } from './bench.ts'
import { build, CHECKOUT } from './build.ts'
import type { Finding } from './goals.ts'
import { lock } from './lock.ts'
import { busyShare, describeMachine, lookAround, type Machine, QUIET } from './machine.ts'
import { asText, goalTable, save } from './report.ts'
import type { Row, Section } from './row.ts'
import { choose, ROWS } from './rows.ts'

const HELP = `npm run bench -- [names…] [options]

Names; one may be cut short, so that "get" means all reads:
${ROWS.map(({ name, title, slow }) => `  ${name.padEnd(10)} ${title}${slow ? ' (slow: only when named)' : ''}`).join('\n')}
  all        everything

Options:
  --rounds N    how often everything is run, in turn (default 3)
  --seconds N   of load in each run (default 2)
  --folder DIR  where data lies, on a real disk (default .cache/bench)
  --json        print the results as JSON
  --save        keep the goals' lines in docs/performance.md
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    folder: { type: 'string', default: join(CHECKOUT, '.cache/bench') },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

interface Outcome {
  readonly row: string
  readonly title: string
  readonly section?: Section
  readonly failure?: string
}

/** Where tables go, so that JSON has stdout for itself. */
const tell = (text: string): void => {
  const stream = values.json ? process.stderr : process.stdout
  stream.write(`${text}\n`)
}

async function measured(row: Row, bench: Bench): Promise<Outcome> {
  const { name, title } = row
  tell(`\n${name}: ${title}`)
  try {
    const section = await row.run(bench)
    tell(asText(section.table))
    for (const note of section.notes ?? []) tell(note)
    return { row: name, title, section }
  } catch (error) {
    const failure = (error as Error).message
    tell(`not measured: ${failure}`)
    process.exitCode = 1
    return { row: name, title, failure }
  }
}

async function run(rows: readonly Row[], machine: Machine): Promise<readonly Outcome[]> {
  const bench = new Bench({
    machine,
    // beneath the checkout, where its modules are found
    build: build(join(CHECKOUT, '.cache/bench/build')),
    folder: resolve(values.folder, 'data'),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    tell,
  })
  const outcomes: Outcome[] = []
  try {
    for (const row of rows) outcomes.push(await measured(row, bench))
  } finally {
    await bench.close()
  }
  return outcomes
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(HELP)
  const rows = choose(positionals)
  const machine = lookAround(CHECKOUT)
  // the build is shared whatever the folder for data
  lock(join(CHECKOUT, '.cache/bench'))
  tell(`valetkey ${machine.commit} on ${describeMachine(machine)}`)
  if (machine.missing.length > 0)
    tell(`not on the PATH, and left out: ${machine.missing.join(', ')}`)
  const busy = await busyShare()
  if (busy > QUIET) {
    tell(`others keep ${Math.round(busy * 100)} % of this machine busy: figures are preliminary`)
  }
  const outcomes = await run(rows, machine)
  const findings: Finding[] = outcomes.flatMap(({ section }) => section?.findings ?? [])
  tell(`\n${asText(goalTable(findings))}`)
  const date = new Date().toISOString().slice(0, 10) + (busy > QUIET ? ', preliminary' : '')
  if (values.save) save(join(CHECKOUT, 'docs/performance.md'), machine, findings, date)
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ date, machine, outcomes, findings }, null, 2)}\n`)
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
