import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Entry, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl'
import {
  centralRecord,
  dataDescriptor,
  endOfZip,
  entryLength,
  localHeader,
  zipNames,
} from '../../../gateway/body/zip.ts'
import { unzip } from '../../support/zip.ts'

interface File {
  readonly name: string
  readonly modified?: number
  readonly content: Buffer
}

/** A whole zip, written as the verb does, and the length that was told before. */
function zipOf(files: readonly File[]): { readonly zip: Buffer; readonly told: number } {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let [offset, central] = [0, 0]
  for (const { name, content, modified = 1_700_000_000 } of files) {
    const entry = { name, modified, size: content.length }
    const checksum = crc32(content)
    parts.push(localHeader(entry, checksum), content, dataDescriptor(entry, checksum))
    directory.push(centralRecord({ ...entry, crc32: checksum, offset }))
    const length = entryLength(entry, offset)
    offset += length.local
    central += length.central
  }
  const end = endOfZip(files.length, offset, central)
  return {
    zip: Buffer.concat([...parts, ...directory, end]),
    told: offset + central + end.length,
  }
}

describe('a zip', () => {
  test('of files and folders has the length that was told, and is read again', async () => {
    const files = [
      { name: 'short.txt', content: Buffer.from('short') },
      { name: 'empty', content: Buffer.alloc(0) },
      { name: 'ordner/Grüße 你好.bin', content: Buffer.alloc(300_000, 7) },
      { name: 'folder/', content: Buffer.alloc(0) },
    ]
    const { zip, told } = zipOf(files)
    expect(zip.length).toBe(told)
    const found = await unzip(zip)
    expect([...found.keys()]).toEqual(files.map(({ name }) => name))
    for (const { name, content } of files) expect(found.get(name)?.content).toEqual(content)
  })

  test.each([0, 315_532_801, 1_700_000_001, 2_147_483_647, 4_000_000_000])(
    'tells times, here %i',
    async (modified) => {
      const { zip } = zipOf([{ name: 'a', content: Buffer.alloc(0), modified }])
      const entry = (await unzip(zip)).get('a')?.entry
      const seconds = (entry?.getLastModDate().getTime() ?? 0) / 1000
      expect(seconds).toBe(Math.min(modified, 2_147_483_647))
    },
  )

  test('of more than 65,535 files is one of zip64', async () => {
    const content = Buffer.alloc(0)
    const files = Array.from({ length: 65_540 }, (_, at) => ({ name: `f/${at}`, content }))
    const { zip, told } = zipOf(files)
    expect(zip.length).toBe(told)
    expect(await sparse([[0, zip]])).toHaveLength(65_540)
  })

  test('of more than 4 GiB is one of zip64', async () => {
    const large = { name: 'large', size: 5 * 2 ** 30, modified: 1 }
    const small = { name: 'small', size: 3, modified: 1 }
    const { local } = entryLength(large, 0)
    const at = local - large.size
    const head = localHeader(large, 0)
    const descriptor = dataDescriptor(large, 9)
    expect(head.length + descriptor.length).toBe(at)
    const directory = Buffer.concat([
      centralRecord({ ...large, crc32: 9, offset: 0 }),
      centralRecord({ ...small, crc32: 8, offset: local }),
    ])
    const tail = Buffer.concat([descriptor, localHeader(small, 8), Buffer.from('abc'), directory])
    const start = head.length + large.size
    const end = endOfZip(2, start + tail.length - directory.length, directory.length)
    const entries = await sparse([
      [0, head],
      [start, Buffer.concat([tail, end])],
    ])
    expect(entries.map((entry) => [entry.fileName, entry.uncompressedSize])).toEqual([
      ['large', large.size],
      ['small', 3],
    ])
    expect(entries.map((entry) => entry.relativeOffsetOfLocalHeader)).toEqual([0, local])
  })
})

/** The entries of a zip of which only some pieces are there. */
function sparse(pieces: readonly (readonly [number, Buffer])[]): Promise<readonly Entry[]> {
  class Pieces extends RandomAccessReader {
    override _readStreamForRange(): never {
      throw new Error('nothing is read of the contents')
    }
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null) => void,
    ): void {
      for (const [start, piece] of pieces) {
        const from = Math.max(position, start)
        const to = Math.min(position + length, start + piece.length)
        if (from < to) piece.copy(buffer, offset + from - position, from - start, to - start)
      }
      setImmediate(() => callback(null))
    }
  }
  const [last = [0, Buffer.alloc(0)] as const] = pieces.slice(-1)
  return new Promise((resolve, reject) =>
    fromRandomAccessReader(
      new Pieces(),
      last[0] + last[1].length,
      { lazyEntries: false },
      (error, file: ZipFile) => {
        if (error) return reject(error)
        const entries: Entry[] = []
        file.on('entry', (entry) => entries.push(entry))
        file.on('error', reject)
        file.on('end', () => resolve(entries))
      },
    ),
  )
}

describe('names', () => {
  test.each([
    ['plain/name.txt', 'plain/name.txt'],
    ['Grüße/你好', 'Grüße/你好'],
    ['/absolute', '_/absolute'],
    ['../up', '__/up'],
    ['a/../../b', 'a/__/__/b'],
    ['a/./b', 'a/_/b'],
    ['a//b', 'a/_/b'],
    ['..\\up', '.._up'],
    ['C:/Windows', 'C_/Windows'],
    ['C:\\Windows', 'C__Windows'],
    ['a\u0000b\u001b[31m', 'a_b_[31m'],
    ['folder/', 'folder/'],
    ['..', '__'],
  ])('%j is unpacked as %j', (path, name) => {
    expect(zipNames([path])).toEqual([name])
  })

  test('are there once each, and no file has the name of a folder', () => {
    expect(zipNames(['a\\b.txt', 'a_b.txt', 'a\u0001b.txt'])).toEqual([
      'a_b.txt',
      'a_b (2).txt',
      'a_b (3).txt',
    ])
    expect(zipNames(['a', 'a/b', 'x/', 'x/y', 'x'])).toEqual(['a (2)', 'a/b', 'x/', 'x/y', 'x (2)'])
  })
})
