/** Bytes that are not what was written are never handed out, and other objects go on. */
import {
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DiskStore } from '../../gateway/store/disk/store.ts'
import { Damaged } from '../../gateway/store/store.ts'
import { at, contentOf, isSame, pattern, put, StoreFolder } from '../support/store.ts'
import { inventory } from '../support/store-leftovers.ts'

const BLOCK = 256 * 1024
const SIZE = 3 * BLOCK + 1000
const PATH = at('damaged')
const OTHER = at('other')

describe('a damaged object', () => {
  let folder: StoreFolder
  let store: DiskStore
  beforeEach(async () => {
    folder = new StoreFolder()
    store = await folder.start()
    await put(store, PATH, pattern(SIZE))
  })
  afterEach(() => folder.remove())

  const blobFile = (): string => {
    const [name = ''] = inventory(folder.folder).files
    return join(folder.folder, 'blobs', name.slice(0, 2), name)
  }
  const flip = (position: number): void => {
    const content = readFileSync(blobFile())
    content[position] = (content[position] ?? 0) ^ 1
    writeFileSync(blobFile(), content)
  }

  it.each([0, 1, 2, 3])('is not read where block %i has a flipped bit', async (block) => {
    flip(Math.min(block * BLOCK + 777, SIZE - 1))
    await put(store, OTHER, pattern(SIZE, 2))
    const object = await store.open(PATH)
    const readAt = async (position: number, length: number) =>
      object?.read(new Uint8Array(length), position)
    for (const whole of [0, 1, 2, 3]) {
      const length = Math.min(BLOCK, SIZE - whole * BLOCK)
      for (const [position, size] of [
        [whole * BLOCK, length],
        [whole * BLOCK + 5, 10],
      ] as const) {
        if (whole === block) {
          await expect(readAt(position, size)).rejects.toThrow(Damaged)
          await expect(readAt(position, size)).rejects.toThrow(
            new RegExp(`^${PATH}: block ${block} of blob [0-9a-f]{32} is not what was written`),
          )
        } else expect(await readAt(position, size)).toBe(size)
      }
    }
    object?.close()
    await expect(contentOf(store, PATH)).rejects.toThrow(Damaged)
    expect(isSame(await contentOf(store, OTHER), pattern(SIZE, 2))).toBe(true)
  })

  it('is found though it was read before, when it was whole', async () => {
    await contentOf(store, PATH)
    await contentOf(store, PATH)
    flip(BLOCK + 1)
    await expect(contentOf(store, PATH)).rejects.toThrow(Damaged)
  })

  it.each([0, BLOCK, SIZE - 1])('is not read beyond where its file ends (%i)', async (size) => {
    truncateSync(blobFile(), size)
    await expect(contentOf(store, PATH)).rejects.toThrow(/ is cut short/)
  })

  it('is not read where its file is missing', async () => {
    unlinkSync(blobFile())
    expect(() => store.open(PATH)).toThrow(Damaged)
    expect(await put(store, PATH, pattern(SIZE, 3))).toMatchObject({ created: false })
    expect(isSame(await contentOf(store, PATH), pattern(SIZE, 3))).toBe(true)
  })

  it('is not read where it lies in the index', async () => {
    await put(store, OTHER, pattern(500))
    const db = new SqliteDatabase(join(folder.folder, 'index.db'))
    const bad = pattern(500)
    bad[499] = (bad[499] ?? 0) ^ 0x80
    db.prepare('UPDATE contents SET bytes = ?').run(bad)
    db.close()
    expect(() => store.open(OTHER)).toThrow(Damaged)
    expect(() => store.open(OTHER)).toThrow(/^bucket\/other: /)
  })

  it('can be deleted', async () => {
    flip(0)
    expect(await store.delete(PATH)).toBe(true)
    await folder.stop()
    expect(inventory(folder.folder).files).toEqual([])
  })
})

describe('a folder of a store', () => {
  it('is for its owner only, whatever the umask', async () => {
    const folder = new StoreFolder()
    const umask = process.umask(0)
    try {
      const store = await folder.start()
      await put(store, PATH, pattern(SIZE))
      const upload = await store.upload(OTHER)
      await upload.write([pattern(4 * SIZE)])
      const modes = new Set(modesBelow(folder.folder))
      expect(modes).toEqual(new Set(['folder 700', 'file 600']))
      await upload.discard()
    } finally {
      process.umask(umask)
      await folder.remove()
    }
  })
})

function modesBelow(path: string): string[] {
  const status = statSync(path)
  const mode = (status.mode & 0o777).toString(8)
  if (!status.isDirectory()) return [`file ${mode}`]
  return [`folder ${mode}`, ...readdirSync(path).flatMap((name) => modesBelow(join(path, name)))]
}
