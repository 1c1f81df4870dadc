/** What a person keeps as proof of what arrived. */
import type { Stored } from './item.ts'

export interface Line extends Stored {
  /** relative to the folder that the key is for */
  readonly name: string
  /** what it was called, where that name was taken */
  readonly sentAs?: string
}

/** As `sha256sum --check` reads it; lines that begin with # are for people. */
export const asText = (lines: readonly Line[], heading: string): string =>
  [
    `# ${heading}`,
    ...lines.map(({ name, size, sha256 }) =>
      sha256 === undefined ? `# ${name} (${size})` : `${sha256}  ${name}`,
    ),
    '',
  ].join('\n')

/** RFC 4180: lines end with CRLF, fields in quotes where needed. */
export const asCsv = (lines: readonly Line[]): string =>
  [
    'name,size,sha256',
    ...lines.map(({ name, size, sha256 }) => `${field(name)},${size},${sha256 ?? ''}`),
    '',
  ].join('\r\n')

/** A table program must not take a name for a formula. */
const field = (text: string): string => {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}
