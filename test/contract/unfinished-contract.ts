/** What bounds uploads that are not at their end: `multipart.ts` once more. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FullStore } from '../../gateway/store/full-store.ts'
import {
  type Multipart,
  type MultipartInfo,
  type OpenLimit,
  TooManyOpen,
} from '../../gateway/store/multipart.ts'
import { bytes, type UnixSeconds, unixSeconds } from '../../key/units.ts'
import { completedOf, etagOf, NEW_UPLOAD, putPart } from '../support/multipart.ts'
import { at, contentOf, pattern, put, START } from '../support/store.ts'
import type { FullStoreUnderTest } from './full-store-contract.ts'

export function unfinishedContract(name: string, open: () => Promise<FullStoreUnderTest>): void {
  describe(name, () => {
    let under: FullStoreUnderTest
    let store: FullStore
    let multipart: Multipart
    let count = 0
    beforeAll(async () => {
      under = await open()
      store = under.store
      multipart = store.multipart
    })
    afterAll(() => under.remove())

    const begin = (limits?: readonly OpenLimit[], expires = NEW_UPLOAD.expires) =>
      multipart.create(at(`unfinished/${++count}`), { ...NEW_UPLOAD, expires }, limits)

    describe('uploads counted under a name', () => {
      const limit = (most = 2): OpenLimit => ({ under: `name-${count}`, most })

      it('are as many as it allows, also when they are begun at once', async () => {
        const one = limit()
        const outcomes = await Promise.allSettled(Array.from({ length: 9 }, () => begin([one])))
        const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? one.reason : []))
        expect(refused).toHaveLength(7)
        for (const reason of refused) {
          expect(reason).toBeInstanceOf(TooManyOpen)
          expect(reason).toMatchObject({ limit: one, until: NEW_UPLOAD.expires })
        }
        expect(await begin([{ ...one, under: 'another' }])).toBeDefined()
        expect(await begin()).toBeDefined()
      })

      it('make room by ending, whichever way', async () => {
        const one = limit(1)
        const aborted = await begin([one])
        await expect(begin([one])).rejects.toThrow(TooManyOpen)
        await multipart.abort(aborted)
        const completed = await begin([one])
        await putPart(multipart, completed, 1, pattern(10))
        const parts = [{ number: 1, etag: etagOf(pattern(10)) }]
        await multipart.complete(completed, { parts }, completedOf())
        const soon = unixSeconds(START + 5)
        await begin([one], soon)
        await expect(begin([one])).rejects.toMatchObject({ until: soon })
        under.clock.now = soon as UnixSeconds
        try {
          expect(await begin([one])).toBeDefined()
        } finally {
          under.clock.now = START
        }
      })

      it('are counted under all of their names, or under none', async () => {
        const [narrow, wide] = [limit(1), { under: `wide-${count}`, most: 2 }]
        await begin([narrow, wide])
        await expect(begin([narrow, wide])).rejects.toMatchObject({ limit: narrow })
        await begin([wide])
        await expect(begin([{ ...narrow, under: 'free' }, wide])).rejects.toMatchObject({
          limit: wide,
        })
        expect(await begin([{ under: 'free', most: 1 }])).toBeDefined()
      })
    })

    describe('the parts of an upload', () => {
      const partOf = async (ref: MultipartInfo, number: number, size: number, most: number) => {
        const part = await multipart.part(ref, number)
        await part?.write([pattern(size)])
        const as = { etag: etagOf(pattern(size)), modified: START }
        const outcome = await part?.commit(as, { most: bytes(most) })
        await part?.discard()
        return outcome
      }
      const tooLarge = (number: number) => ({ done: false, failed: 'too_large', number })

      it('have at most so many bytes together', async () => {
        const ref = await begin()
        expect(await partOf(ref, 1, 6000, 10_000)).toMatchObject({ done: true })
        expect(await partOf(ref, 2, 4001, 10_000)).toEqual(tooLarge(2))
        expect(await partOf(ref, 2, 4000, 10_000)).toMatchObject({ done: true })
        expect(await partOf(ref, 3, 1, 10_000)).toEqual(tooLarge(3))
        expect((await multipart.parts(ref, { limit: 9 }))?.parts).toHaveLength(2)
      })

      it('count what they bring in place of one that was there', async () => {
        const ref = await begin()
        await partOf(ref, 1, 9000, 10_000)
        expect(await partOf(ref, 1, 10_001, 10_000)).toEqual(tooLarge(1))
        expect(await partOf(ref, 1, 10_000, 10_000)).toMatchObject({ done: true })
        expect(await partOf(ref, 1, 2000, 10_000)).toMatchObject({ done: true })
        expect(await partOf(ref, 2, 8000, 10_000)).toMatchObject({ done: true })
        expect([await multipart.bytesBeside(ref, 1), await multipart.bytesBeside(ref, 3)]).toEqual([
          8000, 10_000,
        ])
      })

      it('that come at once hold to it', async () => {
        const ref = await begin()
        const outcomes = await Promise.all([1, 2, 3, 4].map((n) => partOf(ref, n, 4000, 10_000)))
        expect(outcomes.filter((outcome) => outcome?.done)).toHaveLength(2)
        expect(await multipart.bytesBeside(ref, 9)).toBe(8000)
      })

      it('may be left out of the object', async () => {
        const ref = await begin()
        await partOf(ref, 1, 6000, 10_000)
        await partOf(ref, 2, 4000, 10_000)
        const parts = [{ number: 2, etag: etagOf(pattern(4000)) }]
        expect((await multipart.complete(ref, { parts }, completedOf())).done).toBe(true)
        expect((await contentOf(store, ref.path))?.length).toBe(4000)
        expect(await multipart.bytesBeside(ref, 1)).toBeUndefined()
      })

      it.each([100, 600_000])('that are copies of %i bytes hold to it', async (size) => {
        const path = at(`source-${size}`)
        await put(store, path, pattern(size))
        const ref = await begin()
        const as = { etag: '"c"', modified: START }
        const copy = (number: number, range: { start: number; length: number } | undefined) => {
          const source = { path, ...(range !== undefined && { range }) }
          return multipart.copyPart(ref, number, source, as, { most: bytes(size + 10) })
        }
        expect(await copy(1, undefined)).toMatchObject({ done: true })
        expect(await copy(2, { start: 0, length: 11 })).toEqual(tooLarge(2))
        expect(await copy(2, { start: 0, length: 10 })).toMatchObject({ done: true })
        expect(await copy(1, undefined)).toMatchObject({ done: true })
      })
    })
  })
}
