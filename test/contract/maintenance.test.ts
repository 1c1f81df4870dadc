import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Instance } from '../../database/instance.ts'
import { DatabaseError } from '../../database/open.ts'
import { pruneCopy } from '../../gateway/store/disk/backup.ts'
import { BlobList } from '../../gateway/store/disk/blob-list.ts'
import { Hold } from '../../gateway/store/disk/hold.ts'
import { Layout } from '../../gateway/store/disk/layout.ts'
import { DiskMaintenance } from '../../gateway/store/disk/maintenance.ts'
import type { DiskStore } from '../../gateway/store/disk/store.ts'
import { nodeFiles } from '../../gateway/store/files/files.ts'
import type { CopyOptions, ScrubOptions } from '../../gateway/store/maintenance.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { at, pattern, put, START, StoreFolder } from '../support/store.ts'
import { errno } from '../support/store-faults.ts'
import { inventory, isTidy } from '../support/store-leftovers.ts'

const BLOCK = 256 * 1024
const LARGE = 3 * BLOCK + 1000

let folder: StoreFolder
let store: DiskStore
let instance: Instance
let maintenance: DiskMaintenance
beforeEach(async () => {
  folder = new StoreFolder()
  store = await folder.start()
  instance = Instance.start(folder.instances)
  maintenance = new DiskMaintenance({ folder: folder.folder, instance })
})
afterEach(async () => {
  instance.close()
  await folder.remove()
})

const blobsOf = (path: ObjectPath): string[] => {
  const db = new SqliteDatabase(join(folder.folder, 'index.db'), { readonly: true })
  const names = db
    .prepare<[string], string>(
      `SELECT name FROM objects JOIN pieces USING (oid) JOIN blobs ON blobs.id = blob
       WHERE path = ? ORDER BY seq`,
    )
    .pluck()
    .all(path)
  db.close()
  return names
}
const blobOf = (path: ObjectPath): string => blobsOf(path)[0] as string
const fileOf = (name: string): string => join(folder.folder, 'blobs', name.slice(0, 2), name)

function flip(file: string, position: number): void {
  const content = readFileSync(file)
  content[position] = (content[position] as number) ^ 1
  writeFileSync(file, content)
}

function changeIndex(sql: string, ...values: unknown[]): void {
  const db = new SqliteDatabase(join(folder.folder, 'index.db'))
  db.prepare(sql).run(...values)
  db.close()
}

describe('a scrub', () => {
  const scrub = (options: Partial<ScrubOptions> = {}) =>
    maintenance.scrub({ now: START, ...options })

  it('reads every object and finds nothing where nothing is wrong', async () => {
    for (const [n, size] of [0, 1, 64 * 1024, 64 * 1024 + 1, BLOCK, LARGE].entries()) {
      await put(store, at(`${n}`), pattern(size, n + 1))
    }
    const total = 1 + 64 * 1024 + 64 * 1024 + 1 + BLOCK + LARGE
    expect(await scrub()).toEqual({ objects: 6, bytes: total, damaged: [], strays: [] })
    expect(existsSync(join(folder.folder, 'scrub.json'))).toBe(false)
  })

  it('finds each altered block, cut and missing files, and altered content in the index', async () => {
    const names = ['altered', 'cut', 'fine', 'gone', 'small']
    for (const name of names) await put(store, at(name), pattern(name === 'small' ? 10 : LARGE))
    const blob = Object.fromEntries(names.map((name) => [name, blobOf(at(name))]))
    flip(fileOf(blob.altered as string), 0)
    flip(fileOf(blob.altered as string), 2 * BLOCK + 7)
    truncateSync(fileOf(blob.cut as string), 3 * BLOCK)
    rmSync(fileOf(blob.gone as string))
    changeIndex('UPDATE contents SET bytes = ?', pattern(10, 2))
    const { damaged, objects } = await scrub()
    expect(objects).toBe(5)
    expect(damaged).toEqual([
      { path: 'bucket/altered', kind: 'altered', blob: blob.altered, block: 0 },
      { path: 'bucket/altered', kind: 'altered', blob: blob.altered, block: 2 },
      { path: 'bucket/cut', kind: 'cut short', blob: blob.cut, block: 3 },
      { path: 'bucket/gone', kind: 'missing', blob: blob.gone },
      { path: 'bucket/small', kind: 'altered' },
    ])
  })

  it('finds content that is whole block by block, but another', async () => {
    await put(store, at('small'), pattern(10))
    await put(store, at('large'), pattern(LARGE))
    changeIndex('UPDATE objects SET sha256 = ?', createHash('sha256').digest('hex'))
    expect((await scrub()).damaged).toEqual([
      { path: 'bucket/large', kind: 'altered' },
      { path: 'bucket/small', kind: 'altered' },
    ])
  })

  it('finds objects whose content the index has lost', async () => {
    await put(store, at('small'), pattern(10))
    await put(store, at('large'), pattern(LARGE))
    changeIndex('DELETE FROM contents')
    changeIndex('DELETE FROM pieces')
    expect((await scrub()).damaged).toEqual([
      { path: 'bucket/large', kind: 'missing' },
      { path: 'bucket/small', kind: 'missing' },
    ])
  })

  it('reads the pieces of an object in order, and only these', async () => {
    await put(store, at('a'), pattern(LARGE, 1))
    await put(store, at('b'), pattern(LARGE, 2))
    const [first, second] = [pattern(LARGE, 1), pattern(LARGE, 2)]
    const content = Buffer.concat([first.subarray(100, 100 + BLOCK), second.subarray(BLOCK)])
    const piece = `INSERT INTO pieces SELECT
      (SELECT oid FROM objects WHERE path = 'bucket/c'), ?, id, ?, ? FROM blobs WHERE name = ?`
    changeIndex(
      `INSERT INTO objects (path, size, type, etag, sha256, modified) VALUES ('bucket/c', ?, '', '', ?, 0)`,
      content.length,
      createHash('sha256').update(content).digest('hex'),
    )
    changeIndex(piece, 0, 100, BLOCK, blobOf(at('a')))
    changeIndex(piece, 1, BLOCK, LARGE - BLOCK, blobOf(at('b')))
    expect((await scrub()).damaged).toEqual([])
    flip(fileOf(blobOf(at('b'))), LARGE - 1)
    expect((await scrub()).damaged.map(({ path, block }) => [path, block])).toEqual([
      ['bucket/b', 3],
      ['bucket/c', 3],
    ])
  })

  it('goes on where it was interrupted, and looks again at what it had found', async () => {
    for (let n = 0; n < 9; n += 1) await put(store, at(`${n}`), pattern(LARGE, n + 1))
    rmSync(fileOf(blobOf(at('1'))))
    rmSync(fileOf(blobOf(at('2'))))
    const controller = new AbortController()
    const interrupted = scrub({
      signal: controller.signal,
      onProgress: ({ objects }) => {
        if (objects === 5) controller.abort(new Error('enough'))
      },
    })
    await expect(interrupted).rejects.toThrow('enough')
    await put(store, at('2'), pattern(LARGE))
    const read: number[] = []
    const report = await scrub({ onProgress: ({ objects }) => read.push(objects) })
    expect(read).toEqual([6, 7, 8, 9])
    expect(report.damaged.map(({ path }) => path)).toEqual(['bucket/1'])
    const again: number[] = []
    await scrub({ onProgress: ({ objects }) => again.push(objects) })
    expect(again[0]).toBe(1)
  })

  it('begins anew where it is told to, or where the cursor can not be read', async () => {
    await put(store, at('a'), pattern(10))
    const cursor = { format: 1, after: 'bucket/a', objects: 7, bytes: 7, damaged: [] }
    const file = join(folder.folder, 'scrub.json')
    writeFileSync(file, JSON.stringify(cursor))
    expect(await scrub()).toMatchObject({ objects: 7 })
    writeFileSync(file, JSON.stringify(cursor))
    expect(await scrub({ restart: true })).toMatchObject({ objects: 1 })
    for (const text of ['{', '{"format":2}', JSON.stringify({ ...cursor, objects: -1 })]) {
      writeFileSync(file, text)
      expect(await scrub()).toMatchObject({ objects: 1 })
    }
  })

  it('takes no object for damaged that was deleted or replaced while it read', async () => {
    for (const name of ['a', 'b', 'c']) await put(store, at(name), pattern(LARGE))
    const running = scrub({
      onProgress: ({ objects }) => {
        if (objects > 1) return
        // looked up already, gone before it is read
        for (const name of ['b', 'c']) rmSync(fileOf(blobOf(at(name))))
        changeIndex("DELETE FROM objects WHERE path = 'bucket/b'")
        changeIndex(
          'UPDATE pieces SET blob = (SELECT id FROM blobs WHERE name = ?)',
          blobOf(at('a')),
        )
      },
    })
    expect((await running).damaged).toEqual([])
  })

  it('passes over what has expired', async () => {
    await put(store, at('a'), pattern(LARGE), { as: { expires: START } })
    expect(await scrub()).toMatchObject({ objects: 0 })
  })

  it('lists files that nobody knows of, and none that somebody is writing or unlinking', async () => {
    const stray = 'ab'.repeat(16)
    for (const name of [stray, 'junk']) {
      writeFileSync(join(folder.folder, 'blobs', 'ab', name), 'x')
    }
    const staged = 'cd'.repeat(16)
    const owners = readdirSync(join(folder.folder, 'staging'))
    writeFileSync(fileOf(staged), 'x')
    writeFileSync(join(folder.folder, 'staging', owners[0] as string, staged), 'x')
    const garbage = 'ef'.repeat(16)
    writeFileSync(fileOf(garbage), 'x')
    changeIndex('INSERT INTO garbage VALUES (?, ?)', garbage, 'nobody')
    await put(store, at('large'), pattern(LARGE))
    const { strays } = await scrub()
    expect(strays.toSorted()).toEqual([fileOf(stray), join(folder.folder, 'blobs/ab/junk')])
    expect(existsSync(fileOf(stray))).toBe(true)
  })
})

describe('a copy', () => {
  const place = () => ({
    index: join(folder.root, 'copy', 'index.db'),
    folder: join(folder.root, 'copy'),
  })
  const copy = (options: Partial<CopyOptions> = {}) =>
    maintenance.copyTo(place(), { link: true, ...options })
  const copied = (): string[] => {
    const blobs = join(place().folder, 'blobs')
    return readdirSync(blobs).flatMap((fan) => readdirSync(join(blobs, fan)))
  }
  const fileIn = (name: string): string => join(place().folder, 'blobs', name.slice(0, 2), name)

  beforeEach(async () => {
    await put(store, at('small'), pattern(10))
    await put(store, at('large'), pattern(LARGE))
  })

  it('has the index and the files that it names, and leaves nothing in staging', async () => {
    const blob = blobOf(at('large'))
    expect(await copy()).toEqual({
      objects: { objects: 2, bytes: 10 + LARGE },
      blobs: { blobs: 1, bytes: LARGE },
      kept: 0,
      linked: 1,
      copied: 0,
      missing: [],
    })
    expect(copied()).toEqual([blob])
    expect(readdirSync(join(folder.folder, 'staging'))).not.toContain(instance.id)
    expect(readdirSync(place().folder).toSorted()).toEqual(['blobs', 'index.db'])
    expect(statSync(place().index).mode & 0o777).toBe(0o600)
  })

  it('shares files where it may, and only then', async () => {
    const blob = blobOf(at('large'))
    await copy()
    expect(statSync(fileIn(blob)).ino).toBe(statSync(fileOf(blob)).ino)
    rmSync(place().folder, { recursive: true })
    expect(await copy({ link: false })).toMatchObject({ linked: 0, copied: 1 })
    expect(statSync(fileIn(blob)).ino).not.toBe(statSync(fileOf(blob)).ino)
    expect(readFileSync(fileIn(blob)).equals(pattern(LARGE))).toBe(true)
  })

  it('keeps what is there, replaces what is cut short, and prunes what is named no more', async () => {
    await copy({ link: false })
    const before = blobOf(at('large'))
    await put(store, at('second'), pattern(LARGE, 2))
    expect(await copy({ link: false })).toMatchObject({ kept: 1, copied: 1 })
    truncateSync(fileIn(before), 5)
    expect(await copy({ link: false })).toMatchObject({ kept: 1, copied: 1 })
    expect(readFileSync(fileIn(before)).equals(pattern(LARGE))).toBe(true)
    await store.delete(at('large'))
    expect(await copy({ link: false })).toMatchObject({ kept: 1, copied: 0 })
    expect(copied()).toHaveLength(2)
    const index = readFileSync(place().index)
    await pruneCopy(place())
    expect(copied()).toEqual([blobOf(at('second'))])
    expect(readFileSync(place().index).equals(index)).toBe(true)
    expect(readdirSync(place().folder).toSorted()).toEqual(['blobs', 'index.db'])
  })

  it('says which objects the store itself has lost, unless an earlier copy has them', async () => {
    await copy({ link: false })
    await put(store, at('lost'), pattern(LARGE, 2))
    await put(store, at('cut'), pattern(LARGE, 3))
    const [lost, cut] = [blobOf(at('lost')), blobOf(at('cut'))]
    rmSync(fileOf(lost))
    truncateSync(fileOf(cut), 5)
    rmSync(fileOf(blobOf(at('large'))))
    const { missing } = await copy({ link: false })
    expect(missing.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'bucket/cut', blob: cut },
      { path: 'bucket/lost', blob: lost },
    ])
    expect(copied()).toEqual([blobOf(at('large'))])
  })

  it('holds what is deleted while the index is copied', async () => {
    await copy()
    // a moment that stays: all that follows is on names of its own
    const late = at('late')
    await put(store, late, pattern(LARGE, 2))
    const blob = blobOf(late)
    const hold = await Hold.take(nodeFiles, new Layout(folder.folder), instance.id, () => false)
    await store.delete(late)
    await store.delete(at('large'))
    await folder.stop()
    expect(inventory(folder.folder).files).toEqual([])
    expect([...new BlobList(hold.snapshot)].map(({ name }) => name)).toContain(blob)
    expect(readFileSync(hold.path(blob)).equals(pattern(LARGE, 2))).toBe(true)
    await hold.release()
    expect(existsSync(hold.path(blob))).toBe(false)
  })

  it('leaves what it held to the next start when it was killed', async () => {
    await Hold.take(nodeFiles, new Layout(folder.folder), instance.id, () => false)
    instance.close()
    await folder.stop()
    store = await folder.start()
    await folder.stop()
    expect(isTidy(folder.folder)).toBe(true)
    expect(inventory(folder.folder).files).toHaveLength(1)
  })

  it('lets go of what it held where one of the files can not be held, or let go of', async () => {
    for (let n = 0; n < 5; n += 1) await put(store, at(`${n}`), pattern(LARGE, n + 2))
    const layout = new Layout(folder.folder)
    const own = layout.stagingOf(instance.id)
    const take = (files = nodeFiles) => Hold.take(files, layout, instance.id, () => false)
    const inTheWay = blobOf(at('2'))
    mkdirSync(own)
    writeFileSync(layout.staged(instance.id, inTheWay), '')
    await expect(take()).rejects.toThrow('EEXIST')
    expect(readdirSync(own)).toEqual([inTheWay])
    rmSync(own, { recursive: true })
    const unlink = (path: string): Promise<void> =>
      path.endsWith(inTheWay) ? Promise.reject(errno('EIO')) : nodeFiles.unlink(path)
    const hold = await take({ ...nodeFiles, unlink })
    await hold.release()
    expect(readdirSync(own)).toEqual([inTheWay])
  })

  it('refuses an index that names files elsewhere', async () => {
    changeIndex("UPDATE blobs SET name = '../../../elsewhere'")
    await expect(copy()).rejects.toThrow('the index names a blob')
  })

  it('refuses to copy a damaged index', async () => {
    await store.close()
    const file = join(folder.folder, 'index.db')
    const content = readFileSync(file)
    content.fill(0xff, 3 * 4096, 4 * 4096)
    writeFileSync(file, content)
    await expect(copy()).rejects.toThrow(DatabaseError)
  })

  it('ends when it is told to', async () => {
    await expect(copy({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(readdirSync(place().folder)).toEqual(['blobs'])
    expect(readdirSync(join(folder.folder, 'staging'))).not.toContain(instance.id)
  })
})
