import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BlobObject } from '../../../../../gateway/store/disk/blob-object.ts'
import { Descriptors } from '../../../../../gateway/store/disk/descriptors.ts'
import { Layout } from '../../../../../gateway/store/disk/layout.ts'
import type { Blob, Piece } from '../../../../../gateway/store/disk/schema.ts'
import { BLOCK, checksum } from '../../../../../gateway/store/files/checksum.ts'
import { freshName } from '../../../../../gateway/store/files/fresh-name.ts'
import { Damaged } from '../../../../../gateway/store/store.ts'
import { bytes } from '../../../../../key/units.ts'
import { at, described, isSame, pattern, readFrom } from '../../../../support/store.ts'
import { FaultyFiles } from '../../../../support/store-faults.ts'

describe('an object in blobs', () => {
  let folder: string
  let layout: Layout
  let faulty: FaultyFiles
  let descriptors: Descriptors
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'valetkey-blobs-'))
    layout = new Layout(folder)
    faulty = new FaultyFiles()
    descriptors = new Descriptors(faulty.files, layout)
  })
  afterEach(async () => {
    await descriptors.close()
    rmSync(folder, { recursive: true })
  })

  const blobOf = (content: Uint8Array): Blob => {
    const name = freshName()
    mkdirSync(dirname(layout.blob(name)), { recursive: true })
    writeFileSync(layout.blob(name), content)
    const sums: Uint8Array[] = []
    for (let from = 0; from < content.length; from += BLOCK) {
      sums.push(checksum([content.subarray(from, from + BLOCK)]))
    }
    return { name, size: content.length, sums: Buffer.concat(sums) }
  }
  const objectOf = (pieces: readonly Piece[]): BlobObject => {
    const size = bytes(pieces.reduce((sum, { length }) => sum + length, 0))
    const info = { path: at('x'), size, ...described(new Uint8Array()) }
    return new BlobObject({ files: faulty.files, descriptors }, info, pieces)
  }
  const wholeOf = (content: Uint8Array): BlobObject =>
    objectOf([{ blob: blobOf(content), start: 0, length: content.length }])
  const callsOf = (name: string): number => faulty.calls.filter((call) => call.name === name).length

  it('is the concatenation of its pieces, wherever these lie in their blobs', async () => {
    const contents = [pattern(2 * BLOCK + 9, 1), pattern(700, 2), pattern(3 * BLOCK, 3)]
    const blobs = contents.map(blobOf)
    const cuts = fc.array(fc.tuple(fc.nat(2), fc.nat(3 * BLOCK), fc.nat(3 * BLOCK)), {
      minLength: 1,
      maxLength: 5,
    })
    const offsets = fc.constantFrom(0, 1, 699, BLOCK - 1, BLOCK, BLOCK + 1)
    await fc.assert(
      fc.asyncProperty(
        cuts,
        offsets,
        fc.constantFrom(1000, BLOCK, 3 * BLOCK),
        async (pieces, from, step) => {
          const cut = pieces.flatMap(([n, a, b]) => {
            const blob = blobs[n] as Blob
            const start = Math.min(a, blob.size - 1)
            return [
              {
                blob,
                start,
                length: Math.min(b + 1, blob.size - start),
                content: contents[n] as Uint8Array,
              },
            ]
          })
          const whole = Buffer.concat(
            cut.map(({ content, start, length }) => content.subarray(start, start + length)),
          )
          const object = objectOf(cut)
          expect(isSame(await readFrom(object, from, step), whole.subarray(from))).toBe(true)
          object.close()
        },
      ),
      { numRuns: 40 },
    )
  })

  it.each([
    [0, BLOCK],
    [0, 2 * BLOCK],
    [0, 1000],
    [12_345, BLOCK],
    [12_345, 1000],
    [BLOCK, 100_000],
  ])('is read once, from %i on in steps of %i bytes', async (from, step) => {
    const content = pattern(3 * BLOCK + 5)
    const object = wholeOf(content)
    expect(isSame(await readFrom(object, from, step), content.subarray(from))).toBe(true)
    object.close()
    const blocks = 4 - Math.floor(from / BLOCK)
    expect(callsOf('read')).toBeLessThanOrEqual(blocks)
    expect(callsOf('readNow')).toBe(0)
  })

  it('is read at once where it was read before', async () => {
    const content = pattern(2 * BLOCK)
    const object = wholeOf(content)
    const into = new Uint8Array(2 * BLOCK)
    expect(object.read(into, 0)).toBeInstanceOf(Promise)
    expect(await readFrom(object)).toHaveLength(2 * BLOCK)
    expect(object.read(into, 0)).toBe(2 * BLOCK)
    expect(isSame(into, content)).toBe(true)
    object.close()
  })

  it('is waited for aside from the thread where it is too large to be remembered', async () => {
    const object = wholeOf(pattern(33 * BLOCK))
    await readFrom(object)
    const into = new Uint8Array(BLOCK)
    expect(object.read(into, 31 * BLOCK)).toBe(BLOCK)
    const last = object.read(into, 32 * BLOCK)
    expect(last).toBeInstanceOf(Promise)
    await last
    object.close()
  })

  it('is near where it was read twice, whole spans at a time', async () => {
    const content = pattern(5 * BLOCK + 9)
    const object = wholeOf(content)
    await readFrom(object, 0, 2 * BLOCK)
    expect(object.near(0)).toBeUndefined()
    await readFrom(object, 2 * BLOCK, 2 * BLOCK)
    expect(object.near(2 * BLOCK - 1)).toBeUndefined()
    expect(isSame(object.near(2 * BLOCK), content.subarray(2 * BLOCK, 4 * BLOCK))).toBe(true)
    expect(isSame(object.near(4 * BLOCK - 7), content.subarray(4 * BLOCK - 7, 4 * BLOCK))).toBe(
      true,
    )
    expect(isSame(object.near(4 * BLOCK), content.subarray(4 * BLOCK))).toBe(true)
    object.close()
    expect(object.near(4 * BLOCK)).toBeUndefined()
  })

  it('is near to all who read a blob, each as far as its own pieces reach', async () => {
    const content = pattern(3 * BLOCK)
    const blob = blobOf(content)
    const whole = objectOf([{ blob, start: 0, length: content.length }])
    for (const _ of ['cold', 'warm']) await readFrom(whole, 0, 2 * BLOCK)
    const cut = objectOf([
      { blob, start: 100, length: 1000 },
      { blob: blobOf(pattern(10)), start: 0, length: 10 },
      { blob, start: BLOCK, length: 2 * BLOCK },
    ])
    expect(isSame(cut.near(10), content.subarray(110, 1100))).toBe(true)
    expect(cut.near(1000)).toBeUndefined()
    expect(isSame(cut.near(1010), content.subarray(BLOCK, 2 * BLOCK))).toBe(true)
    whole.close()
    cut.close()
  })

  it('is not near where it is damaged, nor what nobody could verify', async () => {
    const content = pattern(2 * BLOCK)
    const blob = blobOf(content)
    const object = objectOf([{ blob, start: 0, length: content.length }])
    await readFrom(object, 0, 2 * BLOCK)
    writeFileSync(layout.blob(blob.name), pattern(2 * BLOCK, 9))
    expect(() => object.read(new Uint8Array(2 * BLOCK), 0)).toThrow(Damaged)
    expect(object.near(0)).toBeUndefined()
    object.close()
  })

  it('closed in the middle of a read keeps its file open until that has ended', async () => {
    const object = wholeOf(pattern(2 * BLOCK))
    const reading = object.read(new Uint8Array(BLOCK), 0)
    object.close()
    await descriptors.close()
    expect(callsOf('close')).toBe(0)
    await reading
    await descriptors.close()
    expect(callsOf('close')).toBe(1)
  })

  it('closed is not read', async () => {
    const object = wholeOf(pattern(BLOCK))
    const reading = object.read(new Uint8Array(2000), 0)
    object.close()
    await reading
    expect(() => object.read(new Uint8Array(1), 0)).toThrow('closed')
  })

  it('that the disk does not give is damaged', async () => {
    const object = wholeOf(pattern(BLOCK))
    faulty.begin(({ name }) => (name === 'read' ? { code: 'EIO' } : undefined))
    await expect(object.read(new Uint8Array(BLOCK), 0)).rejects.toThrow(Damaged)
    faulty.begin(() => undefined)
    expect(await object.read(new Uint8Array(BLOCK), 0)).toBe(BLOCK)
    faulty.begin(({ name }) => (name === 'readNow' ? { code: 'EIO' } : undefined))
    expect(() => object.read(new Uint8Array(BLOCK), 0)).toThrow(Damaged)
    object.close()
  })

  it('of which a blob is missing holds on to none', async () => {
    const blob = blobOf(pattern(10))
    const missing = { ...blob, name: freshName() }
    expect(() =>
      objectOf([blob, missing].map((one) => ({ blob: one, start: 0, length: 10 }))),
    ).toThrow(/ENOENT/)
    await descriptors.close()
    expect(callsOf('close')).toBe(1)
  })
})
