/** Whether what is kept is safe: the last backup, the last scrub, the audit. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditSettings } from '../../audit/config.ts'
import { readAuditKey } from '../../audit/key.ts'
import { auditFolderOf } from '../../audit/open.ts'
import { verifyAudit } from '../../audit/verify.ts'
import {
  type Bytes,
  formatBytes,
  formatTime,
  type Seconds,
  type UnixSeconds,
} from '../../key/units.ts'
import { printable } from '../format.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { lastOf } from './marks.ts'

/** @param most how old the last backup may be */
export function backup(data: string, now: UnixSeconds, most: Seconds): Finding {
  const last = lastOf(data, 'backup')
  const advice = 'run valetkey backup regularly, to another disk, see docs/backup.md'
  if (last === undefined) return warn('backup', 'there never was one', advice)
  const when = formatTime(last.finished as UnixSeconds)
  const detail = printable(`the last was at ${when}, to ${last.to}`)
  if (now - last.finished > most) return fail('backup', `${detail}, which is long ago`, advice)
  if (last.linked > 0) {
    return warn('backup', `${detail}, on the same disk as the store`, 'add one on another disk')
  }
  const without = last.secrets ? '' : '; the signing keys are not in it: keep them elsewhere'
  return ok('backup', detail + without)
}

export function scrub(data: string): Finding {
  const last = lastOf(data, 'scrub')
  if (last === undefined) return ok('scrub', 'not run yet: valetkey scrub reads all objects back')
  const when = formatTime(last.finished as UnixSeconds)
  if (last.damaged.length === 0) {
    return ok('scrub', `at ${when} all ${last.objects} objects were as they were written`)
  }
  return fail(
    'scrub',
    printable(
      `at ${when} damaged objects were found, which are not served: ${last.damaged.join(', ')}`,
    ),
    'check the disk, upload them again or restore a backup, then scrub again',
  )
}

/** More than that is not read just to have a look. */
const READ_AT_MOST = 256 << 20

export async function audit(data: string, { enabled }: AuditSettings): Promise<Finding> {
  const folder = auditFolderOf(data)
  if (!enabled) return warn('audit', 'nothing is on record', 'set audit.enabled')
  if (!existsSync(folder)) return ok('audit', 'nothing happened yet')
  const key = readAuditKey(join(data, 'secrets'))
  if (key === undefined) {
    const advice = 'put DATA/secrets/audit-key back from a backup'
    return fail(
      'audit',
      'the key of its seals is missing: nothing of the past can be verified',
      advice,
    )
  }
  const size = sizeOf(folder)
  if (size > READ_AT_MOST) {
    const detail = `${formatBytes(size)} are on record; valetkey audit verify reads them all`
    return ok('audit', detail)
  }
  const { problems, records } = await verifyAudit(folder, key)
  const [problem] = problems
  if (problem === undefined) return ok('audit', `${records} records are as they were written`)
  const advice = 'keep the folder as it is, and see: valetkey audit verify'
  return fail('audit', printable(`${problem.file}: ${problem.what}`), advice)
}

const sizeOf = (folder: string): Bytes =>
  readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  ) as Bytes
