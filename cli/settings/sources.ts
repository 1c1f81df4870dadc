/** Where settings are written down: a TOML file, the environment, flags. Each says what it states. */
import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { printable } from '../format.ts'
import { nearest } from '../near.ts'
import { SETTINGS, type SettingName } from './schema.ts'

/** What one source states, not yet checked. */
export interface Source {
  readonly values: Readonly<Record<string, unknown>>
  /** how a person finds a setting in this source, by its path in {@link values} */
  readonly locate: (path: readonly string[]) => string
  /** what is wrong with the source itself */
  readonly mistakes: readonly string[]
}

/** @param label the file's name as the person knows it */
export function fromToml(text: string, label: string): Source {
  const locate = (path: readonly string[]) =>
    path.length === 0 ? label : `${label}: ${printable(path.join('.'))}`
  try {
    return { values: parse(text), locate, mistakes: [] }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [what = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    const where = `${label}, line ${error.line}, column ${error.column}`
    return { values: {}, locate, mistakes: [`${where}: this is not TOML: ${printable(what)}`] }
  }
}

export function fromTomlFile(file: string, label: string): Source {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'it is not UTF-8 text'
    const mistakes = [`${label} can not be read (${why})`]
    return { values: {}, locate: () => label, mistakes }
  }
  return fromToml(text, label)
}

const PREFIX = 'VALETKEY_'
/** Read elsewhere: where things are, and what is no setting of a running program. */
const NOT_SETTINGS = ['DATA', 'CONFIG', 'SIGNING_KEY', 'PASSWORD', 'DEBUG'].map(
  (name) => PREFIX + name,
)

/** Variables that are empty count as not set. Values of unknown ones are not repeated: a secret may be among them. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Source {
  const stated = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith(PREFIX) && !NOT_SETTINGS.includes(entry[0]) && Boolean(entry[1]),
  )
  const values: Record<string, unknown> = {}
  const mistakes: string[] = []
  for (const [variable, text] of stated) {
    const setting = SETTINGS.find((candidate) => candidate.variable === variable)
    if (setting === undefined) mistakes.push(unknownVariable(variable))
    else place(values, setting.path, readText(text, setting))
  }
  const variableOf = (path: readonly string[]) =>
    SETTINGS.find(({ name }) => path.join('.').startsWith(name))?.variable ?? path.join('.')
  return { values, locate: variableOf, mistakes }
}

function unknownVariable(variable: string): string {
  const known = [...SETTINGS.map((setting) => setting.variable), ...NOT_SETTINGS]
  const meant = nearest(variable, known)
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`
  return `${printable(variable)} (environment): there is no such setting${advice}`
}

function readText(text: string, { kind }: SettingName): unknown {
  if (kind === 'list') return text.split(',').map((item) => item.trim())
  if (kind === 'number') return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

/** A flag that sets a setting, such as `--gateway-listen` for `gateway.listen`. */
export interface SettingFlag {
  readonly flag: string
  readonly setting: string
  readonly value: unknown
}

export function fromFlags(flags: readonly SettingFlag[]): Source {
  const values: Record<string, unknown> = {}
  for (const { setting, value } of flags) place(values, setting.split('.'), value)
  const locate = (path: readonly string[]) =>
    flags.find(({ setting }) => setting === path.join('.'))?.flag ?? path.join('.')
  return { values, locate, mistakes: [] }
}

function place(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) values[key] = value
  else {
    values[key] ??= {}
    place(values[key] as Record<string, unknown>, rest, value)
  }
}
