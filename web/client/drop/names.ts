/** What a file is called here: from the name that a browser gives to the path of an object. */
import { type ObjectPath, parsePath } from '../../../key/object-path.ts'

/** Files that systems leave in folders; nobody means to send them. */
const LITTER: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini'])

export const isLitter = (relative: string): boolean =>
  LITTER.has(relative.slice(relative.lastIndexOf('/') + 1))

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what no path may have
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\\]/g

/**
 * A relative name that can stand in a path: what may not stand there becomes `_`, and letters with
 * marks are composed, so that one name is one name whichever system it came from.
 */
export const tidyName = (relative: string): string =>
  relative
    .toWellFormed()
    .normalize('NFC')
    .replace(UNSAFE, '_')
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (segment === '.' || segment === '..' ? '_'.repeat(segment.length) : segment))
    .join('/') || '_'

/** The path beneath a folder; undefined where it can not be one, since it is too long. */
export function pathIn(folder: string, relative: string): ObjectPath | undefined {
  try {
    const target = parsePath(`${folder}${relative}`)
    return target.kind === 'object' ? target.path : undefined
  } catch {
    return undefined
  }
}

/** Endings that are two: of `data.tar.gz` the name is `data`. */
const ENDING = /(?:\.tar)?\.[^./ ]{1,16}$/i

/** `photo.jpg`, 2 → `photo (2).jpg`; in the last segment, before its ending. */
export function numbered(path: string, number: number): string {
  const start = path.lastIndexOf('/') + 1
  const [folder, name] = [path.slice(0, start), path.slice(start)]
  const found = ENDING.exec(name)
  const cut = found === null || found.index === 0 ? name.length : found.index
  return `${folder}${name.slice(0, cut)} (${number})${name.slice(cut)}`
}

/** The path itself, or the first numbered one that is not taken. */
export function freshPath(path: string, isTaken: (path: string) => boolean): string {
  let fresh = path
  for (let number = 1; isTaken(fresh); number += 1) fresh = numbered(path, number)
  return fresh
}
