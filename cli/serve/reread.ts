/** SIGHUP: what can change while running is read again, and what can't is named. */
import type { Logger } from 'pino'
import type { Keyring } from '../../ledger/keyring.ts'
import { SETTINGS, type Settings } from '../settings/schema.ts'
import type { Shell } from '../shell.ts'

interface Parts {
  readonly keyring: Pick<Keyring, 'reload' | 'problems'>
  readonly log: Logger
  /** those in force */
  readonly settings: Settings
  /** those that a start would find now */
  readonly read: () => Settings
  /** takes certificate and key from their files again; throws, and changes nothing, where it can't */
  readonly renewTls: () => void
}

/** Rereads on every SIGHUP, until the function that it returns is called. */
export function rereadOn({ signals }: Pick<Shell, 'signals'>, parts: Parts): () => void {
  const onHangup = () => void reread(parts)
  signals.on('SIGHUP', onHangup)
  return () => signals.off('SIGHUP', onHangup)
}

async function reread({ keyring, log, settings, read, renewTls }: Parts): Promise<void> {
  try {
    await keyring.reload()
    for (const problem of keyring.problems()) log.error({ problem: problem.message }, 'signing key')
    renewTls()
    const found = read()
    log.level = found.logLevel
    const waiting = changed(settings, found).filter((name) => name !== 'logLevel')
    log.info(
      {
        reread: ['signing keys', 'certificate', 'logLevel'],
        ...(waiting.length > 0 && { afterRestart: waiting }),
      },
      'reread',
    )
  } catch (error) {
    log.error({ problem: (error as Error).message }, 'not reread; what was in force stays')
  }
}

/** The names of the settings that differ. */
const changed = (before: Settings, after: Settings): readonly string[] =>
  SETTINGS.filter(({ path }) => at(before, path) !== at(after, path)).map(({ name }) => name)

const at = (settings: Settings, path: readonly string[]): string | undefined =>
  JSON.stringify(
    path.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], settings),
  )
