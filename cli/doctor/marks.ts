/** When the data folder was backed up and read back last: small files in it, for people who ask. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const time = z.int().nonnegative()

const SCHEMAS = {
  backup: z.object({
    finished: time,
    /** absolute path */
    to: z.string(),
    /** whether the signing keys are in it */
    secrets: z.boolean(),
    /** files that are hard links, at least so many: they share their bytes with the store */
    linked: z.int().nonnegative(),
  }),
  scrub: z.object({
    finished: time,
    objects: z.int().nonnegative(),
    /** paths; the first of them, where there are many */
    damaged: z.array(z.string()),
  }),
}

type Marks = { readonly [Name in keyof typeof SCHEMAS]: z.output<(typeof SCHEMAS)[Name]> }

const MOST_DAMAGED = 100

const fileOf = (data: string, name: keyof Marks): string => join(data, `last-${name}.json`)

/** Not synced: what a power cut takes away is the memory of it, not the backup. */
export function mark<Name extends keyof Marks>(data: string, name: Name, what: Marks[Name]): void {
  const told = 'damaged' in what ? { ...what, damaged: what.damaged.slice(0, MOST_DAMAGED) } : what
  const unfinished = `${fileOf(data, name)}.part`
  writeFileSync(unfinished, `${JSON.stringify(told)}\n`, { mode: 0o600 })
  renameSync(unfinished, fileOf(data, name))
}

/** Undefined where it never was, or where nobody can tell any more. */
export function lastOf<Name extends keyof Marks>(
  data: string,
  name: Name,
): Marks[Name] | undefined {
  try {
    return SCHEMAS[name].parse(JSON.parse(readFileSync(fileOf(data, name), 'utf8'))) as Marks[Name]
  } catch {
    return undefined
  }
}
