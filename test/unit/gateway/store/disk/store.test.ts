/** What the store on disk does beyond its contract. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Files, nodeFiles } from '../../../../../gateway/store/files/files.ts'
import { bytes, later, seconds, unixSeconds } from '../../../../../key/units.ts'
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
import { errno, FaultyFiles } from '../../../../support/store-faults.ts'
import { inventory, isTidy } from '../../../../support/store-leftovers.ts'

const LARGE = 600 * 1024

describe('the store on disk', () => {
  let folder: StoreFolder
  beforeEach(() => {
    folder = new StoreFolder()
  })
  afterEach(() => folder.remove())

  it('finds after a restart what was there before', async () => {
    const before = await folder.start()
    const expires = later(START, seconds(5))
    await put(before, at('small'), pattern(10), { as: { expires } })
    await put(before, at('large'), pattern(LARGE, 2))
    const listed = before.list({ prefix: '', limit: 10 })
    await folder.stop()
    const after = await folder.start()
    expect(after.list({ prefix: '', limit: 10 })).toEqual(listed)
    expect(isSame(await contentOf(after, at('small')), pattern(10))).toBe(true)
    expect(isSame(await contentOf(after, at('large')), pattern(LARGE, 2))).toBe(true)
  })

  it('keeps up to 64 KiB in the index, more in a file', async () => {
    const store = await folder.start()
    await put(store, at('inside'), pattern(64 * 1024))
    expect(inventory(folder.folder).files).toHaveLength(0)
    await put(store, at('outside'), pattern(64 * 1024 + 1))
    expect(inventory(folder.folder).files).toHaveLength(1)
    const object = await store.open(at('inside'))
    expect(isSame(object?.near?.(0), pattern(64 * 1024))).toBe(true)
    const outside = await store.open(at('outside'))
    expect(outside?.near?.(0)).toBeUndefined()
    outside?.close()
  })

  it('gives the space of what is replaced and deleted back at once', async () => {
    const store = await folder.start()
    for (let n = 0; n < 5; n += 1) await put(store, at('again'), pattern(LARGE, n))
    await put(store, at('gone'), pattern(LARGE))
    await store.delete(at('gone'))
    await folder.stop()
    expect(inventory(folder.folder).files).toHaveLength(1)
    expect(isTidy(folder.folder)).toBe(true)
  })

  it('leaves nothing of uploads that end otherwise', async () => {
    const store = await folder.start()
    await put(store, at('x'), pattern(LARGE))
    await put(store, at('x'), pattern(LARGE), { condition: { absent: true } })
    const discarded = await store.upload(at('y'))
    await discarded.write([pattern(3 * 1024 * 1024)])
    expect(inventory(folder.folder).staged).toHaveLength(1)
    await discarded.discard()
    expect(inventory(folder.folder).staged).toHaveLength(0)
    await folder.stop()
    expect(isTidy(folder.folder)).toBe(true)
  })

  it('sweeps what has expired, a thousand at a time, and its files', async () => {
    const store = await folder.start()
    const soon = unixSeconds(START + 1)
    const names = Array.from({ length: 1500 }, (_, n) => at(`small/${n}`))
    await Promise.all(names.map((path) => put(store, path, pattern(1), { as: { expires: soon } })))
    await put(store, at('large'), pattern(LARGE), { as: { expires: soon } })
    await put(store, at('later'), pattern(1), { as: { expires: unixSeconds(START + 2) } })
    await put(store, at('never'), pattern(1))
    expect(await store.sweep(START)).toBe(0)
    expect(await store.sweep(soon)).toBe(1501)
    expect(await store.sweep(soon)).toBe(0)
    const { objects } = store.list({ prefix: '', limit: 10 })
    expect(objects.map(({ path }) => path)).toEqual([at('later'), at('never')])
    await folder.stop()
    expect(isTidy(folder.folder)).toBe(true)
    expect(inventory(folder.folder).files).toEqual([])
  })

  it('refuses uploads on a full disk, goes on with all else, and recovers', async () => {
    let free = 1000
    const space: Files['space'] = async () => ({ free, total: 2 ** 40 })
    const store = await folder.start({ files: { ...nodeFiles, space }, reserve: bytes(1000) })
    await put(store, at('x'), pattern(LARGE))
    await put(store, at('z'), pattern(1))
    const begun = await store.upload(at('y'))
    await begun.write([pattern(10)])
    free = 999
    folder.clock.now = unixSeconds(START + 1)
    const full = { code: 'storage_full' }
    expect(await store.trouble()).toMatchObject(full)
    await expect(async () => store.upload(at('y'))).rejects.toMatchObject(full)
    await expect(begun.commit(described(pattern(10)))).rejects.toMatchObject(full)
    expect(isSame(await contentOf(store, at('x')), pattern(LARGE))).toBe(true)
    expect(await store.delete(at('z'))).toBe(true)
    free = 1000
    folder.clock.now = unixSeconds(START + 2)
    expect(await store.trouble()).toBeUndefined()
    expect(await put(store, at('y'), pattern(LARGE))).toMatchObject({ created: true })
  })

  it('commits nothing after a write that failed', async () => {
    const faulty = new FaultyFiles()
    const store = await folder.start({ files: faulty.files })
    const upload = await store.upload(at('x'))
    faulty.begin(({ name, nth }) => (name === 'append' && nth === 0 ? { code: 'EIO' } : undefined))
    const megabyte = [pattern(1024 * 1024)]
    await expect(async () => upload.write(megabyte)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(async () => upload.write(megabyte)).rejects.toThrow('ended')
    await expect(upload.commit(described(pattern(0)))).rejects.toThrow('ended')
    expect(store.head(at('x'))).toBeUndefined()
    await upload.discard()
    expect(inventory(folder.folder).staged).toEqual([])
  })

  it('looks again when another process replaced an object between index and file', async () => {
    let misses = 1
    const open: Files['open'] = (path) => {
      if (path.includes('/blobs/') && misses-- > 0) throw errno('ENOENT')
      return nodeFiles.open(path)
    }
    const writer = await folder.start()
    await put(writer, at('x'), pattern(LARGE))
    const store = await folder.start({ files: { ...nodeFiles, open } })
    expect(isSame(await contentOf(store, at('x')), pattern(LARGE))).toBe(true)
    expect(misses).toBe(-1)
  })

  it('can be closed twice, and objects read on', async () => {
    const store = await folder.start()
    await put(store, at('x'), pattern(LARGE))
    const object = await store.open(at('x'))
    await Promise.all([store.close(), store.close()])
    const into = new Uint8Array(LARGE)
    expect(await object?.read(into, 0)).toBe(LARGE)
    object?.close()
    const upload = async () => (await store.upload(at('y'))).commit(described(pattern(0)))
    await expect(upload()).rejects.toMatchObject({ code: 'unavailable' })
  })
})
