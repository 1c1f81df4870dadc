/** What the store on disk does with parts and copies beyond its contract. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DiskStore } from '../../../../../gateway/store/disk/store.ts'
import { type Files, nodeFiles } from '../../../../../gateway/store/files/files.ts'
import { Damaged } from '../../../../../gateway/store/store.ts'
import type { ObjectPath } from '../../../../../key/object-path.ts'
import { bytes, unixSeconds } from '../../../../../key/units.ts'
import { completedOf, etagOf, NEW_UPLOAD, putPart } from '../../../../support/multipart.ts'
import {
  at,
  contentOf,
  isSame,
  pattern,
  put,
  readFrom,
  START,
  StoreFolder,
} from '../../../../support/store.ts'
import { FaultyFiles } from '../../../../support/store-faults.ts'
import { inventory, isTidy } from '../../../../support/store-leftovers.ts'

const LARGE = 600 * 1024

describe('the store on disk', () => {
  let folder: StoreFolder
  beforeEach(() => {
    folder = new StoreFolder()
  })
  afterEach(() => folder.remove())

  const filesIn = (): number => inventory(folder.folder).files.length
  /** An object of so many files. */
  const assemble = async (store: DiskStore, path: ObjectPath, parts: number) => {
    const ref = await store.multipart.create(path, NEW_UPLOAD)
    const contents = Array.from({ length: parts }, (_, n) => pattern(5000 + n, n + 1))
    for (const [n, content] of contents.entries()) {
      await putPart(store.multipart, ref, n + 1, content)
    }
    const list = { parts: contents.map((one, n) => ({ number: n + 1, etag: etagOf(one) })) }
    await store.multipart.complete(ref, list, completedOf())
    return Buffer.concat(contents)
  }

  describe('with parts', () => {
    it('counts and bounds what other processes on the folder have begun', async () => {
      const [one, other] = [await folder.start(), await folder.start()]
      const limits = [{ under: 'key', most: 3 }]
      const begin = ({ multipart }: DiskStore, n: number) =>
        multipart.create(at(`x${n}`), NEW_UPLOAD, limits)
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => begin(n % 2 === 0 ? one : other, n)),
      )
      const begun = outcomes.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
      expect(begun).toHaveLength(3)
      const [ref] = begun
      if (ref === undefined) throw new Error('none was begun')
      const most = { most: bytes(LARGE + 10) }
      const parts = await Promise.all(
        [one, other].map(async ({ multipart }, n) => {
          const part = await multipart.part(ref, n + 1)
          await part?.write([pattern(LARGE)])
          const outcome = await part?.commit({ etag: '"x"', modified: START }, most)
          await part?.discard()
          return outcome?.done
        }),
      )
      expect(parts.sort()).toEqual([false, true])
    })

    it('finds them after a restart', async () => {
      const before = await folder.start()
      const ref = await before.multipart.create(at('x'), NEW_UPLOAD)
      await putPart(before.multipart, ref, 1, pattern(LARGE))
      const listed = before.multipart.parts(ref, { limit: 5 })
      await folder.stop()
      expect(isTidy(folder.folder)).toBe(true)
      const after = await folder.start()
      expect(after.multipart.find(ref)).toEqual(ref)
      expect(after.multipart.parts(ref, { limit: 5 })).toEqual(listed)
      const list = { parts: [{ number: 1, etag: etagOf(pattern(LARGE)) }] }
      await after.multipart.complete(ref, list, completedOf())
      expect(isSame(await contentOf(after, at('x')), pattern(LARGE))).toBe(true)
    })

    it('writes each once, and moves no bytes in the end', async () => {
      const faulty = new FaultyFiles()
      const store = await folder.start({ files: faulty.files })
      const ref = await store.multipart.create(at('x'), NEW_UPLOAD)
      for (const number of [1, 2])
        await putPart(store.multipart, ref, number, pattern(LARGE, number))
      faulty.begin(() => undefined)
      const parts = [1, 2].map((number) => ({ number, etag: etagOf(pattern(LARGE, number)) }))
      await store.multipart.complete(ref, { parts }, completedOf())
      expect(faulty.calls).toEqual([])
      expect(filesIn()).toBe(2)
    })

    it('gives the space of those replaced, not named, and aborted back', async () => {
      const store = await folder.start()
      const ref = await store.multipart.create(at('x'), NEW_UPLOAD)
      for (const seed of [1, 2, 3]) await putPart(store.multipart, ref, 1, pattern(LARGE, seed))
      await putPart(store.multipart, ref, 2, pattern(LARGE, 4))
      const aborted = await store.multipart.create(at('x'), NEW_UPLOAD)
      await putPart(store.multipart, aborted, 1, pattern(LARGE, 5))
      await store.multipart.abort(aborted)
      await put(store, at('x'), pattern(LARGE, 6))
      const parts = [{ number: 1, etag: etagOf(pattern(LARGE, 3)) }]
      await store.multipart.complete(ref, { parts }, completedOf())
      await folder.stop()
      expect(filesIn()).toBe(1)
      expect(isTidy(folder.folder)).toBe(true)
    })

    it('sweeps uploads that have expired', async () => {
      const store = await folder.start()
      const soon = unixSeconds(START + 1)
      const refs = []
      for (let n = 0; n < 12; n += 1) {
        refs.push(await store.multipart.create(at(`x/${n}`), { ...NEW_UPLOAD, expires: soon }))
      }
      const [first] = refs
      if (first) await putPart(store.multipart, first, 1, pattern(LARGE))
      const kept = await store.multipart.create(at('y'), NEW_UPLOAD)
      expect(await store.sweep(START)).toBe(0)
      expect(await store.sweep(soon)).toBe(12)
      expect(await store.sweep(soon)).toBe(0)
      expect(store.multipart.find(kept)).toEqual(kept)
      await folder.stop()
      expect(filesIn()).toBe(0)
      expect(isTidy(folder.folder)).toBe(true)
    })

    it('takes none on a full disk, and puts together those it has', async () => {
      let free = 1000
      const space: Files['space'] = async () => ({ free, total: 2 ** 40 })
      const store = await folder.start({ files: { ...nodeFiles, space }, reserve: bytes(1000) })
      const ref = await store.multipart.create(at('x'), NEW_UPLOAD)
      await putPart(store.multipart, ref, 1, pattern(LARGE))
      free = 999
      folder.clock.now = unixSeconds(START + 1)
      const full = { code: 'storage_full' }
      await expect(store.multipart.create(at('y'), NEW_UPLOAD)).rejects.toMatchObject(full)
      await expect(store.multipart.part(ref, 2)).rejects.toMatchObject(full)
      await expect(store.copy(at('x'), at('y'), { modified: START })).rejects.toMatchObject(full)
      const parts = [{ number: 1, etag: etagOf(pattern(LARGE)) }]
      expect(await store.multipart.complete(ref, { parts }, completedOf())).toMatchObject({
        done: true,
      })
    })

    it('refuses to string more pieces together than anybody needs', async () => {
      const store = await folder.start()
      const numbers = Array.from({ length: 101 }, (_, n) => n + 1)
      await assemble(store, at('pieces'), 101)
      const copy = async (from: string, to: string): Promise<void> => {
        const ref = await store.multipart.create(at(to), NEW_UPLOAD)
        const as = { etag: '"c"', modified: START }
        for (const number of numbers) {
          await store.multipart.copyPart(ref, number, { path: at(from) }, as)
        }
        const parts = numbers.map((number) => ({ number, etag: '"c"' }))
        await store.multipart.complete(ref, { parts }, completedOf())
      }
      await copy('pieces', 'more')
      const tooMany = { code: 'too_large' }
      await expect(copy('more', 'most')).rejects.toMatchObject(tooMany)
    })
  })

  describe('with copies', () => {
    it('keeps one file for all, until the last goes', async () => {
      const store = await folder.start()
      await put(store, at('a'), pattern(LARGE))
      await store.copy(at('a'), at('b'), { modified: START })
      const ref = await store.multipart.create(at('c'), NEW_UPLOAD)
      const as = { etag: '"c"', modified: START }
      await store.multipart.copyPart(ref, 1, { path: at('b') }, as)
      expect(filesIn()).toBe(1)
      await put(store, at('a'), pattern(1))
      await store.delete(at('b'))
      await store.multipart.complete(ref, { parts: [{ number: 1, etag: '"c"' }] }, completedOf())
      await folder.stop()
      expect(filesIn()).toBe(1)
      const again = await folder.start()
      expect(isSame(await contentOf(again, at('c')), pattern(LARGE))).toBe(true)
      await again.delete(at('c'))
      await folder.stop()
      expect(filesIn()).toBe(0)
      expect(isTidy(folder.folder)).toBe(true)
    })

    it('sweeps a copy that has expired, and leaves the other its file', async () => {
      const store = await folder.start()
      await put(store, at('a'), pattern(LARGE))
      await store.copy(at('a'), at('b'), { modified: START, expires: unixSeconds(START + 1) })
      expect(await store.sweep(unixSeconds(START + 1))).toBe(1)
      expect(isSame(await contentOf(store, at('a')), pattern(LARGE))).toBe(true)
    })
  })

  describe('with an object of many files', () => {
    const MANY = 40

    it('opens none of them before it is read, and is pinned once for all readers', async () => {
      const faulty = new FaultyFiles()
      const store = await folder.start({ files: faulty.files })
      const whole = await assemble(store, at('x'), MANY)
      faulty.begin(() => undefined)
      const readers = await Promise.all(Array.from({ length: 5 }, () => store.open(at('x'))))
      expect(faulty.calls).toEqual([])
      expect(inventory(folder.folder).pins).toHaveLength(1)
      for (const reader of readers) {
        expect(isSame(reader && (await readFrom(reader)), whole)).toBe(true)
        reader?.close()
      }
    })

    it('keeps the files until the last reader has ended, and gives them back then', async () => {
      const store = await folder.start()
      const whole = await assemble(store, at('x'), MANY)
      const [one, two] = await Promise.all([store.open(at('x')), store.open(at('x'))])
      await store.delete(at('x'))
      one?.close()
      one?.close()
      expect(isSame(two && (await readFrom(two)), whole)).toBe(true)
      two?.close()
      await folder.stop()
      expect(filesIn()).toBe(0)
      expect(isTidy(folder.folder)).toBe(true)
    })

    it('does not take another for it that has its place in the index', async () => {
      const store = await folder.start()
      for (let round = 0; round < 4; round += 1) {
        const whole = await assemble(store, at('x'), MANY - round)
        const before = await store.open(at('x'))
        await store.delete(at('x'))
        const other = await assemble(store, at('x'), MANY + 1 + round)
        const after = await store.open(at('x'))
        await put(store, at('x'), pattern(10))
        expect(isSame(before && (await readFrom(before)), whole)).toBe(true)
        expect(isSame(after && (await readFrom(after)), other)).toBe(true)
        before?.close()
        after?.close()
      }
      await folder.stop()
      expect(isTidy(folder.folder)).toBe(true)
    })

    it('opens what is there when it is replaced at that moment', async () => {
      const store = await folder.start()
      const contents: Uint8Array[] = [await assemble(store, at('x'), MANY)]
      for (let round = 0; round < 4; round += 1) {
        const opening = [store.open(at('x')), store.open(at('x'))]
        const small = pattern(100, round + 1)
        contents.push(small)
        const replacing = put(store, at('x'), small)
        for (const object of await Promise.all(opening)) {
          const content = object && (await readFrom(object))
          expect(contents.some((one) => isSame(one, content))).toBe(true)
          object?.close()
        }
        await replacing
        contents.push(await assemble(store, at('x'), MANY))
      }
    })

    it('is damaged where a file is missing', async () => {
      const store = await folder.start()
      await assemble(store, at('x'), MANY)
      const object = await store.open(at('x'))
      for (const name of inventory(folder.folder).files) {
        rmSync(join(folder.folder, 'blobs', name.slice(0, 2), name))
      }
      await expect(async () => object && (await readFrom(object))).rejects.toThrow(Damaged)
      object?.close()
    })
  })
})
