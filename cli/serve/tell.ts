/** Events: told by the first process of `serve`, where the configuration names somebody to tell. */
import type { Logger } from 'pino'
import { auditFolderOf } from '../../audit/open.ts'
import { Dispatcher } from '../../events/dispatcher.ts'
import { targetsOf } from '../../events/open.ts'
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
  const targets = targetsIn(webhooks, publicUrl[0] ?? 'urn:valetkey', env)
  const auditFolder = auditFolderOf(data.path)
  const dispatcher = await Dispatcher.start({ data: data.path, auditFolder, targets, log })
  data.onClose(() => dispatcher.close())
}

function targetsIn(...asked: Parameters<typeof targetsOf>): ReturnType<typeof targetsOf> {
  try {
    return targetsOf(...asked)
  } catch (error) {
    throw new Failure((error as Error).message, { cause: error })
  }
}
