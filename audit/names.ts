/**
 * Names of audit files: `DAY.SLOT.PART.jsonl`. A slot is what one process at a time writes to; a
 * part is a file of the same day that was begun since the one before could not be continued.
 */
import { readdirSync } from 'node:fs'

export interface AuditFile {
  readonly name: string
  /** UTC, `2026-11-24` */
  readonly day: string
  readonly slot: number
  readonly part: number
}

const NAME = /^(\d{4}-\d\d-\d\d)\.(\d{1,6})\.(\d{1,6})\.jsonl$/

export const auditFile = (day: string, slot: number, part: number): AuditFile => ({
  name: `${day}.${slot}.${part}.jsonl`,
  day,
  slot,
  part,
})

/** Undefined where it is the name of something else. */
export function parseName(name: string): AuditFile | undefined {
  const [, day, slot, part] = NAME.exec(name) ?? []
  return day === undefined ? undefined : auditFile(day, Number(slot), Number(part))
}

/** UTC. */
export const dayOf = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 10)

/** Oldest first, those of a slot in the order in which they were written; none without a folder. */
export function auditFiles(folder: string): readonly AuditFile[] {
  return namesIn(folder)
    .flatMap((name) => parseName(name) ?? [])
    .sort((a, b) => compare(a.day, b.day) || a.slot - b.slot || a.part - b.part)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
