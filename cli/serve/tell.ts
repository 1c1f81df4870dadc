/** Events: told by the first process of `serve`, where the configuration names somebody to tell. */
import type { Logger } from 'pino'
import { auditFolderOf } from '../../audit/open.ts'
import type { Target } from '../../events/events.ts'
import type { DataFolder } from '../data-folder.ts'
import { Failure } from '../failure.ts'
import type { Settings } from '../settings/schema.ts'
import type { Shell } from '../shell.ts'

/** Goes on until the data folder is closed. @throws Failure that says what to do, where a target can't be used */
export async function startTelling(
  data: DataFolder,
  { webhooks, audit, publicUrl }: Settings,
  { env }: Pick<Shell, 'env'>,
  log: Logger,
): Promise<void> {
  if (Object.keys(webhooks.targets).length === 0) return
  if (!audit.enabled) {
    throw new Failure('events are read from the audit: enable it, or name no webhooks.targets')
  }
  const targets = await targetsIn(webhooks, publicUrl[0] ?? 'urn:valetkey', env)
  const auditFolder = auditFolderOf(data.path)
  const { Dispatcher } = await import('../../events/dispatcher.ts')
  const dispatcher = await Dispatcher.start({ data: data.path, auditFolder, targets, log })
  data.onClose(() => dispatcher.close())
}

async function targetsIn(
  webhooks: Settings['webhooks'],
  source: string,
  env: Shell['env'],
): Promise<readonly Target[]> {
  const { targetsOf } = await import('../../events/open.ts')
  try {
    return targetsOf(webhooks, source, env)
  } catch (error) {
    throw new Failure((error as Error).message, { cause: error })
  }
}
