/** What an upload in parts that goes on where it broke off needs of a store: `multipart.ts` again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FullStore } from '../../gateway/store/full-store.ts'
import type { Multipart, MultipartInfo, PartCondition } from '../../gateway/store/multipart.ts'
import type { UnixSeconds } from '../../key/units.ts'
import { completedOf, etagOf, NEW_UPLOAD } from '../support/multipart.ts'
import { at, contentOf, isSame, pattern, START } from '../support/store.ts'
import type { FullStoreUnderTest } from './full-store-contract.ts'

export function resumableContract(name: string, open: () => Promise<FullStoreUnderTest>): void {
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

    const begin = () => multipart.create(at(`resumable/${++count}`), NEW_UPLOAD)
    const write = async (
      ref: MultipartInfo,
      number: number,
      content: Uint8Array,
      note?: string,
      condition?: PartCondition,
    ) => {
      const part = await multipart.part(ref, number)
      await part?.write([content.slice()])
      const as = { etag: etagOf(content), modified: START, ...(note !== undefined && { note }) }
      const outcome = await part?.commit(as, condition)
      await part?.discard()
      return outcome
    }

    it('tells of the last part what was noted of it', async () => {
      const ref = await begin()
      expect(await multipart.lastPart(ref)).toBeUndefined()
      await write(ref, 2, pattern(10), 'two')
      await write(ref, 1, pattern(20), 'one')
      expect(await multipart.lastPart(ref)).toMatchObject({ number: 2, size: 10, note: 'two' })
      await write(ref, 3, new Uint8Array())
      const last = await multipart.lastPart(ref)
      expect([last?.number, last?.size, last !== undefined && 'note' in last]).toEqual([
        3,
        0,
        false,
      ])
      expect((await multipart.parts(ref, { limit: 9 }))?.parts.map(({ note }) => note)).toEqual([
        'one',
        'two',
        undefined,
      ])
      expect(await multipart.lastPart({ ...ref, path: at('other') })).toBeUndefined()
      await multipart.abort(ref)
      expect(await multipart.lastPart(ref)).toBeUndefined()
    })

    it('takes a part once where there may be none of its number', async () => {
      const ref = await begin()
      const contents = [1, 2, 3, 4].map((seed) => pattern(300_000, seed))
      const outcomes = await Promise.all(
        contents.map((content) => write(ref, 1, content, undefined, { absent: true })),
      )
      const taken = outcomes.findIndex((outcome) => outcome?.done)
      expect(outcomes.filter((outcome) => outcome?.done)).toHaveLength(1)
      for (const [index, outcome] of outcomes.entries()) {
        if (index === taken) continue
        expect(outcome).toEqual({ done: false, failed: 'part_exists', number: 1 })
      }
      const parts = [{ number: 1, etag: etagOf(contents[taken]) }]
      await multipart.complete(ref, { parts }, completedOf())
      const content = await contentOf(store, ref.path)
      expect(isSame(content as Uint8Array, contents[taken] as Uint8Array)).toBe(true)
    })

    it('recalls what is to be remembered of an upload that is no more, for its time', async () => {
      const ref = await begin()
      expect(await multipart.recall(ref)).toBeUndefined()
      const outcome = await multipart.complete(
        ref,
        { parts: [] },
        { ...completedOf(), remembered: 'whole' },
      )
      expect(outcome).toMatchObject({ done: true })
      expect(outcome.done && 'remembered' in outcome.info).toBe(false)
      expect(await multipart.find(ref)).toBeUndefined()
      expect(await multipart.recall(ref)).toBe('whole')
      expect(await multipart.recall({ ...ref, path: at('other') })).toBeUndefined()
      expect(await multipart.abort(ref)).toBe(false)
      expect(await write(ref, 1, pattern(5))).toBeUndefined()
      under.clock.now = (START + 24 * 3600) as UnixSeconds
      expect(await multipart.recall(ref)).toBeUndefined()
      under.clock.now = START
      const silent = await begin()
      await multipart.complete(silent, { parts: [] }, completedOf())
      expect(await multipart.recall(silent)).toBeUndefined()
    })
  })
}
