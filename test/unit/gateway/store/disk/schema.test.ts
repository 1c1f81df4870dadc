/** An index of an earlier schema is brought to the newest, with all that is in it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../../../database/open.ts'
import { Layout } from '../../../../../gateway/store/disk/layout.ts'
import { migrations } from '../../../../../gateway/store/disk/schema.ts'
import { BLOCK, checksum } from '../../../../../gateway/store/files/checksum.ts'
import {
  at,
  contentOf,
  described,
  isSame,
  pattern,
  put,
  START,
  StoreFolder,
} from '../../../../support/store.ts'
import { isTidy } from '../../../../support/store-leftovers.ts'

const SMALL = pattern(100)
const LARGE = pattern(300 * 1024)

describe('a store of the first schema', () => {
  let folder: StoreFolder
  beforeEach(() => {
    folder = new StoreFolder()
    const layout = new Layout(folder.folder)
    const name = '0123456789abcdef0123456789abcdef'
    mkdirSync(layout.folderOf(name), { recursive: true })
    writeFileSync(layout.blob(name), LARGE)
    const db = openDatabase(layout.index, migrations.slice(0, 1))
    const insert = db.prepare(
      `INSERT INTO objects (oid, path, size, type, etag, sha256, modified, expires)
       VALUES (@oid, @path, @size, @type, @etag, @sha256, @modified, @expires)`,
    )
    insert.run({ oid: 1, path: at('a'), size: 100, expires: START + 5, ...described(SMALL) })
    insert.run({ oid: 2, path: at('b'), size: LARGE.length, expires: null, ...described(LARGE) })
    db.prepare('INSERT INTO contents VALUES (1, ?, ?)').run(checksum([SMALL]), SMALL)
    const sums = [LARGE.subarray(0, BLOCK), LARGE.subarray(BLOCK)].map((block) => checksum([block]))
    const blob = db.prepare('INSERT INTO blobs VALUES (7, ?, ?, ?)')
    blob.run(name, LARGE.length, Buffer.concat(sums.map((sum) => Buffer.from(sum))))
    db.prepare('INSERT INTO pieces VALUES (2, 0, 7, 0, ?)').run(LARGE.length)
    db.close()
  })
  afterEach(() => folder.remove())

  it('opens with the objects that it holds', async () => {
    const store = await folder.start()
    const small = { path: at('a'), size: 100, expires: START + 5, ...described(SMALL) }
    const large = { path: at('b'), size: LARGE.length, ...described(LARGE) }
    expect(store.list({ prefix: '', limit: 5 }).objects).toEqual([small, large])
    expect(store.head(at('a'))).toEqual(small)
    expect(isSame(await contentOf(store, at('a')), SMALL)).toBe(true)
    expect(isSame(await contentOf(store, at('b')), LARGE)).toBe(true)
    expect(store.buckets.list()).toEqual([{ name: 'bucket', created: START }])
    await put(store, at('b'), SMALL)
    await folder.stop()
    expect(isTidy(folder.folder)).toBe(true)
  })
})

describe('a store of the third schema', () => {
  it('knows how many bytes its uploads hold', async () => {
    const folder = new StoreFolder()
    try {
      const layout = new Layout(folder.folder)
      mkdirSync(folder.folder, { recursive: true })
      const db = openDatabase(layout.index, migrations.slice(0, 3))
      const upload = db.prepare(`INSERT INTO uploads VALUES (?, ?, ?, '', NULL, '', ?, ?)`)
      for (const [id, name] of ['with', 'without'].entries()) {
        upload.run(id + 1, name, at('x'), START, START + 100)
      }
      const part = db.prepare(
        `INSERT INTO parts (upload, number, size, etag, modified) VALUES (1, ?, ?, '""', ?)`,
      )
      for (const [number, size] of [3000, 400, 50].entries()) part.run(number + 1, size, START)
      db.close()
      const { multipart } = await folder.start()
      expect(multipart.bytesBeside({ path: at('x'), id: 'with' }, 2)).toBe(3050)
      expect(multipart.bytesBeside({ path: at('x'), id: 'without' }, 1)).toBe(0)
    } finally {
      await folder.remove()
    }
  })
})
