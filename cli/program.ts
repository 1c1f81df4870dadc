/** The program: its commands, its global options, and the one place where a command's end becomes an exit code. */
import { Command, CommanderError } from 'commander'
import { Cli } from './cli.ts'
import { COMMANDS } from './commands/index.ts'
import { describe, exitCodeOf, OutputClosed, UsageError } from './failure.ts'
import type { Shell } from './shell.ts'
import { programVersion } from './version.ts'

/**
 * Runs one command line.
 * @param args what stands behind the program's name
 * @returns the exit code: 0 done, 1 refused or failed, 2 wrong usage
 */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  const { program, cli } = withoutCommands(shell)
  try {
    const [named = ''] = program.parseOptions([...args]).operands
    await addCommands(program, cli, COMMANDS.has(named) ? [named] : ALL)
    await program.parseAsync(args, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    // commander has said what it had to say
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof OutputClosed)) shell.stderr.write(`valetkey: ${describe(error)}\n`)
    if (error instanceof UsageError) {
      shell.stderr.write(`See valetkey ${namesOf(program, args).join(' ')} --help.\n`)
    }
    if (shell.env.VALETKEY_DEBUG && error instanceof Error) shell.stderr.write(`${error.stack}\n`)
    return exitCodeOf(error)
  }
}

/** The command that these arguments call, with the group that it is in. */
function namesOf(program: Command, args: readonly string[]): readonly string[] {
  const names: string[] = []
  let group: Command | undefined = program
  for (const operand of program.parseOptions([...args]).operands) {
    group = group.commands.find((command) => command.name() === operand)
    if (group === undefined) break
    names.push(operand)
  }
  return names
}

const ALL = [...COMMANDS.keys()]

/** The program with every command. */
export async function buildProgram(shell: Shell): Promise<Command> {
  const { program, cli } = withoutCommands(shell)
  await addCommands(program, cli, ALL)
  return program
}

/** A command costs time and memory where it is not the one that runs: `serve` holds it for months. */
async function addCommands(program: Command, cli: Cli, names: readonly string[]): Promise<void> {
  const adds = await Promise.all(names.map((name) => COMMANDS.get(name)?.()))
  for (const add of adds) add?.(program, cli)
}

function withoutCommands(shell: Shell): { readonly program: Command; readonly cli: Cli } {
  const program = new Command('valetkey')
    .description('Signed URLs for your own files: mint keys, serve what they allow.')
    .option('--data <dir>', 'data folder (default: ./storage-data, or VALETKEY_DATA)')
    .option('--config <file>', 'settings (default: DATA/valetkey.toml, or VALETKEY_CONFIG)')
    .option('--json', 'print results as JSON')
    .version(programVersion(), '--version', 'print the version')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('See valetkey --help.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
      outputError: (text, write) => write(`valetkey: ${text.replace(/^error: /, '')}`),
    })
  return { program, cli: new Cli(shell, program) }
}
