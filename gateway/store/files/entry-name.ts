import { sep } from 'node:path'

/**
 * Whether a text is the name of one entry of a folder, and leads nowhere else: a key of S3 is any text.
 * Where a backslash separates, so does the colon of a drive, and a dot or a space at the end is not
 * part of a name.
 */
export function isEntryName(name: string, separator: string = sep): boolean {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) return false
  return separator === '/' || !/[\\:]|[. ]$/.test(name)
}
