import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { exportPrefix } from '../../../cli/bulk/export.ts'
import { Folders } from '../../../cli/bulk/folders.ts'
import { isEntryName } from '../../../gateway/store/files/entry-name.ts'
import { MemoryStore } from '../../../gateway/store/memory/store.ts'
import type { ObjectPath, Prefix } from '../../../key/object-path.ts'
import { put, START } from '../../support/store.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let temp: ReturnType<typeof tempFolder>
let store: MemoryStore
beforeEach(() => {
  temp = tempFolder()
  store = new MemoryStore({ now: () => START })
  mkdirSync(at('home/target'), { recursive: true })
})
afterEach(async () => {
  await store.close()
  temp.remove()
})

const at = (...names: string[]) => join(temp.path, ...names)
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
const run = (prefix: string, options = {}) =>
  exportPrefix({
    store,
    instance: { id: '0123456789abcdef', isAlive: () => true },
    prefix: prefix as Prefix,
    folder: at('home/target'),
    overwrite: false,
    checksum: false,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...options,
  })

describe('an export', () => {
  /** What S3 lets an object be called. */
  const UNHOLDABLE = [
    '../../above',
    '..',
    '.',
    'a/../../../.ssh/authorized_keys',
    'a/../x',
    'a/./x',
    'a//b',
    '/abs',
    'a/',
    'nul\0',
  ]

  it.each(UNHOLDABLE)('leaves out %j, which no file can be called, and goes on', async (name) => {
    await put(store, `demo/${name}` as ObjectPath, Buffer.from('theirs'))
    await put(store, 'demo/fine' as ObjectPath, Buffer.from('ours'))
    for (const prefix of ['demo/', '']) {
      const { exported, leftOut } = await run(prefix)
      expect(exported).toBe(1)
      const reason = 'a file system can not hold its name'
      expect(leftOut).toEqual([{ name: `demo/${name}`, reason }])
    }
    expect(filesIn(temp.path)).toEqual(['fine', 'fine'])
  })

  it('replaces nothing above its folder, also where it may replace', async () => {
    writeFileSync(at('home/profile'), 'mine')
    await put(store, 'demo/../profile' as ObjectPath, Buffer.from('theirs'))
    expect(await run('demo/', { overwrite: true })).toMatchObject({ exported: 0 })
    expect(readFileSync(at('home/profile'), 'utf8')).toBe('mine')
  })
})

test.each([['..'], ['a', '..', '..', 'x'], ['.'], [''], ['a/../../x'], ['nul\0']])(
  'no folder is made at %j, …',
  async (...segments) => {
    await expect(new Folders(at('home/target')).make(segments)).rejects.toThrow(
      /none that a folder/,
    )
    expect(existsSync(at('home/x'))).toBe(false)
  },
)

test.each([
  ['a', true, true],
  ['..a', true, true],
  ['...', true, false],
  ['a b', true, true],
  ['a\\..\\b', true, false],
  ['C:', true, false],
  ['C:x', true, false],
  ['.. ', true, false],
  ['..', false, false],
  ['a/b', false, false],
])('%j is the name of an entry: %s; where a backslash separates: %s', (name, here, there) => {
  expect([isEntryName(name, '/'), isEntryName(name, '\\')]).toEqual([here, there])
})
