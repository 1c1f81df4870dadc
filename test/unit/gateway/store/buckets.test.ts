import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Buckets } from '../../../../gateway/store/buckets.ts'
import { MemoryStore } from '../../../../gateway/store/memory/store.ts'
import { type ObjectPath, parseObjectPath } from '../../../../key/object-path.ts'
import { contentOf, isSame, pattern, put, START } from '../../../support/store.ts'

const memory = () => new MemoryStore({ now: () => START })
const path = (text: string): ObjectPath => parseObjectPath(text)

describe('several stores as one', () => {
  it('keep each object in the store of its bucket', async () => {
    const [shared, own] = [memory(), memory()]
    const store = new Buckets(shared, new Map([['own', own]]))
    await put(store, path('own/x'), pattern(5, 1))
    await put(store, path('own-not/x'), pattern(5, 2))
    expect(own.head(path('own/x'))).toBeDefined()
    expect(shared.head(path('own/x'))).toBeUndefined()
    expect(shared.head(path('own-not/x'))).toBeDefined()
    expect(isSame(await contentOf(store, path('own/x')), pattern(5, 1))).toBe(true)
    expect(await store.head(path('own-not/x'))).toMatchObject({ size: 5 })
    expect((await store.list({ prefix: 'own/', limit: 5 })).objects).toHaveLength(1)
    expect(await store.delete(path('own/x'))).toBe(true)
    expect(own.head(path('own/x'))).toBeUndefined()
  })

  it('do not show what the shared one holds of a bucket with a store of its own', async () => {
    const shared = memory()
    for (const name of ['aaa/x', 'own/hidden', 'own/too', 'own-b/x', 'zzz/x']) {
      await put(shared, path(name), pattern(1))
    }
    const store = new Buckets(shared, new Map([['own', memory()]]))
    expect(await store.head(path('own/hidden'))).toBeUndefined()
    for (const limit of [1, 2, 9]) {
      const seen: string[] = []
      let after: string | undefined
      do {
        const page = await store.list({ prefix: '', limit, ...(after !== undefined && { after }) })
        seen.push(...page.objects.map((object) => object.path))
        after = page.next
      } while (after !== undefined)
      expect(seen).toEqual(['aaa/x', 'own-b/x', 'zzz/x'])
    }
    expect((await store.list({ prefix: '', delimiter: '/', limit: 9 })).prefixes).toEqual([
      'aaa/',
      'own-b/',
      'zzz/',
    ])
    expect(await store.list({ prefix: 'own', delimiter: 'n', limit: 1 })).toMatchObject({
      objects: [{ path: 'own-b/x' }],
    })
  })

  it('are listed as one store with all objects would be', async () => {
    const bucket = fc.constantFrom('aab', 'aac', 'a-b', 'bbb', 'bba', 'b.b')
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '\u{10ffff}'), maxLength: 3 })
    const object = fc.tuple(bucket, name).map(([in_, key]) => path(`${in_}/x${key}`))
    const query = fc.record(
      {
        prefix: fc.constantFrom('', 'a', 'aa', 'b', 'bbb', 'bbb/', 'c', 'bbb/x'),
        delimiter: fc.constantFrom('/', 'a', 'b', '-', '/x'),
        after: fc.oneof(object, fc.constantFrom('a', 'aa', 'aab/', 'aac/x', 'b', 'bbb0')),
        limit: fc.integer({ min: 1, max: 12 }),
      },
      { requiredKeys: ['prefix', 'limit'] },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(object, { maxLength: 20 }),
        fc.array(query, { minLength: 1, maxLength: 10 }),
        async (objects, queries) => {
          const own = new Map(['aac', 'b.b', 'bbb'].map((bucket) => [bucket, memory()]))
          const store = new Buckets(memory(), own)
          const one = memory()
          for (const each of objects) {
            await put(store, each, pattern(1))
            await put(one, each, pattern(1))
          }
          for (const each of queries) expect(await store.list(each)).toEqual(one.list(each))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('are in trouble when the shared one is', async () => {
    const trouble = { code: 'storage_full', detail: 'full' } as const
    const full = Object.assign(memory(), { trouble: () => trouble })
    expect(await new Buckets(full, new Map([['own', memory()]])).trouble()).toBe(trouble)
    expect(await new Buckets(memory(), new Map([['own', full]])).trouble()).toBeUndefined()
  })

  it('are closed together, also when closing one of them fails', async () => {
    const closed: string[] = []
    const closing = (name: string, error?: Error) =>
      Object.assign(memory(), {
        close: async () => {
          closed.push(name)
          if (error !== undefined) throw error
        },
      })
    const own = new Map([
      ['one', closing('one', new Error('stuck'))],
      ['two', closing('two')],
    ])
    await expect(new Buckets(closing('shared'), own).close()).rejects.toThrow('stuck')
    expect(closed.toSorted()).toEqual(['one', 'shared', 'two'])
  })
})
