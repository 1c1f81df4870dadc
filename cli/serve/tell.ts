/** Events: told by the first process of `serve`, where the configuration names somebody to tell. */
import type { Logger } from 'pino'
import { auditFolderOf } from '../../audit/open.ts'
import type { Target } from '../../events/events.ts'
import type { Cli } from '../cli.ts'
import type { DataFolder } from '../data-folder.ts'
import { Failure } from '../failure.ts'
import { secretFrom } from '../secret-source.ts'
import type { Settings } from '../settings/schema.ts'

/** Goes on until the data folder is closed. @throws Failure that says what to do, where a target can't be used */
export async function startTelling(
  cli: Cli,
  data: DataFolder,
  { webhooks, audit, publicUrl }: Settings,
  log: Logger,
): Promise<void> {
  if (Object.keys(webhooks.targets).length === 0) return
  if (!audit.enabled) {
    throw new Failure('events are read from the audit: enable it, or name no webhooks.targets')
  }
  const targets = await targetsIn(cli, webhooks, publicUrl[0] ?? 'urn:valetkey')
  const auditFolder = auditFolderOf(data.path)
  const { Dispatcher } = await import('../../events/dispatcher.ts')
  const dispatcher = await Dispatcher.start({ data: data.path, auditFolder, targets, log })
  data.onClose(() => dispatcher.close())
}

async function targetsIn(
  cli: Cli,
  webhooks: Settings['webhooks'],
  source: string,
): Promise<readonly Target[]> {
  const { targetsOf } = await import('../../events/open.ts')
  const secretOf = (variable: string): string | undefined => {
    const text = cli.shell.env[variable]
    return text ? secretFrom(text, (path) => cli.resolve(path)) : undefined
  }
  try {
    return targetsOf(webhooks, source, secretOf)
  } catch (error) {
    throw new Failure((error as Error).message, { cause: error })
  }
}
