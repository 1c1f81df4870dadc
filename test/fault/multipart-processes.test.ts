/** Uploads in parts and objects of many files: several processes, and processes that are killed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DiskStore } from '../../gateway/store/disk/store.ts'
import type { MultipartRef } from '../../gateway/store/multipart.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { completedOf, etagOf, NEW_UPLOAD, putPart } from '../support/multipart.ts'
import { at, contentOf, digest, pattern, put, START, StoreFolder } from '../support/store.ts'
import { inventory, isTidy } from '../support/store-leftovers.ts'
import {
  type AcknowledgedParts,
  floodedParts,
  isAborted,
  StoreProcess,
} from '../support/store-process.ts'

/** More than a reader opens at once. */
const MANY = 20

const partsOf = (seed: number): readonly Uint8Array[] =>
  Array.from({ length: MANY }, (_, n) => pattern(1000 + n, seed * 100 + n))

const wholeOf = (seed: number): string => digest(Buffer.concat(partsOf(seed)))

async function assemble(store: DiskStore, path: ObjectPath, seed = 1): Promise<void> {
  const ref = await store.multipart.create(path, NEW_UPLOAD)
  const contents = partsOf(seed)
  for (const [n, content] of contents.entries()) await putPart(store.multipart, ref, n + 1, content)
  const parts = contents.map((content, n) => ({ number: n + 1, etag: etagOf(content) }))
  await store.multipart.complete(ref, { parts }, completedOf())
}

describe('an object of many files that another process reads', () => {
  let folder: StoreFolder
  let store: DiskStore
  let other: StoreProcess
  const path = at('many')
  beforeEach(async () => {
    folder = new StoreFolder()
    store = await folder.start()
    other = await StoreProcess.start(folder.folder, folder.instances)
    await assemble(store, path)
    expect(await other.tell({ do: 'hold', path })).toMatchObject({ path })
  })
  afterEach(async () => {
    await other.stop()
    await folder.remove()
  })

  it.each([
    ['replaced', () => put(store, path, pattern(10))],
    ['replaced by parts', () => assemble(store, path, 2)],
    ['deleted', () => store.delete(path)],
    [
      'copied onto itself, and deleted',
      async () => {
        await store.copy(path, path, { modified: START })
        await store.delete(path)
      },
    ],
  ])('is read to its end though it is %s, and goes then', async (_, change) => {
    await change()
    await folder.stop()
    expect(await other.tell({ do: 'readHeld' })).toBe(wholeOf(1))
    await other.stop()
    expect(isTidy(folder.folder)).toBe(true)
  })

  it('goes with what was removed when that process is killed', async () => {
    await store.delete(path)
    expect(inventory(folder.folder).files).toHaveLength(MANY)
    await other.kill()
    await folder.stop()
    await folder.start()
    await folder.stop()
    expect(inventory(folder.folder).files).toEqual([])
    expect(isTidy(folder.folder)).toBe(true)
  })

  it('goes only with the last who reads it', async () => {
    const mine = await store.open(path)
    await store.delete(path)
    expect(await other.tell({ do: 'readHeld' })).toBe(wholeOf(1))
    await other.stop()
    expect(inventory(folder.folder).files).toHaveLength(MANY)
    const into = new Uint8Array(100_000)
    const count = (await mine?.read(into, 0)) ?? 0
    expect(digest(into.subarray(0, count))).toBe(wholeOf(1))
    mine?.close()
    await folder.stop()
    expect(isTidy(folder.folder)).toBe(true)
  })
})

/** What is known of an upload of a flood. */
interface Known {
  readonly ref: MultipartRef
  readonly parts: Map<number, string>
  ended?: 'aborted' | string
}

describe('a process that is killed while it takes parts', () => {
  it('has lost nothing that it acknowledged, and leaves nothing behind', async () => {
    const folder = new StoreFolder()
    try {
      const known = new Map<string, Known>()
      for (const [round, most] of [2, 11, 34, 60].entries()) {
        const child = await StoreProcess.start(folder.folder, folder.instances)
        for (const one of await child.floodPartsAndKill(round, most)) note(known, one)
        await check(folder, known)
      }
      const store = await folder.start()
      const { uploads } = await store.multipart.list({ prefix: '', limit: 1000 })
      for (const ref of uploads) await store.multipart.abort(ref)
      await folder.stop()
      expect(isTidy(folder.folder)).toBe(true)
    } finally {
      await folder.remove()
    }
  })
})

function note(known: Map<string, Known>, one: AcknowledgedParts): void {
  if ('begun' in one) known.set(one.begun.id, { ref: one.begun, parts: new Map() })
  if ('part' in one) known.get(one.part.id)?.parts.set(one.number, one.etag)
  const ended = 'aborted' in one ? one.aborted : 'completed' in one ? one.completed : undefined
  const upload = ended && known.get(ended.id)
  if (upload) upload.ended = 'completed' in one ? one.digest : 'aborted'
}

async function check(folder: StoreFolder, known: ReadonlyMap<string, Known>): Promise<void> {
  const store = await folder.start()
  for (const { ref, parts, ended } of known.values()) {
    const content = await contentOf(store, ref.path)
    const found = content && digest(content)
    const isUnderWay = (await store.multipart.find(ref)) !== undefined
    // in hand at the end, it may have been completed or aborted without a word
    if (ended === undefined && !isUnderWay) {
      const whole = digest(Buffer.concat(floodedParts(ref)))
      expect(found).toBe(isAborted(ref) ? undefined : whole)
      continue
    }
    expect(isUnderWay).toBe(ended === undefined)
    expect(found).toBe(ended === 'aborted' ? undefined : ended)
    if (isUnderWay) await checkParts(store, ref, parts)
  }
  await folder.stop()
  expect(isTidy(folder.folder)).toBe(true)
}

async function checkParts(
  store: DiskStore,
  ref: MultipartRef,
  acknowledged: ReadonlyMap<number, string>,
): Promise<void> {
  const listing = await store.multipart.parts(ref, { limit: 100 })
  const there = new Map(listing?.parts.map(({ number, etag }) => [number, etag]))
  for (const [number, etag] of acknowledged) expect(there.get(number)).toBe(etag)
}
