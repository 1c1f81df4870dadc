/** The objects that everybody serves: the same random bytes, as plain files. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const KIB = 1024
const MIB = 1024 * KIB

export const SIZES = { '1k': KIB, '64k': 64 * KIB, '1m': MIB, '100m': 100 * MIB } as const
export type SizeName = keyof typeof SIZES

/** `1 KiB` for `1k`. */
export const sizeInWords = (name: SizeName): string =>
  name.replace('k', ' KiB').replace('m', ' MiB')

/** Makes those that are missing. @returns their folder */
export function makeObjects(folder: string): string {
  mkdirSync(folder, { recursive: true })
  for (const [name, size] of Object.entries(SIZES)) {
    const path = join(folder, name)
    if (!existsSync(path) || statSync(path).size !== size) writeRandom(path, size)
  }
  return folder
}

function writeRandom(path: string, size: number): void {
  const file = openSync(path, 'w')
  for (let left = size; left > 0; left -= MIB) writeSync(file, randomBytes(Math.min(MIB, left)))
  closeSync(file)
}
