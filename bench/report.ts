/** What was found, as text, as JSON, and as the small table of the documentation. */
import { readFileSync, writeFileSync } from 'node:fs'
import { ENGINES } from './anchors/engines.ts'
import { figure, range } from './figures.ts'
import { type Finding, GOALS, type Goal, type GoalName, verdictOf } from './goals.ts'
import { describeMachine, type Machine } from './machine.ts'
import type { Table } from './row.ts'

const names = Object.keys(GOALS) as GoalName[]

/** Columns aligned, figures to the right. */
export function asText({ columns, lines }: Table): string {
  const all = [columns, ...lines]
  const widths = columns.map((_, n) => Math.max(...all.map((line) => (line[n] ?? '').length)))
  return all
    .map((line) =>
      line
        .map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const limit = (value: number, { better, unit }: Goal): string =>
  `${better === 'less' ? '≤' : '≥'} ${figure(value)} ${unit}`

const measured = ({ goal, value, least, most }: Finding): string => {
  const spread = least === undefined || most === undefined ? '' : ` (${range({ least, most })})`
  return `${figure(value)} ${GOALS[goal].unit}${spread}`
}

const WORDS = { goal: 'goal met', must: 'must met', missed: 'missed' } as const

/** Every goal, also those of which nothing is known yet. */
export function goalTable(findings: readonly Finding[]): Table {
  return {
    columns: ['work', 'measured (min–max)', 'must', 'goal', ''],
    lines: names.map((name) => {
      const goal: Goal = GOALS[name]
      const finding = findings.find((one) => one.goal === name)
      return [
        goal.work,
        finding ? measured(finding) : `not measured: ${goal.row}`,
        limit(goal.must, goal),
        limit(goal.goal, goal),
        finding ? WORDS[verdictOf(finding)] : '',
      ]
    }),
  }
}

const BEGIN = '<!-- bench: written by `npm run bench -- --save` -->'
const END = '<!-- bench: end -->'

/**
 * Puts the table where the page has room for it. Lines of rows that did not run stay, with their
 * date, if they are of this machine and these programs.
 * @throws Error where the page has no such place
 */
export function save(
  page: string,
  machine: Machine,
  findings: readonly Finding[],
  date: string,
): void {
  const text = readFileSync(page, 'utf8')
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`${page} lacks the lines "${BEGIN}" and "${END}"`)
  const before = text.slice(start, end)
  const of = describeMachine(withoutEngines(machine))
  const kept = before.includes(of) ? before.split('\n').filter((line) => line.startsWith('| ')) : []
  const lines = names.flatMap((name) => {
    const { work } = GOALS[name]
    const finding = findings.find((one) => one.goal === name)
    return finding
      ? [lineOf(finding, machine, date)]
      : kept.filter((line) => line.startsWith(`| ${work} |`))
  })
  const table = [
    BEGIN,
    '',
    `On ${of}.`,
    '',
    '| work | measured (min–max) | must | goal | | date, commit |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
  writeFileSync(page, text.slice(0, start) + table + text.slice(end))
}

/** Whether a whole S3 engine is on the PATH matters to its own line alone, which names it. */
const withoutEngines = (machine: Machine): Machine => ({
  ...machine,
  programs: Object.fromEntries(
    Object.entries(machine.programs).filter(([name]) => !ENGINES.some((engine) => engine === name)),
  ),
})

function lineOf(finding: Finding, { commit, programs }: Machine, date: string): string {
  const goal: Goal = GOALS[finding.goal]
  const beside = finding.beside?.map((name) => `${name} ${programs[name]}`).join(', ')
  const cells = [
    goal.work,
    measured(finding),
    limit(goal.must, goal),
    limit(goal.goal, goal),
    WORDS[verdictOf(finding)],
    `${date}, at ${commit}${beside === undefined ? '' : `, beside ${beside}`}`,
  ]
  return `| ${cells.join(' | ')} |`
}
