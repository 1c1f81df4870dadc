/**
 * Checksums of objects that are put together: of all their bytes, or of their parts' checksums.
 * Source: "Checking object integrity for data uploads in Amazon S3", multipart uploads.
 */
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, Checksummer } from '../../body/checksums.ts'
import { combinedCrc, isCombinable } from '../../body/crc-combine.ts'
import type { Headers } from '../../request.ts'
import type { PartInfo } from '../../store/multipart.ts'
import type { Checksums } from '../../store/store.ts'
import { invalidArgument } from './errors.ts'

/** What was asked for when the upload began. */
export interface ChecksumPlan {
  readonly algorithm: ChecksumAlgorithm
  readonly type: Checksums['type']
}

const isAlgorithm = (text: string): text is ChecksumAlgorithm =>
  (CHECKSUM_ALGORITHMS as readonly string[]).includes(text)

/** @throws S3Refusal InvalidArgument */
export function checksumPlanOf(headers: Headers): ChecksumPlan | undefined {
  const algorithm = headers.get('x-amz-checksum-algorithm')?.toLowerCase()
  const type = headers.get('x-amz-checksum-type')?.toUpperCase()
  if (algorithm === undefined && type === undefined) return undefined
  if (algorithm === undefined || !isAlgorithm(algorithm)) {
    throw invalidArgument(
      `x-amz-checksum-algorithm is one of ${CHECKSUM_ALGORITHMS.join(', ').toUpperCase()}`,
    )
  }
  const usual = algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE'
  return { algorithm, type: checkedType(algorithm, type ?? usual) }
}

/** "CRC64NVME: full object only; SHA: composite only" */
function checkedType(algorithm: ChecksumAlgorithm, type: string): Checksums['type'] {
  const isGood =
    type === 'FULL_OBJECT'
      ? isCombinable(algorithm)
      : type === 'COMPOSITE' && algorithm !== 'crc64nvme'
  if (isGood) return type as Checksums['type']
  throw invalidArgument(`${algorithm.toUpperCase()} is not taken as ${type.slice(0, 32)}`)
}

/** As the upload's note, and back. */
export const noteOf = (plan: ChecksumPlan | undefined): string =>
  plan === undefined ? '' : `${plan.algorithm} ${plan.type}`

/** Uploads of another protocol are none of S3's: what their parts are known by is another matter. */
export const isNoteOfS3 = (note: string): boolean => note === '' || planOfNote(note) !== undefined

export function planOfNote(note: string): ChecksumPlan | undefined {
  const [algorithm = '', type] = note.split(' ')
  return isAlgorithm(algorithm) ? { algorithm, type: type as Checksums['type'] } : undefined
}

/** Undefined where a part has none, as one that was copied. */
export async function checksumOfParts(
  plan: ChecksumPlan | undefined,
  parts: readonly PartInfo[],
): Promise<Checksums | undefined> {
  if (plan === undefined) return undefined
  const { algorithm, type } = plan
  const name = algorithm.toUpperCase() as keyof Checksums['values']
  const known = parts.flatMap(({ checksums, size }) => {
    const value = checksums?.values[name]
    return value === undefined ? [] : [{ value, size }]
  })
  if (known.length !== parts.length) return undefined
  const value =
    type === 'FULL_OBJECT' && isCombinable(algorithm)
      ? combinedCrc(algorithm, known)
      : `${await checksumOf(algorithm, known)}-${parts.length}`
  return { type, values: { [name]: value } }
}

async function checksumOf(
  algorithm: ChecksumAlgorithm,
  parts: readonly { readonly value: string }[],
): Promise<string> {
  const checksummer = await Checksummer.start({ values: new Map([[algorithm, undefined]]) })
  for (const { value } of parts) checksummer.update(Buffer.from(value, 'base64'))
  return checksummer.finish()[algorithm] ?? ''
}
