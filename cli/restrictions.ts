/** The options that restrict a key: those of `mint` and of `narrow`, and what they are called there. */
import { type Command, Option } from 'commander'
import { type NarrowOptions, OptionsError } from '../issuer/options.ts'
import { UsageError } from './failure.ts'
import { printable } from './format.ts'

/** Each option's flag, what it says, and the name that `issuer/options.ts` has for it. */
interface Restriction {
  readonly flags: string
  readonly help: string
  readonly option: keyof NarrowOptions
  readonly repeatable?: true
}

const RESTRICTIONS: readonly Restriction[] = [
  {
    flags: '--method <method>',
    help: 'GET, PUT, DELETE or LIST',
    option: 'methods',
    repeatable: true,
  },
  { flags: '--expires <time>', help: 'a duration (15m) or a date-time', option: 'expires' },
  {
    flags: '--not-before <time>',
    help: 'valid from: a duration or a date-time',
    option: 'notBefore',
  },
  { flags: '--max-size <size>', help: 'largest upload (10MiB)', option: 'maxSize' },
  { flags: '--min-size <size>', help: 'smallest upload', option: 'minSize' },
  {
    flags: '--type <range>',
    help: 'media type of uploads (image/*)',
    option: 'types',
    repeatable: true,
  },
  { flags: '--sha256 <hex>', help: 'the upload has this SHA-256', option: 'sha256' },
  { flags: '--uses <count>', help: 'works this many times', option: 'uses' },
  { flags: '--once', help: 'works once', option: 'once' },
  { flags: '--bytes <size>', help: 'moves this much, up and down together', option: 'bytes' },
  { flags: '--files <count>', help: 'creates this many objects', option: 'files' },
  { flags: '--rate <size>', help: 'moves at most this much a second', option: 'rate' },
  { flags: '--policy <name>', help: 'as this stored policy allows', option: 'policy' },
  { flags: '--plan <name>', help: 'as much as this usage plan allows', option: 'plan' },
  {
    flags: '--ip <network>',
    help: 'client address or network (10.0.0.0/8)',
    option: 'ip',
    repeatable: true,
  },
  {
    flags: '--origin <origin>',
    help: 'pages of this origin may use it',
    option: 'origins',
    repeatable: true,
  },
  {
    flags: '--header <line>',
    help: "requests carry this header ('X-Team: blue')",
    option: 'headers',
    repeatable: true,
  },
  { flags: '--tls', help: 'works over TLS only', option: 'tls' },
  { flags: '--subject <text>', help: 'whom the key is for', option: 'subject' },
  { flags: '--match <glob>', help: 'names under the path match this (*.csv)', option: 'match' },
  {
    flags: '--attachment [name]',
    help: 'downloads are saved, under this name',
    option: 'attachment',
  },
  { flags: '--inline', help: 'downloads are shown by the browser', option: 'inline' },
  { flags: '--ttl <duration>', help: 'uploads are deleted after this long', option: 'ttl' },
  { flags: '--id <id>', help: 'the id to revoke and count by', option: 'id' },
]

const asOption = ({ flags, help, repeatable }: Restriction): Option => {
  const option = new Option(flags, repeatable ? `${help}; repeatable` : help)
  return repeatable ? option.argParser(repeated) : option
}

/** Gathers what a repeatable option was given. */
export const repeated = (text: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  text,
]

/** @param only those that a command has use for; absent: all */
export function addRestrictions(
  command: Command,
  only?: readonly (keyof NarrowOptions)[],
): Command {
  for (const restriction of RESTRICTIONS) {
    if (only?.includes(restriction.option) ?? true) command.addOption(asOption(restriction))
  }
  return command
}

/** What commander parsed, by the names of `issuer/options.ts`; only what was stated. */
export function restrictionsStated(parsed: Readonly<Record<string, unknown>>): NarrowOptions {
  const stated = RESTRICTIONS.map(
    (restriction) => [restriction.option, parsed[asOption(restriction).attributeName()]] as const,
  )
  return Object.fromEntries(stated.filter(([, value]) => value !== undefined))
}

/** Mistakes in options are said by their flags. @throws UsageError */
export function withFlagNames<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw byFlags(error)
  }
}

/** An error whose mistakes are said by their flags; any other as it is. */
export function byFlags(error: unknown): unknown {
  if (!(error instanceof OptionsError)) return error
  const lines = error.mistakes.map(({ option, message }) => `${flagOf(option)} ${message}`)
  return new UsageError(printable(lines.join('; ')))
}

function flagOf(option: string): string {
  if (option === 'path') return 'PATH'
  const meant = option === 'expiresIn' ? 'expires' : option
  const restriction = RESTRICTIONS.find((candidate) => candidate.option === meant)
  return restriction === undefined ? option : (asOption(restriction).long ?? option)
}
