/** An audit in a temporary folder, with a clock that stands still. */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditFilter } from '../../audit/filter.ts'
import { auditFiles } from '../../audit/names.ts'
import { newestFirst, oldestFirst } from '../../audit/read.ts'
import { type Head, type Verdict, verifyAudit } from '../../audit/verify.ts'
import { type AuditOptions, AuditWriter } from '../../audit/writer.ts'
import type { Refusal } from '../../key/refusal.ts'
import { seconds } from '../../key/units.ts'
import { tempFolder } from './temp-folder.ts'

export interface AuditHouse {
  readonly folder: string
  readonly key: KeyObject
  readonly troubles: (Refusal | undefined)[]
  time: number
  open(options?: Partial<AuditOptions>): Promise<AuditWriter>
  names(): readonly string[]
  read(name: string): string
  write(name: string, text: string): void
  verify(earlier?: readonly Head[]): Promise<Verdict>
  /** the acts that were recorded, oldest first */
  acts(filter?: AuditFilter): Promise<readonly string[]>
  /** the same, newest first */
  newest(filter?: AuditFilter): Promise<readonly string[]>
  remove(): void
}

/** The members of a record that says nothing but its name. */
export const act = (name: string, more = ''): string =>
  `"kind":"act","by":"cli","act":"${name}"${more}`

export function auditHouse(): AuditHouse {
  const temp = tempFolder()
  const folder = join(temp.path, 'audit')
  const key = createSecretKey(Buffer.alloc(32, 7))
  const troubles: (Refusal | undefined)[] = []
  const house: AuditHouse = {
    folder,
    key,
    troubles,
    time: Date.parse('2026-11-24T10:00:00Z'),
    open: (options) =>
      AuditWriter.open({
        folder,
        key,
        keep: seconds(90 * 86_400),
        now: () => house.time,
        onTrouble: (trouble) => troubles.push(trouble),
        ...options,
      }),
    names: () => auditFiles(folder).map(({ name }) => name),
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    write: (name, text) => writeFileSync(join(folder, name), text),
    verify: (earlier) => verifyAudit(folder, key, earlier),
    acts: async (filter = {}) => {
      const found: string[] = []
      for await (const record of oldestFirst(folder, filter)) {
        if (record.kind !== 'note') found.push(record.act)
      }
      return found
    },
    newest: async (filter = {}) => {
      const found: string[] = []
      for await (const { record } of newestFirst(folder, filter)) {
        if (record !== undefined && record.kind !== 'note') found.push(record.act)
      }
      return found
    },
    remove: temp.remove,
  }
  return house
}
