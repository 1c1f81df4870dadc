import { beforeEach, describe, expect, it } from 'vitest'
import type { FullStore } from '../../../../gateway/store/full-store.ts'
import { MemoryStore } from '../../../../gateway/store/memory/store.ts'
import { RetainingStore } from '../../../../gateway/store/retention.ts'
import { parseObjectPath } from '../../../../key/object-path.ts'
import { seconds, type UnixSeconds } from '../../../../key/units.ts'
import { completedOf, etagOf, NEW_UPLOAD, putPart } from '../../../support/multipart.ts'
import { contentOf, pattern, put, START } from '../../../support/store.ts'

const DAY = 86_400
const since = (time: number): UnixSeconds => (START + time) as UnixSeconds
const inbox = parseObjectPath('inbox/a')
const other = parseObjectPath('other/a')

describe('a bucket whose objects are kept for a day', () => {
  const clock = { now: START }
  let store: FullStore
  beforeEach(() => {
    clock.now = START
    const all = new MemoryStore({ now: () => clock.now })
    store = new RetainingStore(all, new Map([['inbox', seconds(DAY)]]), () => clock.now)
  })

  it('ends what is uploaded, a day after it came, whatever time it states of itself', async () => {
    await put(store, inbox, pattern(9), { as: { modified: since(-10 * DAY) } })
    await put(store, other, pattern(9))
    expect((await store.head(inbox))?.expires).toBe(since(DAY))
    expect((await store.head(other))?.expires).toBeUndefined()
    clock.now = since(DAY - 1)
    expect(await contentOf(store, inbox)).toHaveLength(9)
    clock.now = since(DAY)
    expect(await store.head(inbox)).toBeUndefined()
    expect(await store.head(other)).toBeDefined()
  })

  it('keeps to an earlier end that is stated, and not to a later one', async () => {
    await put(store, inbox, pattern(9), { as: { expires: since(60) } })
    expect((await store.head(inbox))?.expires).toBe(since(60))
    await put(store, inbox, pattern(9), { as: { expires: since(9 * DAY) } })
    expect((await store.head(inbox))?.expires).toBe(since(DAY))
  })

  it('ends copies and uploads in parts as well', async () => {
    await put(store, other, pattern(9))
    await store.copy(other, inbox, { modified: START })
    expect((await store.head(inbox))?.expires).toBe(since(DAY))
    await store.copy(inbox, other, { modified: START })
    expect((await store.head(other))?.expires).toBeUndefined()
    await store.delete(inbox)
    const ref = await store.multipart.create(inbox, NEW_UPLOAD)
    await putPart(store.multipart, ref, 1, pattern(9))
    const parts = [{ number: 1, etag: etagOf(pattern(9)) }]
    const outcome = await store.multipart.complete(ref, { parts }, completedOf())
    expect(outcome).toMatchObject({ done: true, info: { expires: since(DAY) } })
  })
})
