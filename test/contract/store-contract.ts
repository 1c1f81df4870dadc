/** What every store must do: one test for each sentence of `gateway/store/store.ts`. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Listing, ListQuery, Store } from '../../gateway/store/store.ts'
import { type ObjectPath, parseObjectPath } from '../../key/object-path.ts'
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

export interface StoreUnderTest {
  readonly store: Store
  /** the clock that the store reads */
  readonly clock: Clock
  readonly remove: () => Promise<void>
}

const KiB = 1024
const MiB = 1024 * KiB
/** Around every size at which a store may change its way. */
const SIZES = [
  0,
  1,
  8 * KiB,
  64 * KiB - 1,
  64 * KiB,
  64 * KiB + 1,
  256 * KiB - 1,
  256 * KiB,
  256 * KiB + 1,
  MiB - 1,
  MiB,
  MiB + 1,
  3 * MiB + 12_345,
]
const SMALL = 100
const LARGE = 600 * KiB

const ODD_NAMES = [
  'a',
  'a/b',
  'a b',
  ' a',
  'a%2Fb',
  '100%',
  'e\u0301',
  '\u00e9',
  'ÜBER/straße',
  '\u{1f511}/\u{1f5dd}\ufe0f.txt',
  '\uff21',
  'CON',
  'con',
  'a.',
  "'; DROP TABLE objects; --",
  '*?[x]',
  `${'ü'.repeat(500)}x`,
]

export interface StoreLimits {
  /** the names that it holds beside each other; absent: all */
  readonly holdable?: (paths: readonly ObjectPath[]) => ObjectPath[]
}

export function storeContract(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { holdable = (paths) => [...paths] }: StoreLimits = {},
): void {
  describe(name, () => {
    let under: StoreUnderTest
    let store: Store
    let count = 0
    const fresh = (): ObjectPath => at(`fresh/${++count}`)

    beforeAll(async () => {
      under = await open()
      store = under.store
    })
    afterAll(() => under.remove())

    describe('objects', () => {
      it.each(SIZES)('%i bytes come back as they were written', async (size) => {
        const path = fresh()
        const content = pattern(size)
        const outcome = await put(store, path, content)
        const info = { path, size, ...described(content) }
        expect(outcome).toEqual({ done: true, created: true, info })
        expect(await store.head(path)).toEqual(info)
        const object = await store.open(path)
        expect(object?.info).toEqual(info)
        object?.close()
        expect(isSame(await contentOf(store, path), content)).toBe(true)
      })

      it.each([1, 7, 64 * KiB - 1, 300_007])('may come in chunks of %i bytes', async (chunk) => {
        const path = fresh()
        const content = pattern(Math.min(chunk * 3000, 2 * MiB + 5))
        await put(store, path, content, { chunk })
        expect(isSame(await contentOf(store, path), content)).toBe(true)
      })

      it('may come in many chunks at once, empty ones among them', async () => {
        const path = fresh()
        const upload = await store.upload(path)
        const parts = [pattern(3), pattern(0), pattern(2 * MiB, 2), pattern(70_000, 3)]
        await upload.write(parts)
        await upload.write([])
        await upload.commit(described(Buffer.concat(parts)))
        expect(isSame(await contentOf(store, path), Buffer.concat(parts))).toBe(true)
      })

      it('are not there before they are put', async () => {
        expect(await store.head(fresh())).toBeUndefined()
        expect(await store.open(fresh())).toBeUndefined()
      })

      it.each([
        [SMALL, SMALL],
        [SMALL, LARGE],
        [LARGE, SMALL],
        [LARGE, LARGE],
        [LARGE, 0],
      ])('of %i bytes are replaced by %i', async (before, after) => {
        const path = fresh()
        await put(store, path, pattern(before, 1))
        const content = pattern(after, 2)
        const outcome = await put(store, path, content, {
          as: { type: 'image/png', etag: '"2"', modified: unixSeconds(START + 5) },
        })
        expect(outcome).toMatchObject({ done: true, created: false, info: { size: after } })
        expect(await store.head(path)).toMatchObject({ type: 'image/png', etag: '"2"' })
        expect(isSame(await contentOf(store, path), content)).toBe(true)
      })

      it.each([SMALL, LARGE])('of %i bytes are deleted, once', async (size) => {
        const path = fresh()
        await put(store, path, pattern(size))
        expect(await store.delete(path)).toBe(true)
        expect(await store.head(path)).toBeUndefined()
        expect(await store.open(path)).toBeUndefined()
        expect(await store.delete(path)).toBe(false)
        expect(await put(store, path, pattern(size))).toMatchObject({ created: true })
      })

      it('keep every name apart from every other', async () => {
        const paths = holdable(ODD_NAMES.map((odd) => at(`odd/${odd}`)))
        const contents = paths.map((_, n) => pattern(SMALL + n, n + 1))
        for (const [n, path] of paths.entries()) await put(store, path, contents[n] as Uint8Array)
        for (const [n, path] of paths.entries()) {
          expect(isSame(await contentOf(store, path), contents[n])).toBe(true)
        }
        const listed = await store.list({ prefix: 'bucket/odd/', limit: 100 })
        expect(listed.objects.map(({ path }) => path)).toEqual(inByteOrder(paths))
      })

      it('have a path of up to 1,024 bytes', async () => {
        const names = [`bkt/${'n'.repeat(1020)}`, `bkt/${'nnn/'.repeat(254)}nnnn`]
        const [path] = holdable(names.map(parseObjectPath))
        if (path === undefined) throw new Error('one of them is held')
        await put(store, path, pattern(SMALL))
        expect(await store.head(path)).toMatchObject({ path, size: SMALL })
        await store.delete(path)
      })
    })

    describe('reading', () => {
      it.each([SMALL, LARGE, 3 * MiB + 1])('any range of %i bytes', async (size) => {
        const path = fresh()
        const content = pattern(size)
        await put(store, path, content)
        const object = await store.open(path)
        if (object === undefined) throw new Error('the object is there')
        const edges = [0, 1, 255, 256 * KiB - 1, 256 * KiB, 256 * KiB + 1, 512 * KiB, MiB, 2 * MiB]
        const range = fc.record({
          position: fc.oneof(fc.nat(size + 5), fc.constantFrom(...edges, size - 1, size)),
          length: fc.oneof(fc.nat(size), fc.constantFrom(...edges)),
        })
        await fc.assert(
          fc.asyncProperty(range, async ({ position, length }) => {
            const into = new Uint8Array(length).fill(0xee)
            const got = await object.read(into, position)
            const expected = content.subarray(position, position + length)
            expect(got).toBe(expected.length)
            expect(isSame(into.subarray(0, got), expected)).toBe(true)
            expect(into.subarray(got).every((byte) => byte === 0xee)).toBe(true)
          }),
          { numRuns: 60 },
        )
        object.close()
      })

      it.each([1000, 100_000, 256 * KiB, 256 * KiB + 1, MiB])(
        'in steps of %i bytes from an odd offset',
        async (step) => {
          const path = fresh()
          const content = pattern(MiB + 77_777)
          await put(store, path, content)
          const object = await store.open(path)
          if (object === undefined) throw new Error('the object is there')
          expect(isSame(await readFrom(object, 12_345, step), content.subarray(12_345))).toBe(true)
          object.close()
        },
      )

      it('of one object by many at the same time, each in parts', async () => {
        const path = fresh()
        const content = pattern(MiB + 5)
        await put(store, path, content)
        const object = await store.open(path)
        if (object === undefined) throw new Error('the object is there')
        const starts = Array.from({ length: 20 }, (_, n) => n * 50_000 + n)
        const parts = await Promise.all(starts.map((from) => readFrom(object, from, 70_001)))
        for (const [n, from] of starts.entries()) {
          expect(isSame(parts[n], content.subarray(from))).toBe(true)
        }
        object.close()
      })

      it.each([
        ['replaced', SMALL],
        ['replaced', LARGE],
        ['deleted', SMALL],
        ['deleted', LARGE],
      ])('goes on to the end when the object is %s (%i bytes)', async (fate, size) => {
        const path = fresh()
        const content = pattern(size, 1)
        await put(store, path, content)
        const object = await store.open(path)
        if (object === undefined) throw new Error('the object is there')
        const first = new Uint8Array(50)
        await object.read(first, 0)
        if (fate === 'replaced') await put(store, path, pattern(size, 2))
        else await store.delete(path)
        // more objects, so that whatever was freed is used again
        for (let n = 0; n < 5; n += 1) await put(store, fresh(), pattern(size, 3 + n))
        expect(object.info).toEqual({ path, size, ...described(content) })
        expect(isSame(await readFrom(object), content)).toBe(true)
        object.close()
        object.close()
      })
    })

    describe('conditions', () => {
      const etag = '"here"'
      const modified = unixSeconds(START + 100)
      const cases = [
        [{ absent: true }, true, false],
        [{ absent: false }, true, true],
        [{ etags: '*' }, false, true],
        [{ etags: [etag] }, false, true],
        [{ etags: ['"x"', etag] }, false, true],
        [{ etags: ['"x"'] }, false, false],
        [{ etags: [] }, false, false],
        [{ notEtags: [etag] }, true, false],
        [{ notEtags: ['"x"'] }, true, true],
        [{ notEtags: [] }, true, true],
        [{ unmodifiedSince: modified }, true, true],
        [{ unmodifiedSince: unixSeconds(modified - 1) }, true, false],
        [{ unmodifiedSince: unixSeconds(modified + 1) }, true, true],
        [{ etags: [etag], unmodifiedSince: unixSeconds(modified - 1) }, false, false],
        [{ etags: [etag], notEtags: [etag] }, false, false],
        [{}, true, true],
      ] as const

      it.each(cases)(
        '%j: where nothing is %s, where an object is %s',
        async (condition, onNone, onOne) => {
          for (const size of [SMALL, LARGE]) {
            const path = fresh()
            const created = await put(store, path, pattern(size), { condition })
            expect(created).toEqual(
              onNone ? expect.objectContaining({ done: true, created: true }) : { done: false },
            )
            await put(store, path, pattern(10, 9), { as: { etag, modified } })
            const existing = await store.head(path)
            const replaced = await put(store, path, pattern(size), { condition })
            expect(replaced).toEqual(
              onOne
                ? expect.objectContaining({ done: true, created: false })
                : { done: false, existing },
            )
            expect((await store.head(path))?.size).toBe(onOne ? size : 10)
          }
        },
      )

      it.each(cases)('%j of a deletion: %s, %s', async (condition, onNone, onOne) => {
        const path = fresh()
        expect(await store.delete(path, condition)).toEqual(onNone ? false : { done: false })
        await put(store, path, pattern(10), { as: { etag, modified } })
        const existing = await store.head(path)
        expect(await store.delete(path, condition)).toEqual(
          onOne ? true : { done: false, existing },
        )
        expect(await store.head(path)).toEqual(onOne ? undefined : existing)
      })

      it.each([SMALL, LARGE])('let exactly one of 50 create an object (%i bytes)', async (size) => {
        const path = fresh()
        const contents = Array.from({ length: 50 }, (_, n) => pattern(size, n + 1))
        const outcomes = await Promise.all(
          contents.map((content) => put(store, path, content, { condition: { absent: true } })),
        )
        const created = outcomes.flatMap((outcome, n) => (outcome.done ? [n] : []))
        expect(created).toHaveLength(1)
        const winner = contents[created[0] ?? -1]
        expect(isSame(await contentOf(store, path), winner)).toBe(true)
        const info = await store.head(path)
        for (const outcome of outcomes) {
          if (!outcome.done) expect(outcome.existing).toEqual(info)
        }
      })

      it('serialise read, change, write by ETag', async () => {
        const path = fresh()
        await put(store, path, pattern(SMALL), { as: { etag: '"0"' } })
        const add = async (): Promise<void> => {
          for (;;) {
            const before = await store.head(path)
            const number = Number(before?.etag.slice(1, -1))
            const outcome = await put(store, path, pattern(SMALL), {
              as: { etag: `"${number + 1}"` },
              condition: { etags: [before?.etag ?? ''] },
            })
            if (outcome.done) return
          }
        }
        await Promise.all(Array.from({ length: 12 }, add))
        expect((await store.head(path))?.etag).toBe('"12"')
      })
    })

    describe('uploads', () => {
      it.each([SMALL, LARGE, 3 * MiB])(
        'are not seen before their commit (%i bytes)',
        async (size) => {
          const path = fresh()
          const upload = await store.upload(path)
          await upload.write([pattern(size)])
          expect(await store.head(path)).toBeUndefined()
          expect(await store.open(path)).toBeUndefined()
          await upload.discard()
          await upload.discard()
          expect(await store.head(path)).toBeUndefined()
          await expect(async () => upload.write([pattern(1)])).rejects.toThrow()
          await expect(upload.commit(described(pattern(0)))).rejects.toThrow()
        },
      )

      it.each(SIZES)('can be read before their commit (%i bytes)', async (size) => {
        const path = fresh()
        const content = pattern(size)
        const upload = await store.upload(path)
        for (let from = 0; from < size; from += 300 * KiB) {
          await upload.write([content.slice(from, from + 300 * KiB)])
        }
        const read = async (): Promise<Uint8Array> => {
          const chunks: Uint8Array[] = []
          for await (const chunk of upload.written()) chunks.push(chunk)
          return Buffer.concat(chunks)
        }
        expect(isSame(await read(), content)).toBe(true)
        expect(await store.head(path)).toBeUndefined()
        expect(isSame(await read(), content)).toBe(true)
        await upload.commit(described(content))
        expect(isSame(await contentOf(store, path), content)).toBe(true)
        await expect(read()).rejects.toThrow()
      })

      it('that are discarded leave the object as it was', async () => {
        const path = fresh()
        await put(store, path, pattern(LARGE, 1))
        const upload = await store.upload(path)
        await upload.write([pattern(2 * MiB, 2)])
        await upload.discard()
        expect(isSame(await contentOf(store, path), pattern(LARGE, 1))).toBe(true)
      })

      it('stay committed when discarded afterwards, and take nothing more', async () => {
        const path = fresh()
        const upload = await store.upload(path)
        await upload.write([pattern(LARGE)])
        await upload.commit(described(pattern(LARGE)))
        await upload.discard()
        await expect(async () => upload.write([pattern(1)])).rejects.toThrow()
        await expect(upload.commit(described(pattern(LARGE)))).rejects.toThrow()
        expect(isSame(await contentOf(store, path), pattern(LARGE))).toBe(true)
      })

      it('may be discarded in the middle of a write', async () => {
        const path = fresh()
        const upload = await store.upload(path)
        const writing = upload.write([pattern(3 * MiB)])
        await Promise.all([writing, upload.discard()])
        expect(await store.head(path)).toBeUndefined()
      })

      it('of one path, begun together, end as the one committed last', async () => {
        const path = fresh()
        const uploads = await Promise.all([store.upload(path), store.upload(path)])
        for (const [n, upload] of uploads.entries()) await upload.write([pattern(LARGE, n + 1)])
        await uploads[1].commit(described(pattern(LARGE, 2)))
        await uploads[0].commit(described(pattern(LARGE, 1)))
        expect(isSame(await contentOf(store, path), pattern(LARGE, 1))).toBe(true)
      })
    })

    describe('expiry', () => {
      const expires = unixSeconds(START + 60)
      const timed = async (moment: number, test: () => Promise<void>): Promise<void> => {
        under.clock.now = moment as UnixSeconds
        try {
          await test()
        } finally {
          under.clock.now = START
        }
      }

      it.each([SMALL, LARGE])('comes with the object (%i bytes), and ends it', async (size) => {
        const path = at(`expiring-${size}/x`)
        await put(store, path, pattern(size), { as: { expires } })
        const listed = () => store.list({ prefix: `bucket/expiring-${size}/`, limit: 10 })
        await timed(expires - 1, async () => {
          expect((await store.head(path))?.expires).toBe(expires)
          expect((await listed()).objects).toHaveLength(1)
        })
        await timed(expires, async () => {
          expect(await store.head(path)).toBeUndefined()
          expect(await store.open(path)).toBeUndefined()
          expect(await listed()).toEqual({ objects: [], prefixes: [] })
          expect(await store.delete(path)).toBe(false)
        })
      })

      it('makes room for another', async () => {
        const path = fresh()
        await put(store, path, pattern(LARGE, 1), { as: { expires } })
        await timed(expires, async () => {
          expect(await put(store, path, pattern(LARGE, 2), { condition: { etags: '*' } })).toEqual({
            done: false,
          })
          const outcome = await put(store, path, pattern(LARGE, 3), { condition: { absent: true } })
          expect(outcome).toMatchObject({ done: true, created: true })
          expect(await store.head(path)).not.toHaveProperty('expires')
        })
      })
    })

    it('has no trouble', async () => {
      expect(await store.trouble()).toBeUndefined()
    })
  })

  describe(`${name}: listing`, () => {
    // few letters, so that prefixes and groups meet; among them those whose order UTF-16 gets wrong
    const letter = fc.constantFrom(
      'a',
      'b',
      '-',
      '/',
      '~',
      'é',
      '\uff21',
      '\ue000',
      '\u{1f511}',
      '\u{10ffff}',
    )
    const text = fc.string({ unit: letter, maxLength: 5 })
    const paths = fc
      .uniqueArray(text, { maxLength: 25 })
      .map((names) =>
        holdable(
          names.map((tail) => `bkt${tail.startsWith('/') ? '' : '/x'}${tail}` as ObjectPath),
        ),
      )
    const query = fc.record(
      {
        prefix: fc.oneof(
          text.map((tail) => `bkt/${tail}`),
          fc.constantFrom('', 'b', 'bkt', 'bkt/', 'bkt/x'),
        ),
        delimiter: fc.constantFrom('/', '-', 'ab', '\u{1f511}'),
        after: fc.oneof(
          text.map((tail) => `bkt/${tail}`),
          text,
        ),
        limit: fc.integer({ min: 1, max: 30 }),
      },
      { requiredKeys: ['prefix', 'limit'] },
    )

    let under: StoreUnderTest
    beforeAll(async () => {
      under = await open()
    })
    afterAll(() => under.remove())

    const withObjects = async (
      all: readonly ObjectPath[],
      test: (store: Store) => Promise<void>,
    ) => {
      const { store } = under
      await Promise.all(all.map((path) => put(store, path, pattern(1))))
      try {
        await test(store)
      } finally {
        await Promise.all(all.map((path) => store.delete(path)))
      }
    }

    it('is what a naive one gives', async () => {
      await fc.assert(
        fc.asyncProperty(
          paths,
          fc.array(query, { minLength: 30, maxLength: 30 }),
          async (all, queries) => {
            await withObjects(all, async (store) => {
              for (const one of queries) {
                expect(namesIn(await store.list(one))).toEqual(naive(all, one))
              }
            })
          },
        ),
        { numRuns: 15 },
      )
    })

    it('gives page by page what it gives at once', async () => {
      await fc.assert(
        fc.asyncProperty(
          paths,
          fc.array(query, { minLength: 10, maxLength: 10 }),
          async (all, queries) => {
            await withObjects(all, async (store) => {
              for (const { after: _, ...one } of queries) {
                const whole = await store.list({ ...one, limit: 1000 })
                expect(whole.next).toBeUndefined()
                const pages = { objects: [] as string[], prefixes: [] as string[] }
                let after: string | undefined
                do {
                  const page = await store.list({ ...one, ...(after !== undefined && { after }) })
                  pages.objects.push(...page.objects.map(({ path }) => path))
                  pages.prefixes.push(...page.prefixes)
                  after = page.next
                } while (after !== undefined)
                const { objects, prefixes } = namesIn(whole)
                expect(pages).toEqual({ objects, prefixes })
              }
            })
          },
        ),
        { numRuns: 10 },
      )
    })

    it('gives what is known of each object', async () => {
      const path = at('known')
      await withObjects([path], async (store) => {
        const expires = unixSeconds(START + 9)
        await put(store, path, pattern(LARGE), { as: { expires, type: 'image/png' } })
        const { objects } = await store.list({ prefix: 'bucket/', limit: 1 })
        expect(objects).toEqual([await store.head(path)])
      })
    })

    it('of a prefix that is no text is empty', async () => {
      await withObjects([at('\ufffd')], async (store) => {
        expect(await store.list({ prefix: 'bucket/\ud800', limit: 5 })).toEqual({
          objects: [],
          prefixes: [],
        })
      })
    })
  })
}

const inByteOrder = <T extends string>(texts: readonly T[]): T[] =>
  [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

const isBefore = (a: string, b: string): boolean =>
  Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0

const namesIn = ({ objects, prefixes, next }: Listing) => ({
  objects: objects.map(({ path }) => path as string),
  prefixes: [...prefixes],
  ...(next !== undefined && { next }),
})

/** Each sentence of what a listing is, without a thought of speed. */
function naive(all: readonly ObjectPath[], { prefix, delimiter, after, limit }: ListQuery) {
  const items = new Map<string, 'object' | 'prefix'>()
  for (const path of inByteOrder(all)) {
    if (!path.startsWith(prefix)) continue
    if (after !== undefined && !isBefore(after, path)) continue
    const at = delimiter === undefined ? -1 : path.indexOf(delimiter, prefix.length)
    const group = at < 0 ? undefined : path.slice(0, at + (delimiter ?? '').length)
    if (group !== undefined && group === after) continue
    items.set(group ?? path, group === undefined ? 'object' : 'prefix')
  }
  const given = [...items].slice(0, limit)
  const of = (kind: string) => given.flatMap(([name, is]) => (is === kind ? [name] : []))
  const next = items.size > limit ? given.at(-1)?.[0] : undefined
  return { objects: of('object'), prefixes: of('prefix'), ...(next !== undefined && { next }) }
}
