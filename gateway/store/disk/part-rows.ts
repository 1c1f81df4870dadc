import type { Bytes, UnixSeconds } from '../../../key/units.ts'
import type { NewPart, PartInfo } from '../multipart.ts'
import type { Checksums } from '../store.ts'

/** The {@link PART_COLUMNS} of a row. */
export interface PartRow {
  readonly number: number
  readonly size: Bytes
  readonly etag: string
  readonly sha256: string | null
  readonly checksums: string | null
  readonly note: string | null
  readonly modified: UnixSeconds
}

export const PART_COLUMNS = 'number, size, etag, sha256, checksums, note, modified'

export const checksumsText = ({ checksums }: NewPart): string | null =>
  checksums === undefined ? null : JSON.stringify(checksums)

export function partOf({ sha256, checksums, note, ...part }: PartRow): PartInfo {
  return {
    ...part,
    ...(sha256 !== null && { sha256 }),
    ...(checksums !== null && { checksums: JSON.parse(checksums) as Checksums }),
    ...(note !== null && { note }),
  }
}
