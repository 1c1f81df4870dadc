/** Commands are loaded when they are named: the table that names them says what they are. */
import { Command } from 'commander'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Cli } from '../../../cli/cli.ts'
import { COMMANDS } from '../../../cli/commands/index.ts'
import { processShell } from '../../../cli/shell.ts'
import { CommandLine } from './command-line.ts'

let line: CommandLine
beforeEach(() => {
  line = new CommandLine()
})
afterEach(() => line.remove())

it('adds of each name the command of that name, and no other', async () => {
  expect(COMMANDS.size).toBeGreaterThan(20)
  for (const [name, load] of COMMANDS) {
    const program = new Command()
    const add = await load()
    add(program, new Cli(processShell(), program))
    expect(program.commands.map((command) => command.name())).toEqual([name])
  }
})

it.each([
  [['--help'], 0, /^ {2}serve [\s\S]*^ {2}doctor /m],
  [['help', 'mint'], 0, /^Usage: valetkey mint/],
  [['--json', 'mint', '--help'], 0, /^Usage: valetkey mint/],
  [['--data', 'serve', 'mint', '--help'], 0, /^Usage: valetkey mint/],
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/],
])('%j is answered', async (args, code, text) => {
  const done = await line.run(args)
  expect([done.code, done.stderr]).toEqual([code, ''])
  expect(done.stdout).toMatch(text)
})

it.each([
  [['put', '-', 'demo/'], 'put'],
  [['--data', 'mint', 'keys', 'create', '--kind', 's3', '--expires', 'soon'], 'keys create'],
  [['ls', '--data', ''], 'ls'],
])('%j names the command whose help there is', async (args, name) => {
  const { code, stderr } = await line.run(args)
  expect([code, stderr.split('\n').at(-2)]).toEqual([2, `See valetkey ${name} --help.`])
})

it.each([
  [['mnit'], /Did you mean mint\?/],
  [['constructor'], /unknown command 'constructor'/],
  [['--data'], /--data <dir>' argument missing/],
  [['--bogus', 'mint'], /unknown option '--bogus'/],
  [[], /^Usage: valetkey/],
])('%j is wrong usage', async (args, text) => {
  const done = await line.run(args)
  expect([done.code, done.stdout]).toEqual([2, ''])
  expect(done.stderr).toMatch(text)
})
