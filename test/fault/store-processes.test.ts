/** Several processes on one store, and processes that are killed. */
import { afterEach, describe, expect, it } from 'vitest'
import type { ObjectPath } from '../../key/object-path.ts'
import { at, contentOf, digest, pattern, put, StoreFolder } from '../support/store.ts'
import { inventory, isTidy } from '../support/store-leftovers.ts'
import { type Acknowledged, isDeletedAfterwards, StoreProcess } from '../support/store-process.ts'

const LARGE = 600 * 1024

describe('two processes on one store', () => {
  let folder: StoreFolder
  let other: StoreProcess
  afterEach(async () => {
    await other.stop()
    await folder.remove()
  })

  const start = async () => {
    folder = new StoreFolder()
    const [store, process] = await Promise.all([
      folder.start(),
      StoreProcess.start(folder.folder, folder.instances),
    ])
    other = process
    return store
  }

  it('see what the other one wrote, and create each object once', async () => {
    const store = await start()
    for (let n = 0; n < 10; n += 1) {
      const path = at(`both/${n}`)
      const size = n % 2 === 0 ? 100 : LARGE
      const [mine, theirs] = await Promise.all([
        put(store, path, pattern(size, 1), { condition: { absent: true } }),
        other.tell({ do: 'create', path, size, seed: 2 }),
      ])
      const won = [mine, theirs as typeof mine].map(({ done }) => done)
      expect(won.toSorted()).toEqual([false, true])
      const winner = digest(pattern(size, won[0] ? 1 : 2))
      expect(digest((await contentOf(store, path)) as Uint8Array)).toBe(winner)
      expect(await other.tell({ do: 'digest', path })).toBe(winner)
    }
  })

  it.each([100, LARGE])(
    'let the other read to the end what they replace (%i bytes)',
    async (size) => {
      const store = await start()
      const path = at('held')
      await put(store, path, pattern(size, 1))
      await other.tell({ do: 'hold', path })
      await put(store, path, pattern(size, 2))
      await store.delete(path)
      await folder.stop()
      const { files, named, garbage, staged } = inventory(folder.folder)
      expect([...files, ...named, ...garbage, ...staged]).toEqual([])
      expect(await other.tell({ do: 'readHeld' })).toBe(digest(pattern(size, 1)))
    },
  )

  it('leave to the other what it has in hand when they start', async () => {
    const store = await start()
    await put(store, at('x'), pattern(LARGE))
    const upload = await store.upload(at('y'))
    await upload.write([pattern(2 * 1024 * 1024)])
    const third = await StoreProcess.start(folder.folder, folder.instances)
    await third.stop()
    await upload.discard()
    expect(inventory(folder.folder).staged).toEqual([])
    await put(store, at('y'), pattern(LARGE, 2))
    expect(await other.tell({ do: 'digest', path: at('y') })).toBe(digest(pattern(LARGE, 2)))
  })
})

describe('a process that is killed', () => {
  it('has lost nothing that it acknowledged, and leaves nothing behind', async () => {
    const folder = new StoreFolder()
    try {
      const expected = new Map<ObjectPath, string | undefined>()
      for (const [round, most] of [3, 17, 40, 61].entries()) {
        const child = await StoreProcess.start(folder.folder, folder.instances)
        for (const one of await child.floodAndKill(round, most)) note(expected, one)
        await check(folder, expected)
      }
    } finally {
      await folder.remove()
    }
  })
})

function note(expected: Map<ObjectPath, string | undefined>, one: Acknowledged): void {
  if ('put' in one) expected.set(one.put, one.digest)
  else expected.set(one.deleted, undefined)
}

async function check(
  folder: StoreFolder,
  expected: ReadonlyMap<ObjectPath, string | undefined>,
): Promise<void> {
  const store = await folder.start()
  for (const [path, acknowledged] of expected) {
    // in hand at the end, it may have been replaced or deleted without a word
    if (path.endsWith('/again')) continue
    const content = await contentOf(store, path)
    if (content === undefined && isDeletedAfterwards(path)) continue
    expect(content && digest(content)).toBe(acknowledged)
  }
  const { objects } = store.list({ prefix: '', limit: 10_000 })
  for (const { path, sha256 } of objects) {
    expect(digest((await contentOf(store, path)) as Uint8Array)).toBe(sha256)
  }
  await folder.stop()
  expect(isTidy(folder.folder)).toBe(true)
}
