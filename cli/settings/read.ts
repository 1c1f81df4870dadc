/**
 * Settings are read once, at the edge, into a frozen value: defaults < file < environment < flags.
 * Every mistake of every source is listed in one message, and then nothing starts.
 */
import { urlOf } from '../../listener/address.ts'
import { Failure } from '../failure.ts'
import { counted } from '../format.ts'
import { mistakesOf } from './mistakes.ts'
import { type Settings, settingsSchema } from './schema.ts'
import type { Source } from './sources.ts'

/** Everything that is wrong with the settings, wherever it is written. */
export class SettingsError extends Failure {
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    const lines = [
      `${counted(mistakes.length, 'mistake')} in the configuration; nothing was started:`,
      ...mistakes.map((mistake) => `  - ${mistake}`),
      'Correct them; docs/configuration.md lists every setting.',
    ]
    super(lines.join('\n'))
    this.mistakes = mistakes
  }
}

/**
 * @param sources later ones override earlier ones
 * @throws SettingsError
 */
export function readSettings(sources: readonly Source[]): Settings {
  const mistakes = sources.flatMap((source) => [...source.mistakes, ...checked(source)])
  if (mistakes.length > 0) throw new SettingsError(mistakes)
  const { publicUrl, ...settings } = settingsSchema.parse(merged(sources))
  return deepFrozen({ ...settings, publicUrl: publicUrl ?? [ownUrl(settings)] })
}

/** Each source by itself, so that a mistake is found even where another source overrides it. */
function checked(source: Source): readonly string[] {
  const result = settingsSchema.safeParse(source.values)
  return result.success ? [] : result.error.issues.flatMap((issue) => mistakesOf(issue, source))
}

function merged(sources: readonly Source[]): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [key, value] of sources.flatMap((source) => Object.entries(source.values))) {
    values[key] = isSection(value) ? { ...(values[key] as object), ...value } : value
  }
  return values
}

const isSection = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The gateway's own address, as this machine reaches it. */
export const ownUrl = (
  { gateway, tls }: Pick<Settings, 'gateway' | 'tls'>,
  port: number = gateway.listen.port,
): string => `${urlOf(gateway.listen, port, tls.cert !== undefined)}${gateway.basePath}`

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFrozen(part)
    Object.freeze(value)
  }
  return value
}
