/** The powers of stores as one, where some buckets are folders of files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Buckets } from '../../../../gateway/store/buckets.ts'
import { MemoryStore } from '../../../../gateway/store/memory/store.ts'
import { type ObjectPath, parseObjectPath } from '../../../../key/object-path.ts'
import { FolderBucket } from '../../../support/folder.ts'
import { completedOf, NEW_UPLOAD } from '../../../support/multipart.ts'
import { at, contentOf, digest, isSame, pattern, put, START } from '../../../support/store.ts'

const LARGE = pattern(2 * 1024 * 1024 + 7)
const inFolder = (name: string): ObjectPath => parseObjectPath(`files/${name}`)
const refused = { code: 'method_not_allowed' }

describe('stores as one', () => {
  let files: FolderBucket
  let store: Buckets
  beforeEach(async () => {
    files = new FolderBucket()
    const own = new Map([['files', await files.start({ bucket: 'files' })]])
    store = new Buckets(new MemoryStore({ now: () => START }), own)
  })
  afterEach(() => files.remove())

  it('copy from a folder, whatever put the file there', async () => {
    mkdirSync(files.path('by'))
    writeFileSync(files.path('by/hand'), LARGE)
    const from = inFolder('by/hand')
    const outcome = await store.copy(from, at('x'), { modified: START, type: 'image/png' })
    const sha256 = digest(LARGE)
    expect(outcome).toMatchObject({
      done: true,
      info: { path: at('x'), type: 'image/png', sha256 },
    })
    expect(isSame(await contentOf(store, at('x')), LARGE)).toBe(true)
  })

  it('copy to a folder, and within one', async () => {
    await put(store, at('x'), LARGE)
    expect(await store.copy(at('x'), inFolder('a'), { modified: START })).toMatchObject({
      done: true,
      created: true,
    })
    await store.copy(inFolder('a'), inFolder('b'), { modified: START })
    expect(isSame(await contentOf(store, inFolder('b')), LARGE)).toBe(true)
  })

  it('copy on conditions of both ends', async () => {
    await put(store, at('x'), pattern(5))
    const as = { modified: START }
    const none = await store.copy(inFolder('none'), at('y'), as)
    expect(none).toEqual({ done: false, of: 'source' })
    const existing = await store.head(at('x'))
    const source = { etags: ['"other"'] }
    expect(await store.copy(at('x'), inFolder('a'), as, { source })).toEqual({
      done: false,
      of: 'source',
      existing,
    })
    await store.copy(at('x'), inFolder('a'), as)
    const target = { absent: true }
    expect(await store.copy(at('x'), inFolder('a'), as, { target })).toEqual({
      done: false,
      of: 'target',
      existing: await store.head(inFolder('a')),
    })
  })

  it('take no uploads in parts to a folder', async () => {
    await expect(store.multipart.create(inFolder('x'), NEW_UPLOAD)).rejects.toMatchObject(refused)
    const ref = { path: inFolder('x'), id: '0'.repeat(32) }
    expect(await store.multipart.find(ref)).toBeUndefined()
    expect(await store.multipart.part(ref, 1)).toBeUndefined()
    expect(await store.multipart.parts(ref, { limit: 1 })).toBeUndefined()
    expect(await store.multipart.abort(ref)).toBe(false)
    const failure = { done: false, failed: 'no_such_upload' }
    expect(await store.multipart.complete(ref, { parts: [] }, completedOf())).toEqual(failure)
    const part = { etag: '"1"', modified: START }
    expect(await store.multipart.copyPart(ref, 1, { path: at('x') }, part)).toEqual(failure)
  })

  it('make parts of what lies in a folder', async () => {
    await put(store, inFolder('source'), LARGE)
    const ref = await store.multipart.create(at('x'), NEW_UPLOAD)
    const as = { etag: '"1"', modified: START }
    const copy = (source: object) =>
      store.multipart.copyPart(ref, 1, { path: inFolder('source'), ...source }, as)
    const none = await store.multipart.copyPart(ref, 1, { path: inFolder('none') }, as)
    expect(none).toEqual({ done: false, of: 'source' })
    expect(await copy({ condition: { etags: ['"other"'] } })).toMatchObject({ of: 'source' })
    expect(await copy({ range: { start: 1, length: LARGE.length } })).toEqual({
      done: false,
      failed: 'range_unsatisfiable',
      number: 1,
    })
    const range = { start: 1000, length: 1_500_000 }
    expect(await copy({ range })).toMatchObject({ done: true, part: { size: range.length } })
    await store.multipart.complete(ref, { parts: [{ number: 1, etag: '"1"' }] }, completedOf())
    const expected = LARGE.subarray(1000, 1_501_000)
    expect(isSame(await contentOf(store, at('x')), expected)).toBe(true)
  })

  it('keep nothing else of a file', async () => {
    await put(store, inFolder('x'), pattern(5))
    await expect(store.setMeta(inFolder('x'), { tags: {} })).rejects.toMatchObject(refused)
  })

  it('have the folder as a bucket that stays', async () => {
    await store.buckets.create('other', START)
    expect(await store.buckets.list()).toEqual([
      { name: 'files' },
      { name: 'other', created: START },
    ])
    expect(await store.buckets.find('files')).toEqual({ name: 'files' })
    expect(await store.buckets.create('files', START)).toBe(false)
    await expect(store.buckets.remove('files')).rejects.toMatchObject(refused)
  })
})
