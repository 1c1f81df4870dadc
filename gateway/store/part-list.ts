import { Refusal } from '../../key/refusal.ts'
import { bytes } from '../../key/units.ts'
import { meant, withMeta } from './meta.ts'
import type {
  CompletedObject,
  MultipartFailure,
  MultipartRef,
  PartInfo,
  PartList,
} from './multipart.ts'
import type { ObjectInfo } from './store.ts'

/** Why these parts do not make an object; undefined where they do. */
export function listFailure(
  { parts, least = bytes(0) }: PartList,
  find: (
    number: number,
  ) => (Pick<PartInfo, 'etag' | 'size'> & { readonly sha256?: string | null }) | undefined,
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
  for (const [at, { number, etag, sha256 }] of parts.entries()) {
    const part = find(number)
    if (part?.etag !== etag) return failure('invalid_part', number)
    if (sha256 !== undefined && part.sha256 !== sha256) return failure('invalid_part', number)
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
