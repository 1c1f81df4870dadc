/** The audit of a data folder. */
import { join } from 'node:path'
import type { Refusal } from '../key/refusal.ts'
import { type AuditSink, NO_AUDIT } from './audit.ts'
import type { AuditSettings } from './config.ts'
import { loadAuditKey } from './key.ts'
import { AuditWriter } from './writer.ts'

export const auditFolderOf = (data: string): string => join(data, 'audit')

/** @throws Error that says what to do, where its folder or its key can't be used */
export async function openAudit(
  data: string,
  { enabled, keep }: AuditSettings,
  onTrouble?: (trouble: Refusal | undefined) => void,
): Promise<AuditSink> {
  if (!enabled) return NO_AUDIT
  const key = loadAuditKey(join(data, 'secrets'))
  const folder = auditFolderOf(data)
  return AuditWriter.open({ folder, key, keep, ...(onTrouble && { onTrouble }) })
}
