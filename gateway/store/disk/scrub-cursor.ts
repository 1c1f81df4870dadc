/** How far a scrub has come: a small file in the store's folder, so that the next run goes on there. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const cursor = z.strictObject({
  format: z.literal(1),
  /** everything up to this path has been read */
  after: z.string(),
  objects: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** paths of damaged objects, to be looked at again */
  damaged: z.array(z.string()),
})

export type Cursor = Readonly<Omit<z.output<typeof cursor>, 'format'>>

export const BEGINNING: Cursor = { after: '', objects: 0, bytes: 0, damaged: [] }

const fileIn = (folder: string): string => join(folder, 'scrub.json')

/** The beginning where there is none, or none that can be read: then all is read once more. */
export function loadCursor(folder: string): Cursor {
  try {
    const { format: _, ...found } = cursor.parse(JSON.parse(readFileSync(fileIn(folder), 'utf8')))
    return found
  } catch {
    return BEGINNING
  }
}

/** Not synced: what a power cut takes away is read once more. */
export function saveCursor(folder: string, found: Cursor): void {
  const unfinished = `${fileIn(folder)}.part`
  writeFileSync(unfinished, JSON.stringify({ format: 1, ...found }), { mode: 0o600 })
  renameSync(unfinished, fileIn(folder))
}

export const removeCursor = (folder: string): void => rmSync(fileIn(folder), { force: true })
