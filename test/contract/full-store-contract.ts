/** What stores with all powers must do: one test for each sentence of `full-store.ts`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FullStore } from '../../gateway/store/full-store.ts'
import type { ObjectMeta, OpenObject } from '../../gateway/store/store.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { type UnixSeconds, unixSeconds } from '../../key/units.ts'
import {
  at,
  type Clock,
  contentOf,
  described,
  isSame,
  pattern,
  put,
  readFrom,
  START,
} from '../support/store.ts'

export interface FullStoreUnderTest {
  readonly store: FullStore
  /** the clock that the store reads */
  readonly clock: Clock
  readonly remove: () => Promise<void>
}

const SMALL = 100
const LARGE = 600 * 1024
const LATER = unixSeconds(START + 7)

const META: ObjectMeta = {
  user: { 'x-team': 'blau', ü: 'a, b', ['__proto__']: 'x' },
  contentDisposition: 'attachment; filename="a.txt"',
  contentEncoding: 'gzip',
  contentLanguage: 'de',
  cacheControl: 'max-age=5',
  expires: 'Thu, 01 Dec 1994 16:00:00 GMT',
  tags: { project: 'x/y', empty: '' },
  checksums: { type: 'FULL_OBJECT', values: { CRC32: 'AAAAAA==' } },
  partSizes: [5, 5, 5, 3, 5],
}

export function fullStoreContract(name: string, open: () => Promise<FullStoreUnderTest>): void {
  describe(name, () => {
    let under: FullStoreUnderTest
    let store: FullStore
    let count = 0
    const fresh = (): ObjectPath => at(`full/${++count}`)
    const bucketPath = (bucket: string, key = 'x'): ObjectPath => `${bucket}/${key}` as ObjectPath

    beforeAll(async () => {
      under = await open()
      store = under.store
    })
    afterAll(() => under.remove())

    const timed = async (moment: number, test: () => Promise<void>): Promise<void> => {
      under.clock.now = moment as UnixSeconds
      try {
        await test()
      } finally {
        under.clock.now = START
      }
    }

    describe('metadata', () => {
      it.each([SMALL, LARGE])('comes back as it was put (%i bytes)', async (size) => {
        const path = fresh()
        const outcome = await put(store, path, pattern(size), { as: { meta: META } })
        expect(outcome).toMatchObject({ done: true, info: { meta: META } })
        expect((await store.head(path))?.meta).toEqual(META)
        const object = await store.open(path)
        expect(object?.info.meta).toEqual(META)
        object?.close()
      })

      it('is absent where none was stated, or an empty one', async () => {
        const [none, empty] = [fresh(), fresh()]
        await put(store, none, pattern(SMALL))
        const outcome = await put(store, empty, pattern(SMALL), { as: { meta: {} } })
        expect(outcome.done && outcome.info).not.toHaveProperty('meta')
        expect(await store.head(none)).not.toHaveProperty('meta')
        expect(await store.head(empty)).not.toHaveProperty('meta')
      })

      it('is not in listings', async () => {
        const path = at('listed-meta/x')
        await put(store, path, pattern(SMALL), { as: { meta: META } })
        const { objects } = await store.list({ prefix: 'bucket/listed-meta/', limit: 5 })
        expect(objects).toEqual([{ path, size: SMALL, ...described(pattern(SMALL)) }])
      })

      it.each([SMALL, LARGE])('is changed without touching the rest (%i bytes)', async (size) => {
        const path = fresh()
        await put(store, path, pattern(size), { as: { meta: META } })
        const before = await store.head(path)
        const change = { tags: { new: '1' }, cacheControl: null }
        const { cacheControl: _, ...rest } = META
        const info = { ...before, meta: { ...rest, tags: { new: '1' } } }
        expect(await store.setMeta(path, change)).toEqual({ done: true, created: false, info })
        expect(await store.head(path)).toEqual(info)
        expect(isSame(await contentOf(store, path), pattern(size))).toBe(true)
      })

      it('is set where there was none, and removed again', async () => {
        const path = fresh()
        await put(store, path, pattern(SMALL))
        const before = await store.head(path)
        await store.setMeta(path, { tags: { a: 'b' } })
        expect((await store.head(path))?.meta).toEqual({ tags: { a: 'b' } })
        await store.setMeta(path, { tags: null, user: null })
        expect(await store.head(path)).toEqual(before)
      })

      it('is changed on conditions, and of what is there only', async () => {
        const path = fresh()
        expect(await store.setMeta(path, { tags: {} })).toEqual({ done: false })
        expect(await store.setMeta(path, { tags: {} }, { absent: true })).toEqual({ done: false })
        await put(store, path, pattern(SMALL))
        const existing = await store.head(path)
        const change = { tags: { a: 'b' } }
        const outcome = await store.setMeta(path, change, { etags: ['"other"'] })
        expect(outcome).toEqual({ done: false, existing })
        expect(await store.head(path)).toEqual(existing)
        const etags = [existing?.etag ?? '']
        expect(await store.setMeta(path, change, { etags })).toMatchObject({ done: true })
      })

      it('is not changed of an object that has expired', async () => {
        const path = fresh()
        await put(store, path, pattern(SMALL), { as: { expires: LATER } })
        await timed(LATER, async () => {
          expect(await store.setMeta(path, { tags: {} })).toEqual({ done: false })
        })
      })
    })

    describe('copies', () => {
      it.each([0, SMALL, LARGE])('of %i bytes are what the source is', async (size) => {
        const [from, to] = [fresh(), fresh()]
        await put(store, from, pattern(size), { as: { meta: META, expires: LATER } })
        const { expires: _, ...source } = (await store.head(from)) ?? {}
        const info = { ...source, path: to, modified: LATER }
        const outcome = await store.copy(from, to, { modified: LATER })
        expect(outcome).toEqual({ done: true, created: true, info })
        expect(await store.head(to)).toEqual(info)
        expect(isSame(await contentOf(store, to), pattern(size))).toBe(true)
        expect((await store.head(from))?.expires).toBe(LATER)
      })

      it('are what is stated instead', async () => {
        const [from, to] = [fresh(), fresh()]
        await put(store, from, pattern(LARGE), { as: { meta: META } })
        const as = {
          type: 'image/png',
          etag: '"copy"',
          modified: LATER,
          expires: unixSeconds(START + 90),
          meta: { user: { a: 'b' } },
        }
        await store.copy(from, to, as)
        const { sha256 } = described(pattern(LARGE))
        expect(await store.head(to)).toEqual({ path: to, size: LARGE, sha256, ...as })
        await store.copy(from, to, { modified: LATER, meta: {} })
        expect(await store.head(to)).not.toHaveProperty('meta')
      })

      it.each([
        [SMALL, 'deleted'],
        [LARGE, 'deleted'],
        [SMALL, 'replaced'],
        [LARGE, 'replaced'],
      ])('of %i bytes stay when the source is %s', async (size, fate) => {
        const [from, to, third] = [fresh(), fresh(), fresh()]
        await put(store, from, pattern(size, 1))
        await store.copy(from, to, { modified: START })
        await store.copy(to, third, { modified: START })
        if (fate === 'deleted') await store.delete(from)
        else await put(store, from, pattern(size, 2))
        for (let n = 0; n < 5; n += 1) await put(store, fresh(), pattern(size, 3 + n))
        expect(isSame(await contentOf(store, to), pattern(size, 1))).toBe(true)
        await store.delete(to)
        expect(isSame(await contentOf(store, third), pattern(size, 1))).toBe(true)
        await store.delete(third)
        expect(await store.open(third)).toBeUndefined()
      })

      it.each([SMALL, LARGE])('replace what is there (%i bytes)', async (size) => {
        const [from, to] = [fresh(), fresh()]
        await put(store, from, pattern(size, 1))
        await put(store, to, pattern(LARGE, 2))
        const held = (await store.open(to)) as OpenObject
        const outcome = await store.copy(from, to, { modified: START })
        expect(outcome).toMatchObject({ done: true, created: false })
        expect(isSame(await contentOf(store, to), pattern(size, 1))).toBe(true)
        expect(isSame(await readFrom(held), pattern(LARGE, 2))).toBe(true)
        held.close()
      })

      it.each([SMALL, LARGE])('onto themselves change what is known (%i bytes)', async (size) => {
        const path = fresh()
        await put(store, path, pattern(size), { as: { meta: META, expires: LATER } })
        const as = { modified: LATER, type: 'image/png', meta: { user: { a: 'b' } } }
        const outcome = await store.copy(path, path, as)
        const { etag, sha256 } = described(pattern(size))
        const info = { path, size, etag, sha256, ...as }
        expect(outcome).toEqual({ done: true, created: false, info })
        expect(await store.head(path)).toEqual(info)
        expect(isSame(await contentOf(store, path), pattern(size))).toBe(true)
        await store.delete(path)
        expect(await store.open(path)).toBeUndefined()
      })

      it('are made on conditions of the source', async () => {
        const [from, to] = [fresh(), fresh()]
        const as = { modified: START }
        expect(await store.copy(from, to, as)).toEqual({ done: false, of: 'source' })
        expect(await store.copy(from, to, as, { source: { absent: true } })).toEqual({
          done: false,
          of: 'source',
        })
        await put(store, from, pattern(SMALL))
        const existing = await store.head(from)
        expect(await store.copy(from, to, as, { source: { etags: ['"x"'] } })).toEqual({
          done: false,
          of: 'source',
          existing,
        })
        expect(await store.head(to)).toBeUndefined()
        const etags = [existing?.etag ?? '']
        expect(await store.copy(from, to, as, { source: { etags } })).toMatchObject({ done: true })
      })

      it('are made on conditions of the target', async () => {
        const [from, to] = [fresh(), fresh()]
        await put(store, from, pattern(LARGE, 1))
        await put(store, to, pattern(LARGE, 2), { as: { etag: '"2"' } })
        const existing = await store.head(to)
        const as = { modified: START }
        const outcome = await store.copy(from, to, as, { target: { absent: true } })
        expect(outcome).toEqual({ done: false, of: 'target', existing })
        expect(await store.copy(from, fresh(), as, { target: { etags: '*' } })).toEqual({
          done: false,
          of: 'target',
        })
        expect(isSame(await contentOf(store, to), pattern(LARGE, 2))).toBe(true)
        const target = { etags: ['"2"'] }
        expect(await store.copy(from, to, as, { target })).toMatchObject({ done: true })
      })

      it('are not made of what has expired, and in place of what has', async () => {
        const [from, to] = [fresh(), fresh()]
        await put(store, from, pattern(LARGE), { as: { expires: LATER } })
        await put(store, to, pattern(LARGE, 2), { as: { expires: LATER } })
        const kept = fresh()
        await put(store, kept, pattern(SMALL))
        await timed(LATER, async () => {
          const as = { modified: START }
          expect(await store.copy(from, fresh(), as)).toEqual({ done: false, of: 'source' })
          const target = { absent: true }
          const outcome = await store.copy(kept, to, as, { target })
          expect(outcome).toMatchObject({ done: true, created: true })
        })
      })

      it('and deletions of one source at once end whole', async () => {
        for (let round = 0; round < 5; round += 1) {
          const from = fresh()
          await put(store, from, pattern(LARGE, round + 1))
          const targets = Array.from({ length: 8 }, fresh)
          const outcomes = await Promise.all([
            ...targets.map((to) => store.copy(from, to, { modified: START })),
            store.delete(from),
          ])
          for (const [n, to] of targets.entries()) {
            const outcome = outcomes[n]
            const isCopied = typeof outcome === 'object' && outcome.done
            const content = await contentOf(store, to)
            if (isCopied) expect(isSame(content, pattern(LARGE, round + 1))).toBe(true)
            else expect(content).toBeUndefined()
          }
        }
      })
    })

    describe('buckets', () => {
      const named = { empty: 'made-empty', full: 'holds-one' }

      it('exist once they are created, once', async () => {
        expect(await store.buckets.find(named.empty)).toBeUndefined()
        expect(await store.buckets.create(named.empty, LATER)).toBe(true)
        expect(await store.buckets.find(named.empty)).toEqual({ name: named.empty, created: LATER })
        expect(await store.buckets.create(named.empty, START)).toBe(false)
        expect(await store.buckets.find(named.empty)).toEqual({ name: named.empty, created: LATER })
        expect(await store.buckets.remove(named.empty)).toBe('removed')
        expect(await store.buckets.find(named.empty)).toBeUndefined()
        expect(await store.buckets.remove(named.empty)).toBe('not found')
      })

      it('exist while they hold an object', async () => {
        const path = bucketPath(named.full)
        await put(store, path, pattern(SMALL), { as: { modified: LATER } })
        expect(await store.buckets.find(named.full)).toEqual({ name: named.full, created: LATER })
        expect(await store.buckets.remove(named.full)).toBe('not empty')
        await store.delete(path)
        expect(await store.buckets.find(named.full)).toBeUndefined()
        expect(await store.buckets.remove(named.full)).toBe('not found')
      })

      it('that held an object stay when they were created as well', async () => {
        const path = bucketPath('stays')
        await put(store, path, pattern(SMALL))
        expect(await store.buckets.create('stays', LATER)).toBe(false)
        expect(await store.buckets.remove('stays')).toBe('not empty')
        await store.delete(path)
        expect(await store.buckets.find('stays')).toEqual({ name: 'stays', created: LATER })
        expect(await store.buckets.remove('stays')).toBe('removed')
      })

      it('hold no object that has expired', async () => {
        await put(store, bucketPath('expiring'), pattern(SMALL), { as: { expires: LATER } })
        expect(await store.buckets.find('expiring')).toBeDefined()
        await timed(LATER, async () => {
          expect(await store.buckets.find('expiring')).toBeUndefined()
          expect(await store.buckets.remove('expiring')).toBe('not found')
        })
      })

      it('are listed in order, each once', async () => {
        const before = (await store.buckets.list()).map(({ name }) => name)
        const names = ['lst', 'lst-a', 'lst.b', 'lst0', 'lsta', 'ls']
        for (const name of names) {
          await put(store, bucketPath(name, '0'), pattern(1), { as: { modified: LATER } })
          await put(store, bucketPath(name, 'a/b'), pattern(1))
        }
        await store.buckets.create('lst', unixSeconds(START + 99))
        await store.buckets.create('lst-empty', LATER)
        const all = [...before, ...names, 'lst-empty'].sort()
        const listed = await store.buckets.list()
        expect(listed.map(({ name }) => name)).toEqual(all)
        for (const bucket of listed) {
          expect(await store.buckets.find(bucket.name)).toEqual(bucket)
        }
        expect(listed).toContainEqual({ name: 'lst', created: START + 99 })
        expect(listed).toContainEqual({ name: 'lst.b', created: LATER })
      })

      it('that are removed take along what is being uploaded to them in parts', async () => {
        await store.buckets.create('in-parts', START)
        const note = ''
        const as = { type: 'text/plain', note, created: START, expires: LATER }
        const ref = await store.multipart.create(bucketPath('in-parts'), as)
        const other = await store.multipart.create(bucketPath('in-parts0'), as)
        expect(await store.buckets.remove('in-parts')).toBe('removed')
        expect(await store.multipart.find(ref)).toBeUndefined()
        expect(await store.multipart.find(other)).toEqual(other)
        await store.multipart.abort(other)
      })
    })
  })
}
