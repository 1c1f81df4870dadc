/** The documentation names what there is: neither more nor less. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { buildProgram } from '../../../cli/program.ts'
import { SETTINGS } from '../../../cli/settings/schema.ts'
import { processShell } from '../../../cli/shell.ts'

const doc = (name: string) => readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8')

describe('docs/configuration.md', () => {
  const rows = [...doc('configuration.md').matchAll(/^\| `(\S+)` \| (.+?) \| `(\S+)` \| .+ \|$/gm)]

  it('names every setting with its variable, and no other', () => {
    const documented = rows.map(([, name, , variable]) => [name, variable])
    expect(documented).toEqual(SETTINGS.map(({ name, variable }) => [name, variable]))
  })

  it('states the defaults that are in force', () => {
    const stated = Object.fromEntries(rows.map(([, name, text]) => [name, text]))
    const inForce = SETTINGS.filter((setting) => setting.default !== undefined)
    expect(inForce.length).toBeGreaterThan(10)
    for (const { name, default: value } of inForce) {
      const text = Array.isArray(value) ? JSON.stringify(value) : String(value)
      expect([name, stated[name]]).toEqual([name, text === '' ? 'empty' : `\`${text}\``])
    }
  })
})

const program = await buildProgram(processShell())
const nameOf = (command: Command): string =>
  command.parent === null || command.parent === program
    ? command.name()
    : `${command.parent.name()} ${command.name()}`
const everyCommand = (command: Command): readonly Command[] =>
  command.commands.flatMap((child) => [child, ...everyCommand(child)])
const commands = everyCommand(program)

/** The section on a command, or on the group that it belongs to. */
function sectionOf(command: Command): string {
  const [first = ''] = nameOf(command).split(' ')
  const section = doc('cli.md')
    .split(/^## /m)
    .slice(1)
    .find((text) => (text.split('\n')[0] ?? '').split(/, ?/).includes(first))
  return section ?? `no section on ${first}`
}

describe('docs/cli.md', () => {
  it.each(commands.map((command) => [nameOf(command), command] as const))(
    'has a section on %s with all its options',
    (name, command) => {
      const section = sectionOf(command)
      expect(section).toContain(name)
      for (const { long } of command.options) expect(section).toMatch(new RegExp(`\`${long}\\b`))
    },
  )

  it('names the global options, and no option that there is not', () => {
    const known = new Set(
      [program, ...commands].flatMap(({ options }) => options.map((o) => o.long)),
    )
    for (const option of program.options) expect(doc('cli.md')).toContain(`\`${option.long}`)
    const named = doc('cli.md').match(/(?<=[`\s])--[a-z][a-z0-9-]+/g) ?? []
    expect(named.filter((option) => option !== '--help' && !known.has(option))).toEqual([])
  })
})

describe('examples/', () => {
  it.each(['systemd/valetkey.service', 'kubernetes/valetkey.yaml', 'compose/docker-compose.yml'])(
    '%s sets variables that there are',
    (name) => {
      const text = readFileSync(join(import.meta.dirname, '../../../examples', name), 'utf8')
      const known = [...SETTINGS.map(({ variable }) => variable), 'VALETKEY_DATA']
      const named = text.match(/\bVALETKEY_[A-Z_]+(?=[=:,])/g) ?? []
      expect(named.length).toBeGreaterThan(0)
      const others = named.filter((variable) => !known.includes(variable))
      expect(others.filter((variable) => variable !== 'VALETKEY_SIGNING_KEY')).toEqual([])
    },
  )
})

describe('--help', () => {
  it.each(commands.map((command) => [nameOf(command), command] as const))(
    'of %s says what it does, with an example',
    (name, command) => {
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) })
      command.outputHelp()
      expect(help).toContain(command.description().slice(0, 20))
      expect(help).toMatch(new RegExp(`\\nExample:\\n {2}valetkey ${name}`))
      expect(help).toContain('--json')
    },
  )
})
