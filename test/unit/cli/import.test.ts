import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { importFolder } from '../../../cli/bulk/import.ts'
import { MemoryStore } from '../../../gateway/store/memory/store.ts'
import type { Upload } from '../../../gateway/store/store.ts'
import type { ObjectPath, Prefix } from '../../../key/object-path.ts'
import { Refusal, type RefusalCode } from '../../../key/refusal.ts'
import { contentOf, pattern, START } from '../../support/store.ts'
import { tempFolder } from '../../support/temp-folder.ts'

/** A store that does something of its own before an upload of one path. */
class WithCare extends MemoryStore {
  before: (path: ObjectPath) => void = () => {}

  override upload(path: ObjectPath): Upload {
    this.before(path)
    return super.upload(path)
  }
}

let temp: ReturnType<typeof tempFolder>
let store: WithCare
beforeEach(() => {
  temp = tempFolder()
  store = new WithCare({ now: () => START })
})
afterEach(async () => {
  await store.close()
  temp.remove()
})

const at = (...names: string[]) => join(temp.path, ...names)
const run = () =>
  importFolder({
    store,
    folder: temp.path,
    prefix: 'demo/' as Prefix,
    skip: new Set([at('skipped')]),
    overwrite: false,
    link: false,
    checksum: false,
    now: () => START,
    signal: new AbortController().signal,
    onProgress: () => {},
  })

describe('an import', () => {
  it('works with any store, and enters no folder that is to be skipped', async () => {
    mkdirSync(at('skipped'))
    writeFileSync(at('skipped/x'), 'x')
    writeFileSync(at('large'), pattern(3_000_000))
    writeFileSync(at('exact'), pattern(1024 * 1024))
    expect(await run()).toMatchObject({ imported: 2, linked: 0, cloned: 0, leftOut: [] })
    for (const [name, size] of [
      ['large', 3_000_000],
      ['exact', 1024 * 1024],
    ] as const) {
      const content = await contentOf(store, `demo/${name}` as ObjectPath)
      expect(Buffer.compare(content as Uint8Array, pattern(size))).toBe(0)
    }
  })

  it('leaves out a file that changes while it is read', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(at(name), 'before')
    store.before = (path) => {
      if (path === 'demo/a') writeFileSync(at('a'), 'longer than before')
      if (path === 'demo/b') writeFileSync(at('b'), '')
    }
    const { imported, leftOut } = await run()
    expect(imported).toBe(1)
    const reason = 'it changed while it was read'
    expect(leftOut.toSorted((x, y) => (x.name < y.name ? -1 : 1))).toEqual([
      { name: 'a', reason },
      { name: 'b', reason },
    ])
    expect(await contentOf(store, 'demo/a' as ObjectPath)).toBeUndefined()
  })

  it.each(['conflict', 'path_malformed', 'too_large'] satisfies RefusalCode[])(
    'leaves out an object that the store refuses (%s)',
    async (code) => {
      for (const name of ['a', 'b']) writeFileSync(at(name), 'x')
      store.before = (path) => {
        if (path === 'demo/a') throw new Refusal(code, 'not this one')
      }
      expect(await run()).toMatchObject({
        imported: 1,
        leftOut: [{ name: 'a', reason: 'not this one' }],
      })
    },
  )

  it.each(['storage_full', 'unavailable'] satisfies RefusalCode[])(
    'ends where the store takes nothing any more (%s)',
    async (code) => {
      for (const name of ['a', 'b']) writeFileSync(at(name), 'x')
      store.before = () => {
        throw new Refusal(code, 'nothing goes')
      }
      await expect(run()).rejects.toMatchObject({ code })
    },
  )
})
