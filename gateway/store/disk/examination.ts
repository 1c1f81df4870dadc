/** Reads one object's content back, from its first byte to its last, damaged blocks included. */
import { createHash, type Hash } from 'node:crypto'
import { BLOCK, blockCount, hasChecksum, SUM } from '../files/checksum.ts'
import { codeOf, type FileDescriptor, type Files } from '../files/files.ts'
import type { Damage, DamageKind } from '../maintenance.ts'
import type { StoredObject } from './content-reader.ts'
import type { Layout } from './layout.ts'
import type { Blob, Piece } from './schema.ts'

export interface Examining {
  readonly files: Files
  readonly layout: Layout
  /** hears of bytes before they are read; where it throws, the examination ends */
  readonly reading: (count: number) => Promise<void>
}

/** Every damage found; none where all is as it was written. */
export async function examine(
  examining: Examining,
  object: StoredObject,
): Promise<readonly Damage[]> {
  const hash = createHash('sha256')
  const damages = await contentDamages(examining, object, hash)
  if (damages.length > 0) return damages
  const isWhole = object.sha256 === null || hash.digest('hex') === object.sha256
  return isWhole ? [] : [{ path: object.path, kind: 'altered' }]
}

async function contentDamages(
  examining: Examining,
  { path, size, inline, pieces }: StoredObject,
  hash: Hash,
): Promise<readonly Damage[]> {
  if (inline !== undefined) {
    await examining.reading(inline.bytes.length)
    hash.update(inline.bytes)
    const isAsSummed = hasChecksum(inline.bytes, inline.sum)
    return isAsSummed && inline.bytes.length === size ? [] : [{ path, kind: 'altered' }]
  }
  if (pieces.reduce((sum, { length }) => sum + length, 0) !== size || pieces.length === 0) {
    return [{ path, kind: 'missing' }]
  }
  const damages: Damage[] = []
  for (const piece of pieces) {
    const { blob } = piece
    for (const [block, kind] of await pieceDamages(examining, piece, hash)) {
      damages.push({ path, kind, blob: blob.name, ...(block !== undefined && { block }) })
    }
  }
  return damages
}

/** Of a block, or of the blob as a whole. */
type BlobDamage = readonly [block: number | undefined, kind: DamageKind]

async function pieceDamages(
  examining: Examining,
  piece: Piece,
  hash: Hash,
): Promise<readonly BlobDamage[]> {
  const { files, layout } = examining
  let file: FileDescriptor
  try {
    file = files.open(layout.blob(piece.blob.name))
  } catch (error) {
    return [[undefined, codeOf(error) === 'ENOENT' ? 'missing' : 'unreadable']]
  }
  try {
    return await blockDamages(examining, piece, file, hash)
  } finally {
    await files.close(file)
  }
}

async function blockDamages(
  { files, reading }: Examining,
  { blob, start, length }: Piece,
  file: FileDescriptor,
  hash: Hash,
): Promise<readonly BlobDamage[]> {
  const damages: BlobDamage[] = []
  const end = start + length
  const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK, blob.size))
  for (let block = Math.floor(start / BLOCK); block < blockCount(end); block += 1) {
    const from = block * BLOCK
    const bytes = buffer.subarray(0, Math.min(BLOCK, blob.size - from))
    await reading(bytes.length)
    const kind = await files.read(file, bytes, from).then(
      (count) => (count < bytes.length ? 'cut short' : judged(blob, block, bytes)),
      () => 'unreadable' as const,
    )
    if (kind === undefined) hash.update(bytes.subarray(Math.max(0, start - from), end - from))
    else damages.push([block, kind])
  }
  return damages
}

function judged(blob: Blob, block: number, bytes: Uint8Array): DamageKind | undefined {
  const sum = blob.sums.subarray(block * SUM, (block + 1) * SUM)
  return hasChecksum(bytes, sum) ? undefined : 'altered'
}
