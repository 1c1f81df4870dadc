import { Refusal } from '../../key/refusal.ts'
import { bytes } from '../../key/units.ts'
import { meant, withMeta } from './meta.ts'
import type {
  CompletedObject,
  MultipartFailure,
  MultipartRef,
  NamedPart,
  PartInfo,
  PartList,
} from './multipart.ts'
import type { ObjectInfo } from './store.ts'

interface Named {
  readonly etag: string
  readonly sha256?: string | null
}

/** Whether a part is still the one that is named. */
export const isNamed = (part: Named, { etag, sha256 }: NamedPart): boolean =>
  part.etag === etag && (sha256 === undefined || part.sha256 === sha256)

/** Why these parts do not make an object; undefined where they do. */
export function listFailure(
  { parts, least = bytes(0) }: PartList,
  find: (number: number) => (Named & Pick<PartInfo, 'size'>) | undefined,
): MultipartFailure | undefined {
  const failure = (failed: MultipartFailure['failed'], number: number): MultipartFailure => ({
    done: false,
    failed,
    number,
  })
  for (const [at, { number }] of parts.entries()) {
    const before = parts[at - 1]
    if (before !== undefined && before.number >= number) {
      return failure('invalid_part_order', number)
    }
  }
  for (const [at, named] of parts.entries()) {
    const { number } = named
    const part = find(number)
    if (part === undefined || !isNamed(part, named)) return failure('invalid_part', number)
    if (part.size < least && at < parts.length - 1) return failure('part_too_small', number)
  }
  return undefined
}

/** The object that the parts make. */
export function assembled(
  { path }: MultipartRef,
  parts: readonly Pick<PartInfo, 'size'>[],
  as: CompletedObject,
): ObjectInfo {
  const partSizes = parts.map(({ size }) => size)
  const size = bytes(partSizes.reduce((sum, part) => sum + part, 0))
  const { meta, remembered: _, ...rest } = as
  const known = partSizes.length === 0 ? meant(meta) : { ...meta, partSizes }
  return withMeta({ path, size, ...rest }, known)
}

export const partGone = (number: number): Refusal =>
  new Refusal(
    'conflict',
    `part ${number} was replaced or removed meanwhile; send the request again`,
  )
