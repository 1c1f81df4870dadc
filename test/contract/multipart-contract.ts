/** What every store that takes uploads in parts must do: `multipart.ts`, sentence by sentence. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FullStore } from '../../gateway/store/full-store.ts'
import type {
  Multipart,
  MultipartInfo,
  MultipartQuery,
  NamedPart,
  NewMultipart,
} from '../../gateway/store/multipart.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { bytes, type UnixSeconds, unixSeconds } from '../../key/units.ts'
import { completedOf, etagOf, NEW_UPLOAD, putPart } from '../support/multipart.ts'
import { at, contentOf, isSame, pattern, put, readFrom, START } from '../support/store.ts'
import type { FullStoreUnderTest } from './full-store-contract.ts'

const KiB = 1024
const SMALL = 100
const LARGE = 600 * KiB
const LATER = unixSeconds(START + 7)

export function multipartContract(name: string, open: () => Promise<FullStoreUnderTest>): void {
  describe(name, () => {
    let under: FullStoreUnderTest
    let store: FullStore
    let multipart: Multipart
    let count = 0
    const fresh = (): ObjectPath => at(`parts/${++count}`)
    const begin = (path = fresh(), as: Partial<NewMultipart> = {}): Promise<MultipartInfo> =>
      multipart.create(path, { ...NEW_UPLOAD, ...as })
    const complete = (
      ref: MultipartInfo,
      contents: ReadonlyMap<number, Uint8Array>,
      numbers = [...contents.keys()],
    ) => {
      const parts = numbers.map((number) => ({ number, etag: etagOf(contents.get(number)) }))
      return multipart.complete(ref, { parts }, completedOf('"whole"'))
    }
    const begunWith = async (contents: ReadonlyMap<number, Uint8Array>): Promise<MultipartInfo> => {
      const ref = await begin()
      for (const [number, content] of contents) await putPart(multipart, ref, number, content)
      return ref
    }

    beforeAll(async () => {
      under = await open()
      store = under.store
      multipart = store.multipart
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

    describe('an upload', () => {
      it('is found by path and id together', async () => {
        const path = fresh()
        const as = { ...NEW_UPLOAD, note: '{"kid":"x"}', meta: { tags: { a: 'b' } } }
        const begun = await multipart.create(path, as)
        expect(begun).toEqual({ path, id: begun.id, ...as })
        expect(begun.id).toMatch(/^[0-9a-f]{32}$/)
        expect(await multipart.find(begun)).toEqual(begun)
        const others = [
          { path: fresh(), id: begun.id },
          { path, id: `${begun.id}0` },
          { path, id: '' },
        ]
        for (const other of others) {
          expect(await multipart.find(other)).toBeUndefined()
          expect(await multipart.part(other, 1)).toBeUndefined()
          expect(await multipart.parts(other, { limit: 1 })).toBeUndefined()
          expect(await multipart.abort(other)).toBe(false)
          const failure = { done: false, failed: 'no_such_upload' }
          expect(await multipart.complete(other, { parts: [] }, completedOf())).toEqual(failure)
        }
        expect(await multipart.abort(begun)).toBe(true)
      })

      it('is no object', async () => {
        const ref = await begunWith(new Map([[1, pattern(LARGE)]]))
        expect(await store.head(ref.path)).toBeUndefined()
        expect((await store.list({ prefix: ref.path, limit: 1 })).objects).toEqual([])
        await multipart.abort(ref)
      })

      it('ends once, by abort', async () => {
        const ref = await begunWith(new Map([[1, pattern(LARGE)]]))
        const late = await multipart.part(ref, 2)
        await late?.write([pattern(LARGE)])
        expect(await multipart.abort(ref)).toBe(true)
        expect(await multipart.abort(ref)).toBe(false)
        expect(await multipart.find(ref)).toBeUndefined()
        expect(await multipart.parts(ref, { limit: 5 })).toBeUndefined()
        const failure = { done: false, failed: 'no_such_upload' }
        expect(await late?.commit({ etag: '"x"', modified: START })).toEqual(failure)
        await late?.discard()
        expect(await complete(ref, new Map([[1, pattern(LARGE)]]))).toEqual(failure)
        expect(await store.head(ref.path)).toBeUndefined()
      })

      it('ends by itself', async () => {
        const ref = await begin(fresh(), { expires: LATER })
        await putPart(multipart, ref, 1, pattern(SMALL))
        const late = await multipart.part(ref, 2)
        await timed(LATER - 1, async () => {
          expect(await multipart.find(ref)).toEqual(ref)
        })
        await timed(LATER, async () => {
          expect(await multipart.find(ref)).toBeUndefined()
          expect(await multipart.part(ref, 1)).toBeUndefined()
          const failure = { done: false, failed: 'no_such_upload' }
          expect(await late?.commit({ etag: '"x"', modified: START })).toEqual(failure)
          expect(await complete(ref, new Map([[1, pattern(SMALL)]]))).toEqual(failure)
          expect(await multipart.abort(ref)).toBe(false)
          expect((await multipart.list({ prefix: ref.path, limit: 5 })).uploads).toEqual([])
        })
      })
    })

    describe('parts', () => {
      it.each([0, 1, SMALL, 64 * KiB, 64 * KiB + 1, LARGE])(
        'of %i bytes are told as they were put',
        async (size) => {
          const ref = await begin()
          const part = await multipart.part(ref, 3)
          const content = pattern(size)
          await part?.write([content.subarray(0, 10)])
          await part?.write([content.subarray(10)])
          const as = {
            etag: '"e"',
            sha256: 'ab',
            checksums: { type: 'FULL_OBJECT', values: { CRC32C: 'AAAAAA==' } },
            modified: LATER,
          } as const
          const told = { ...as, number: 3, size }
          expect(await part?.commit(as)).toEqual({ done: true, part: told })
          await part?.discard()
          expect(await multipart.parts(ref, { limit: 5 })).toEqual({ parts: [told] })
          await expect(async () => part?.write([content])).rejects.toThrow()
          await expect(part?.commit(as)).rejects.toThrow()
          await multipart.abort(ref)
        },
      )

      it('that are discarded are none', async () => {
        const ref = await begin()
        const part = await multipart.part(ref, 1)
        await part?.write([pattern(LARGE)])
        await part?.discard()
        await part?.discard()
        await expect(part?.commit({ etag: '"x"', modified: START })).rejects.toThrow()
        expect(await multipart.parts(ref, { limit: 5 })).toEqual({ parts: [] })
        await multipart.abort(ref)
      })

      it('are listed in order, page by page', async () => {
        const ref = await begin()
        const numbers = [10_000, 2, 30, 1, 9, 500]
        for (const number of numbers) await putPart(multipart, ref, number, pattern(10, number))
        const pages: number[][] = []
        let after: number | undefined
        do {
          const query = { limit: 4, ...(after !== undefined && { after }) }
          const page = await multipart.parts(ref, query)
          pages.push(page?.parts.map(({ number }) => number) ?? [])
          after = page?.next
        } while (after !== undefined)
        expect(pages).toEqual([
          [1, 2, 9, 30],
          [500, 10_000],
        ])
        const exactly = await multipart.parts(ref, { limit: 6 })
        expect(exactly).not.toHaveProperty('next')
        await multipart.abort(ref)
      })

      it('may be replaced; what counts is what was committed last', async () => {
        const ref = await begin()
        await putPart(multipart, ref, 1, pattern(LARGE, 1))
        await putPart(multipart, ref, 1, pattern(LARGE + 1, 2))
        const { parts = [] } = (await multipart.parts(ref, { limit: 5 })) ?? {}
        expect(parts.map(({ size }) => size)).toEqual([LARGE + 1])
        const invalid = { done: false, failed: 'invalid_part', number: 1 }
        expect(await complete(ref, new Map([[1, pattern(LARGE, 1)]]))).toEqual(invalid)
        const contents = new Map([[1, pattern(LARGE + 1, 2)]])
        expect(await complete(ref, contents)).toMatchObject({ done: true })
        expect(isSame(await contentOf(store, ref.path), contents.get(1))).toBe(true)
      })

      it('of several uploads of one path stay apart', async () => {
        const path = fresh()
        const [one, two] = [await begin(path), await begin(path)]
        await putPart(multipart, one, 1, pattern(LARGE, 1))
        await putPart(multipart, two, 1, pattern(LARGE, 2))
        await complete(one, new Map([[1, pattern(LARGE, 1)]]))
        expect(isSame(await contentOf(store, path), pattern(LARGE, 1))).toBe(true)
        await complete(two, new Map([[1, pattern(LARGE, 2)]]))
        expect(isSame(await contentOf(store, path), pattern(LARGE, 2))).toBe(true)
      })
    })

    describe('reading', () => {
      const named = async (ref: MultipartInfo, numbers: readonly number[]) => {
        const there = (await multipart.parts(ref, { limit: 1000 }))?.parts ?? []
        return numbers.map(
          (number) => there.find((part) => part.number === number) ?? { number, etag: '"none"' },
        )
      }
      const read = async (ref: MultipartInfo, parts: readonly NamedPart[]): Promise<Uint8Array> => {
        const chunks: Uint8Array[] = []
        for await (const chunk of multipart.read(ref, parts)) chunks.push(chunk)
        return Buffer.concat(chunks)
      }
      const [one, two, three] = [pattern(LARGE, 1), pattern(0), pattern(SMALL, 3)]
      const contents = new Map([
        [1, one],
        [2, two],
        [3, three],
      ])

      it('gives the bytes of the parts named, in that order, before and not after', async () => {
        const ref = await begunWith(contents)
        expect(
          isSame(await read(ref, await named(ref, [1, 2, 3])), Buffer.concat([one, two, three])),
        ).toBe(true)
        expect(isSame(await read(ref, await named(ref, [3, 1])), Buffer.concat([three, one]))).toBe(
          true,
        )
        expect(await read(ref, await named(ref, []))).toHaveLength(0)
        expect((await complete(ref, contents)).done).toBe(true)
        await expect(read(ref, await named(ref, [1]))).rejects.toThrow('conflict')
      })

      it('gives parts that were copied', async () => {
        const path = fresh()
        await put(store, path, one)
        const ref = await begin()
        const range = { start: 5, length: 1000 }
        const as = { etag: '"copied"', modified: LATER }
        expect((await multipart.copyPart(ref, 7, { path, range }, as)).done).toBe(true)
        expect(isSame(await read(ref, await named(ref, [7])), one.subarray(5, 1005))).toBe(true)
      })

      it('refuses a part that there is not', async () => {
        const ref = await begunWith(contents)
        await expect(read(ref, await named(ref, [1, 4]))).rejects.toThrow('conflict: part 4')
        await multipart.abort(ref)
        await expect(read(ref, await named(ref, [1]))).rejects.toThrow('conflict: part 1')
      })

      it('refuses a part that is another one by now, though it had the same ETag', async () => {
        const ref = await begunWith(contents)
        const parts = await named(ref, [1])
        await putPart(multipart, ref, 1, pattern(LARGE, 9))
        await expect(read(ref, parts)).rejects.toThrow('conflict: part 1')
        const [before] = await named(ref, [1])
        const claimed = { ...before, sha256: '0'.repeat(64) } as NamedPart
        await expect(read(ref, [claimed])).rejects.toThrow('conflict: part 1')
      })

      it('ends with the old bytes or a refusal where a part is replaced meanwhile', async () => {
        const ref = await begunWith(contents)
        const chunks: Uint8Array[] = []
        const reading = async (): Promise<void> => {
          for await (const chunk of multipart.read(ref, await named(ref, [1]))) {
            if (chunks.length === 0) await putPart(multipart, ref, 1, pattern(LARGE, 9))
            chunks.push(chunk)
          }
        }
        const failure = await reading().then(() => undefined, String)
        if (failure === undefined) expect(isSame(Buffer.concat(chunks), one)).toBe(true)
        else expect(failure).toContain('conflict: part 1')
      })
    })

    describe('complete', () => {
      it('takes no part of another SHA-256 than is stated, though the ETag is the same', async () => {
        const ref = await begin()
        const part = await multipart.part(ref, 1)
        await part?.write([pattern(SMALL)])
        const sha256 = 'a'.repeat(64)
        await part?.commit({ etag: '"same"', sha256, modified: START })
        const named = (stated: string) =>
          multipart.complete(
            ref,
            { parts: [{ number: 1, etag: '"same"', sha256: stated }] },
            completedOf(),
          )
        const failure = { done: false, failed: 'invalid_part', number: 1 }
        expect(await named('b'.repeat(64))).toEqual(failure)
        expect((await named(sha256)).done).toBe(true)
      })

      it('makes the parts one object, whatever their sizes and numbers', async () => {
        const sizes = fc.constantFrom(0, 1, SMALL, 64 * KiB, 256 * KiB, 256 * KiB + 1, LARGE)
        const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { maxLength: 6 })
        const parts = numbers.chain((all) =>
          fc.tuple(...all.map((number) => fc.tuple(fc.constant(number), sizes))),
        )
        await fc.assert(
          fc.asyncProperty(parts, fc.boolean(), async (all, replaces) => {
            const contents = new Map(all.map(([n, size]) => [n, pattern(size, n)] as const))
            const ref = await begunWith(contents)
            if (replaces) await put(store, ref.path, pattern(LARGE, 77))
            const ordered = [...contents.keys()].sort((a, b) => a - b)
            const whole = Buffer.concat(ordered.map((n) => contents.get(n) ?? new Uint8Array()))
            const outcome = await complete(ref, contents, ordered)
            const partSizes = ordered.map((n) => contents.get(n)?.length)
            const info = {
              path: ref.path,
              size: whole.length,
              ...completedOf('"whole"'),
              ...(partSizes.length > 0 && { meta: { partSizes } }),
            }
            expect(outcome).toEqual({ done: true, created: !replaces, info })
            expect(await store.head(ref.path)).toEqual(info)
            expect(isSame(await contentOf(store, ref.path), whole)).toBe(true)
            expect(await multipart.find(ref)).toBeUndefined()
            await store.delete(ref.path)
          }),
          { numRuns: 20 },
        )
      })

      it('of a range reads what it is', async () => {
        const contents = new Map([1, 2, 3, 4].map((n) => [n, pattern(300_000 + n, n)] as const))
        const ref = await begunWith(contents)
        await complete(ref, contents)
        const whole = Buffer.concat([...contents.values()])
        const object = await store.open(ref.path)
        if (object === undefined) throw new Error('the object is there')
        for (const from of [0, 1, 299_999, 300_000, 300_001, 600_002, 900_000, 1_200_009]) {
          for (const step of [1000, 262_144, 1_000_000]) {
            const read = await readFrom(object, from, step)
            expect(isSame(read, whole.subarray(from))).toBe(true)
          }
        }
        object.close()
      })

      it('keeps what is stated of the object', async () => {
        const ref = await begunWith(new Map([[1, pattern(SMALL)]]))
        const meta = { user: { a: 'b' }, tags: { c: 'd' } }
        const as = { ...completedOf(), meta, sha256: 'ab', expires: LATER, type: 'image/png' }
        const parts = [{ number: 1, etag: etagOf(pattern(SMALL)) }]
        await multipart.complete(ref, { parts }, as)
        expect(await store.head(ref.path)).toEqual({
          ...as,
          path: ref.path,
          size: SMALL,
          meta: { ...meta, partSizes: [SMALL] },
        })
      })

      it('takes the parts that are named only', async () => {
        const contents = new Map([1, 2, 3].map((n) => [n, pattern(LARGE, n)] as const))
        const ref = await begunWith(contents)
        await complete(ref, contents, [1, 3])
        const whole = Buffer.concat([pattern(LARGE, 1), pattern(LARGE, 3)])
        expect(isSame(await contentOf(store, ref.path), whole)).toBe(true)
      })

      it('says which part is not right, and lets the upload go on', async () => {
        const contents = new Map([1, 2, 5].map((n) => [n, pattern(SMALL, n)] as const))
        const ref = await begunWith(contents)
        const of = (...numbers: number[]) =>
          numbers.map((number) => ({ number, etag: etagOf(contents.get(number)) }))
        const tries = [
          [of(2, 1), 'invalid_part_order', 1],
          [of(1, 1), 'invalid_part_order', 1],
          [of(1, 5, 2), 'invalid_part_order', 2],
          [of(1, 3), 'invalid_part', 3],
          [[{ number: 1, etag: '"other"' }, ...of(2)], 'invalid_part', 1],
        ] as const
        for (const [parts, failed, number] of tries) {
          const outcome = await multipart.complete(ref, { parts }, completedOf())
          expect(outcome).toEqual({ done: false, failed, number })
        }
        expect(await store.head(ref.path)).toBeUndefined()
        expect(await complete(ref, contents)).toMatchObject({ done: true })
      })

      it('wants all parts but the last of some size, where that is asked', async () => {
        const contents = new Map([
          [1, pattern(SMALL, 1)],
          [2, pattern(SMALL - 1, 2)],
          [3, pattern(1, 3)],
        ])
        const ref = await begunWith(contents)
        const parts = [...contents].map(([number, content]) => ({ number, etag: etagOf(content) }))
        const small = await multipart.complete(ref, { parts, least: bytes(SMALL) }, completedOf())
        expect(small).toEqual({ done: false, failed: 'part_too_small', number: 2 })
        const list = { parts: parts.filter(({ number }) => number !== 2), least: bytes(SMALL) }
        expect(await multipart.complete(ref, list, completedOf())).toMatchObject({ done: true })
      })

      it('holds to a condition, and lets the upload go on', async () => {
        const contents = new Map([[1, pattern(LARGE, 1)]])
        const ref = await begunWith(contents)
        await put(store, ref.path, pattern(LARGE, 2))
        const existing = await store.head(ref.path)
        const parts = [{ number: 1, etag: etagOf(contents.get(1)) }]
        const try_ = (condition: object) =>
          multipart.complete(ref, { parts }, completedOf(), condition)
        expect(await try_({ absent: true })).toEqual({ done: false, existing })
        expect(isSame(await contentOf(store, ref.path), pattern(LARGE, 2))).toBe(true)
        const etags = [existing?.etag ?? '']
        expect(await try_({ etags })).toMatchObject({ done: true, created: false })
        expect(isSame(await contentOf(store, ref.path), pattern(LARGE, 1))).toBe(true)
      })

      it('of no parts makes an object of no bytes', async () => {
        const ref = await begin()
        const outcome = await multipart.complete(ref, { parts: [] }, completedOf())
        expect(outcome).toMatchObject({ done: true, info: { size: 0 } })
        expect(await store.head(ref.path)).not.toHaveProperty('meta')
        expect(await contentOf(store, ref.path)).toHaveLength(0)
      })

      it('of many parts is one object', async () => {
        const contents = new Map(
          Array.from({ length: 60 }, (_, n) => [n + 1, pattern(3000 + n, n + 1)] as const),
        )
        const ref = await begunWith(contents)
        await complete(ref, contents)
        const whole = Buffer.concat([...contents.values()])
        expect(isSame(await contentOf(store, ref.path), whole)).toBe(true)
        const object = await store.open(ref.path)
        const starts = [0, 100_000, 50_000, 150_000]
        const read = await Promise.all(starts.map((from) => object && readFrom(object, from, 7001)))
        for (const [n, from] of starts.entries()) {
          expect(isSame(read[n], whole.subarray(from))).toBe(true)
        }
        object?.close()
      })

      it.each([3, 60])(
        'gives an object of %i parts that can be read on when it is replaced or deleted',
        async (parts) => {
          const contents = new Map(
            Array.from({ length: parts }, (_, n) => [n + 1, pattern(70_000, n + 1)] as const),
          )
          const whole = Buffer.concat([...contents.values()])
          const ref = await begunWith(contents)
          await complete(ref, contents)
          const first = await store.open(ref.path)
          await put(store, ref.path, pattern(LARGE, 99))
          const second = await store.open(ref.path)
          await store.delete(ref.path)
          for (let n = 0; n < 5; n += 1) await put(store, fresh(), pattern(LARGE, n))
          expect(isSame(first && (await readFrom(first)), whole)).toBe(true)
          expect(isSame(second && (await readFrom(second)), pattern(LARGE, 99))).toBe(true)
          first?.close()
          second?.close()
        },
      )

      it('succeeds once of many at a time', async () => {
        const contents = new Map([1, 2].map((n) => [n, pattern(LARGE, n)] as const))
        const ref = await begunWith(contents)
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => complete(ref, contents)))
        expect(outcomes.filter(({ done }) => done)).toHaveLength(1)
        for (const outcome of outcomes) {
          if (!outcome.done) expect(outcome).toEqual({ done: false, failed: 'no_such_upload' })
        }
        const whole = Buffer.concat([...contents.values()])
        expect(isSame(await contentOf(store, ref.path), whole)).toBe(true)
      })

      it('and abort at the same time: one of them', async () => {
        for (let round = 0; round < 6; round += 1) {
          const contents = new Map([1, 2].map((n) => [n, pattern(LARGE, n)] as const))
          const ref = await begunWith(contents)
          const both = [() => complete(ref, contents), () => multipart.abort(ref)]
          if (round % 2 === 1) both.reverse()
          const outcomes = await Promise.all(both.map((act) => act()))
          const done = outcomes.find((outcome) => typeof outcome === 'object')
          const aborted = outcomes.find((outcome) => typeof outcome === 'boolean')
          expect(typeof done === 'object' && done.done).toBe(!aborted)
          const content = await contentOf(store, ref.path)
          if (aborted) expect(content).toBeUndefined()
          else expect(isSame(content, Buffer.concat([...contents.values()]))).toBe(true)
        }
      })

      it('while a part is being replaced takes one or the other', async () => {
        for (let round = 0; round < 6; round += 1) {
          const old = new Map([1, 2].map((n) => [n, pattern(LARGE, n)] as const))
          const ref = await begunWith(old)
          const replacement = await multipart.part(ref, 2)
          await replacement?.write([pattern(LARGE, 3)])
          const etag = etagOf(pattern(LARGE, 3))
          const [outcome, replaced] = await Promise.all([
            complete(ref, old),
            replacement?.commit({ etag, modified: START }),
          ])
          if (outcome.done) {
            expect(replaced).toEqual({ done: false, failed: 'no_such_upload' })
            const whole = Buffer.concat([...old.values()])
            expect(isSame(await contentOf(store, ref.path), whole)).toBe(true)
          } else {
            expect(outcome).toEqual({ done: false, failed: 'invalid_part', number: 2 })
            expect(replaced).toMatchObject({ done: true })
            await multipart.abort(ref)
          }
        }
      })
    })

    describe('parts that are copied', () => {
      const as = (etag: string) => ({ etag, modified: START })

      it.each([SMALL, LARGE, 3 * LARGE])('are ranges of an object (%i bytes)', async (size) => {
        const content = pattern(size)
        const from = fresh()
        await put(store, from, content)
        const range = fc.tuple(fc.nat(size), fc.nat(size)).map(([a, b]) => ({
          start: Math.min(a, b),
          length: Math.abs(a - b),
        }))
        await fc.assert(
          fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 4 }), async (ranges) => {
            const ref = await begin()
            for (const [n, one] of ranges.entries()) {
              const source = { path: from, range: one }
              const outcome = await multipart.copyPart(ref, n + 1, source, as(`"${n}"`))
              const part = { number: n + 1, size: one.length, ...as(`"${n}"`) }
              expect(outcome).toEqual({ done: true, part })
            }
            const parts = ranges.map((_, n) => ({ number: n + 1, etag: `"${n}"` }))
            await multipart.complete(ref, { parts }, completedOf())
            const whole = Buffer.concat(
              ranges.map(({ start, length }) => content.subarray(start, start + length)),
            )
            expect(isSame(await contentOf(store, ref.path), whole)).toBe(true)
            await store.delete(ref.path)
          }),
          { numRuns: 10 },
        )
        expect(isSame(await contentOf(store, from), content)).toBe(true)
      })

      it('are of objects of several parts, and of copies of these', async () => {
        const contents = new Map([1, 2, 3].map((n) => [n, pattern(300_000, n)] as const))
        const whole = Buffer.concat([...contents.values()])
        const first = await begunWith(contents)
        await complete(first, contents)
        const second = await begin()
        const range = { start: 299_000, length: 302_000 }
        await multipart.copyPart(second, 1, { path: first.path, range }, as('"1"'))
        await multipart.copyPart(second, 2, { path: first.path }, as('"2"'))
        await putPart(multipart, second, 3, pattern(SMALL))
        await store.delete(first.path)
        const parts = [
          { number: 1, etag: '"1"' },
          { number: 2, etag: '"2"' },
          { number: 3, etag: etagOf(pattern(SMALL)) },
        ]
        await multipart.complete(second, { parts }, completedOf())
        const expected = [whole.subarray(299_000, 601_000), whole, pattern(SMALL)]
        expect(isSame(await contentOf(store, second.path), Buffer.concat(expected))).toBe(true)
      })

      it.each([SMALL, LARGE])('stay when their source goes (%i bytes)', async (size) => {
        const from = fresh()
        await put(store, from, pattern(size, 1))
        const ref = await begin()
        await multipart.copyPart(ref, 1, { path: from }, as('"1"'))
        await put(store, from, pattern(size, 2))
        await store.delete(from)
        await multipart.complete(ref, { parts: [{ number: 1, etag: '"1"' }] }, completedOf())
        expect(isSame(await contentOf(store, ref.path), pattern(size, 1))).toBe(true)
      })

      it.each([SMALL, LARGE])('may be of the object that they replace (%i bytes)', async (size) => {
        const path = fresh()
        await put(store, path, pattern(size, 1))
        const ref = await begin(path)
        await multipart.copyPart(ref, 1, { path }, as('"1"'))
        await putPart(multipart, ref, 2, pattern(size, 2))
        const parts = [
          { number: 1, etag: '"1"' },
          { number: 2, etag: etagOf(pattern(size, 2)) },
        ]
        await multipart.complete(ref, { parts }, completedOf())
        const whole = Buffer.concat([pattern(size, 1), pattern(size, 2)])
        expect(isSame(await contentOf(store, path), whole)).toBe(true)
      })

      it.each([SMALL, LARGE])('are refused where they can not be made (%i bytes)', async (size) => {
        const path = fresh()
        const ref = await begin()
        const copy = (source: object, into: MultipartInfo = ref) =>
          multipart.copyPart(into, 1, { path, ...source }, as('"1"'))
        expect(await copy({})).toEqual({ done: false, of: 'source' })
        await put(store, path, pattern(size))
        const existing = await store.head(path)
        const condition = { etags: ['"other"'] }
        expect(await copy({ condition })).toEqual({ done: false, of: 'source', existing })
        for (const [start, length] of [
          [0, size + 1],
          [1, size],
          [size + 1, 0],
        ]) {
          const outcome = await copy({ range: { start, length } })
          expect(outcome).toEqual({ done: false, failed: 'range_unsatisfiable', number: 1 })
        }
        const nowhere = { ...ref, id: '0'.repeat(32) }
        expect(await copy({}, nowhere)).toEqual({ done: false, failed: 'no_such_upload' })
        expect(await multipart.parts(ref, { limit: 5 })).toEqual({ parts: [] })
        expect(await copy({ condition: { etags: '*' } })).toMatchObject({ done: true })
        await multipart.abort(ref)
      })
    })

    describe('listing', () => {
      const letter = fc.constantFrom('a', 'b', '/', '~', 'é', '\uff21', '\u{1f511}')
      const text = fc.string({ unit: letter, maxLength: 4 })
      const query = fc.record(
        {
          prefix: fc.oneof(
            text.map((tail) => `bkt/${tail}`),
            fc.constantFrom('', 'bkt', 'bkt/', 'other/'),
          ),
          delimiter: fc.constantFrom('/', 'ab', '0', ''),
          limit: fc.integer({ min: 1, max: 12 }),
        },
        { requiredKeys: ['prefix', 'limit'] },
      )
      const withUploads = async (
        names: readonly string[],
        test: (all: readonly MultipartInfo[]) => Promise<void>,
      ) => {
        const paths = names.map((tail) => `bkt/x${tail}` as ObjectPath)
        const all = await Promise.all(paths.map((path) => begin(path)))
        try {
          await test(inOrder(all))
        } finally {
          await Promise.all(all.map((ref) => multipart.abort(ref)))
        }
      }

      it('gives uploads by path and id, and groups, as a naive one does', async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(text, { maxLength: 14 }),
            fc.array(query, { minLength: 15, maxLength: 15 }),
            (names, queries) =>
              withUploads(names, async (all) => {
                for (const one of queries) {
                  const listed = await pagesOf(multipart, { ...one, prefix: `${one.prefix}` })
                  const mine = listed.filter((item) => isMine(item, all, one))
                  expect(mine).toEqual(naive(all, one))
                }
              }),
          ),
          { numRuns: 15 },
        )
      })

      it('goes on after a path, after an upload, or after a group', async () => {
        await withUploads(['a', 'a', 'b/1', 'b/2', 'c'], async (all) => {
          const ids = all.map(({ id }) => id)
          const listed = async (after: { path: string; id?: string }, delimiter?: string) => {
            const more = delimiter === undefined ? {} : { delimiter }
            const page = await multipart.list({ prefix: 'bkt/', limit: 10, after, ...more })
            return [page.uploads.map(({ id }) => id), page.prefixes]
          }
          expect(await listed({ path: 'bkt/x' })).toEqual([ids, []])
          expect(await listed({ path: 'bkt/xa' })).toEqual([ids.slice(2), []])
          expect(await listed({ path: 'bkt/xa', id: ids[0] ?? '' })).toEqual([ids.slice(1), []])
          expect(await listed({ path: 'bkt/xa', id: ids[1] ?? '' })).toEqual([ids.slice(2), []])
          expect(await listed({ path: 'bkt/xa' }, '/')).toEqual([ids.slice(4), ['bkt/xb/']])
          expect(await listed({ path: 'bkt/xb/' }, '/')).toEqual([ids.slice(4), []])
          expect(await listed({ path: 'bkt/xb/1' })).toEqual([ids.slice(3), []])
        })
      })
    })
  })
}

const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const inOrder = (all: readonly MultipartInfo[]): readonly MultipartInfo[] =>
  [...all].sort((a, b) => byteOrder(a.path, b.path) || byteOrder(a.id, b.id))

/** An upload's id, or a common prefix. */
type Listed = { readonly id: string } | { readonly group: string }

async function pagesOf(multipart: Multipart, query: MultipartQuery): Promise<readonly Listed[]> {
  const listed: Listed[] = []
  let after: MultipartQuery['after']
  do {
    const page = await multipart.list({ ...query, ...(after !== undefined && { after }) })
    expect(page.uploads.length + page.prefixes.length).toBeLessThanOrEqual(query.limit)
    const uploads = page.uploads.map(({ path, id }) => ({ path, id }))
    const groups = page.prefixes.map((path) => ({ path, group: path }))
    const items = [...uploads, ...groups].sort((a, b) => byteOrder(a.path, b.path))
    listed.push(...items.map(({ path: _, ...item }) => item))
    after = page.next
  } while (after !== undefined)
  return listed
}

function naive(
  all: readonly MultipartInfo[],
  { prefix, delimiter = '' }: Pick<MultipartQuery, 'prefix' | 'delimiter'>,
): readonly Listed[] {
  const items = new Map<string, Listed>()
  for (const { path, id } of all) {
    if (!path.startsWith(prefix)) continue
    const end = delimiter === '' ? -1 : path.indexOf(delimiter, prefix.length)
    const group = end < 0 ? undefined : path.slice(0, end + delimiter.length)
    items.set(group ?? id, group === undefined ? { id } : { group })
  }
  return [...items.values()]
}

/** Other tests' uploads may be under way in the same store. */
function isMine(
  item: Listed,
  all: readonly MultipartInfo[],
  { prefix }: Pick<MultipartQuery, 'prefix'>,
): boolean {
  if ('id' in item) return all.some(({ id }) => id === item.id)
  return item.group.startsWith('bkt/') || prefix.startsWith('bkt/')
}
