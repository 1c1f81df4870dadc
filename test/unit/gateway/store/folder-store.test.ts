/** The life of a folder bucket: opening, walking, expiring, forgetting, several of them on one folder. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../../database/open.ts'
import {
  type BucketsSettings,
  bucketsSection,
  foldersOf,
  isWithin,
} from '../../../../gateway/store/folder/config.ts'
import {
  changeFiles,
  type FolderFiles,
  folderFiles,
} from '../../../../gateway/store/folder/files.ts'
import { prepareJobs } from '../../../../gateway/store/folder/jobs.ts'
import { migrations } from '../../../../gateway/store/folder/notes.ts'
import { openFolders } from '../../../../gateway/store/folder/open.ts'
import { held, Tree } from '../../../../gateway/store/folder/tree.ts'
import { Walk } from '../../../../gateway/store/folder/walk.ts'
import { walkedListing } from '../../../../gateway/store/walked-listing.ts'
import type { ObjectPath } from '../../../../key/object-path.ts'
import { bytes, unixSeconds } from '../../../../key/units.ts'
import { FolderBucket } from '../../../support/folder.ts'
import { at, contentOf, described, isSame, pattern, put, START } from '../../../support/store.ts'
import { errno } from '../../../support/store-faults.ts'

const LARGE = 600 * 1024

let bucket: FolderBucket
beforeEach(() => {
  bucket = new FolderBucket()
})
afterEach(() => bucket.remove())

/** Keys of all notes. */
function notes(): readonly string[] {
  const db = new SqliteDatabase(join(bucket.data, 'notes.db'), { readonly: true })
  const keys = db.prepare<[], string>('SELECT key FROM notes ORDER BY key').pluck().all()
  db.close()
  return keys
}

describe('a folder', () => {
  it('that is missing or no folder is refused, with what to do', async () => {
    writeFileSync(bucket.path('file'), 'x')
    for (const name of ['missing', 'file']) {
      await expect(bucket.start({ folder: bucket.path(name) })).rejects.toThrow(/make it|correct/)
    }
  })

  it("that holds the gateway's own data is refused", async () => {
    for (const data of [bucket.path('data'), bucket.folder]) {
      await expect(bucket.start({ data })).rejects.toThrow("the gateway's own data")
    }
  })

  it('whose reserved name leads elsewhere is refused', async () => {
    symlinkSync(bucket.outside, bucket.path('.valetkey'))
    await expect(bucket.start()).rejects.toThrow('ENOTDIR')
    expect(readdirSync(bucket.outside)).toEqual([])
  })

  it('may be reached through a symbolic link that the administrator chose', async () => {
    const folder = join(bucket.top, 'link')
    symlinkSync(bucket.folder, folder)
    const store = await bucket.start({ folder })
    await put(store, at('x'), pattern(5))
    expect(existsSync(bucket.path('x'))).toBe(true)
  })

  it.each(['../x', 'a/../../x', '..', '.', 'a/.', 'a//b', 'a/', '/abs', 'nul\0'])(
    'has no file that is called %j',
    async (name) => {
      const store = await bucket.start()
      const path = `bucket/${name}` as ObjectPath
      const refused = { code: 'path_malformed' }
      await expect(put(store, path, pattern(5))).rejects.toMatchObject(refused)
      expect(await store.delete(path)).toBe(false)
      expect(store.head(path)).toBeUndefined()
      expect(readdirSync(bucket.outside)).toEqual([])
    },
  )

  it('that is read-only is read and listed, not changed', async () => {
    writeFileSync(bucket.path('x'), 'x')
    const store = await bucket.start({ readOnly: true })
    expect(store.head(at('x'))?.size).toBe(1)
    expect((await store.list({ prefix: 'bucket/', limit: 5 })).objects).toHaveLength(1)
    const refused = { code: 'method_not_allowed', detail: expect.stringContaining('read-only') }
    await expect(store.upload(at('y'))).rejects.toMatchObject(refused)
    await expect(store.delete(at('x'))).rejects.toMatchObject(refused)
    expect(store.trouble()).toBeUndefined()
    await store.tidy()
    expect(readdirSync(bucket.folder)).toEqual(['x'])
  })

  it('that has become read-only still shows what was noted, and hides what was staged', async () => {
    const writable = await bucket.start()
    await put(writable, at('x'), pattern(5), { as: { type: 'image/png' } })
    await bucket.stop()
    mkdirSync(bucket.path('.valetkey/left'))
    writeFileSync(bucket.path('.valetkey/left/over'), 'half')
    const store = await bucket.start({ readOnly: true })
    expect(store.head(at('x'))).toMatchObject({ type: 'image/png' })
    expect(store.head(at('.valetkey/left/over'))).toBeUndefined()
    expect((await store.list({ prefix: 'bucket/', limit: 5 })).objects).toHaveLength(1)
  })

  it('keeps its reserved folder hidden under other names that lead there', async () => {
    const store = await bucket.start()
    await put(store, at('x'), pattern(5))
    // as `.VALETKEY` does where case makes no difference: another name, the same folder
    renameSync(bucket.path('.valetkey'), bucket.path('.VALETKEY'))
    const [owner = ''] = readdirSync(bucket.path('.VALETKEY'))
    writeFileSync(bucket.path(`.VALETKEY/${owner}/x`), 'half')
    expect(store.head(at(`.VALETKEY/${owner}/x`))).toBeUndefined()
    expect(store.open(at(`.VALETKEY/${owner}/x`))).toBeUndefined()
    const { objects } = await store.list({ prefix: 'bucket/', limit: 5 })
    expect(objects.map(({ path }) => path)).toEqual(['bucket/x'])
    rmSync(bucket.path(`.VALETKEY/${owner}/x`))
  })

  it('answers nothing any more when it is closed', async () => {
    const store = await bucket.start()
    await put(store, at('x'), pattern(LARGE))
    const object = store.open(at('x'))
    const upload = await store.upload(at('y'))
    await store.close()
    const closed = expect.objectContaining({ code: 'unavailable' })
    expect(() => store.head(at('x'))).toThrow(closed)
    expect(() => store.open(at('x'))).toThrow(closed)
    await expect(store.upload(at('x'))).rejects.toEqual(closed)
    await expect(store.list({ prefix: 'bucket/', limit: 1 })).rejects.toEqual(closed)
    await expect(upload.commit(described(pattern(0)))).rejects.toEqual(closed)
    const into = new Uint8Array(LARGE)
    expect(await object?.read(into, 0)).toBe(LARGE)
    object?.close()
  })

  it('leaves no descriptor open', async () => {
    const count = () => readdirSync('/proc/self/fd').length
    const rounds = async () => {
      const store = await bucket.start()
      await put(store, at('a/b/c'), pattern(LARGE))
      await contentOf(store, at('a/b/c'))
      store.open(at('a/b/c'))?.close()
      await put(store, at('a/b/c'), pattern(9), { condition: { absent: true } })
      await put(store, at('a/b/c/d'), pattern(9)).catch(() => {})
      for (const limit of [1, 9]) await store.list({ prefix: 'bucket/', limit })
      await store.delete(at('a/b/c'))
      await store.tidy()
      await bucket.stop()
    }
    await rounds()
    const before = count()
    for (let n = 0; n < 3; n += 1) await rounds()
    await expect.poll(count).toBeLessThanOrEqual(before)
  })
})

describe('the reserve', () => {
  const MEBIBYTE = 2 ** 20

  it('is not taken by a disk that is faster than the clock', async () => {
    let free = 20 * MEBIBYTE
    const files: FolderFiles = {
      ...folderFiles,
      space: async () => ({ free, total: 2 ** 40 }),
      append: async (file, chunks) => {
        const written = await folderFiles.append(file, chunks)
        free -= written
        return written
      },
    }
    const store = await bucket.start({ files, reserve: bytes(10 * MEBIBYTE) })
    const full = { code: 'storage_full' }
    const upload = await store.upload(at('x'))
    const writeOn = async (): Promise<void> => {
      for (let n = 0; n < 15; n += 1) await upload.write([pattern(MEBIBYTE)])
    }
    await expect(writeOn()).rejects.toMatchObject(full)
    // no more than was written before it could be counted
    expect(free).toBe(9 * MEBIBYTE)
    await expect(store.upload(at('y'))).rejects.toMatchObject(full)
    await upload.discard()
    expect(readdirSync(bucket.folder)).toEqual(['.valetkey'])
  })
})

describe('an upload', () => {
  const MEBIBYTE = 2 ** 20

  it('of which a part could not be written is not to be committed without it', async () => {
    let failing = 1
    const append: FolderFiles['append'] = (file, chunks) =>
      failing-- > 0 ? Promise.reject(errno('EIO')) : folderFiles.append(file, chunks)
    const store = await bucket.start({ files: { ...folderFiles, append } })
    const upload = await store.upload(at('x'))
    const megabyte = [pattern(MEBIBYTE)]
    await expect(upload.write(megabyte)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(upload.write(megabyte)).rejects.toThrow('ended')
    await expect(upload.commit(described(pattern(0)))).rejects.toThrow('ended')
    await upload.discard()
    expect(readdirSync(bucket.folder)).toEqual(['.valetkey'])
  })

  it('is let go of also after the store has been closed', async () => {
    const open = new Set<number>()
    const files: FolderFiles = {
      ...folderFiles,
      create: async (path) => {
        const file = await folderFiles.create(path)
        open.add(file)
        return file
      },
      close: async (file) => {
        open.delete(file)
        await folderFiles.close(file)
      },
    }
    const store = await bucket.start({ files })
    const [discarded, committed] = [await store.upload(at('x')), await store.upload(at('y'))]
    for (const upload of [discarded, committed]) await upload.write([pattern(MEBIBYTE)])
    await store.close()
    await expect(committed.commit(described(pattern(MEBIBYTE)))).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(open.size).toBe(2)
    await Promise.all([discarded.discard(), committed.discard(), discarded.discard()])
    expect(open.size).toBe(0)
  })
})

describe('a way', () => {
  it('that ends at a folder that can not be opened leaves none of it open', () => {
    const opened = new Set<number>()
    const files = {
      ...folderFiles,
      openFolder: (path: string): number => {
        if (path.endsWith('/closed')) throw errno('EACCES')
        const file = folderFiles.openFolder(path)
        opened.add(file)
        return file
      },
      closeNow: (file: number): void => {
        opened.delete(file)
        folderFiles.closeNow(file)
      },
    }
    mkdirSync(bucket.path('a/b/closed'), { recursive: true })
    const root = held(files.openFolder(bucket.folder), bucket.folder)
    const tree = new Tree(files, { root, reserved: undefined })
    for (const names of [['a', 'closed'], ['a', 'b', 'closed'], ['closed']]) {
      expect(() => tree.within(names, () => {})).toThrow('EACCES')
    }
    expect([...opened]).toEqual([root.file])
    files.closeNow(root.file)
  })
})

describe('the settings of buckets', () => {
  const parsed = (buckets: unknown) => bucketsSection.safeParse(buckets)

  it('are a folder, and whether it is read only', () => {
    expect(parsed({ files: { folder: '/srv/files' } }).data).toEqual({
      files: { folder: '/srv/files', readOnly: false },
    })
  })

  it('may be a lifetime, with a folder or without', () => {
    const buckets = { files: { folder: '/srv/files', ttl: '30d' }, inbox: { ttl: 60 } }
    const { data } = parsed(buckets)
    expect(data).toEqual({
      files: { folder: '/srv/files', readOnly: false, ttl: 2_592_000 },
      inbox: { readOnly: false, ttl: 60 },
    })
    expect(foldersOf(data as BucketsSettings).map(([name]) => name)).toEqual(['files'])
  })

  it.each([
    { files: { folder: 'srv/files' } },
    { files: {} },
    { files: { readOnly: true, ttl: '1d' } },
    { files: { ttl: 0 } },
    { files: { folder: '/srv', readonly: true } },
    { Files: { folder: '/srv' } },
    { 'a/b': { folder: '/srv' } },
    { one: { folder: '/srv/x/' }, two: { folder: '/srv/x' } },
    { one: { folder: '/srv' }, two: { folder: '/srv/x' } },
    { one: { folder: '/srv/x/..' }, two: { folder: '/srv/x' } },
  ])('%j are refused', (buckets) => {
    expect(parsed(buckets).success).toBe(false)
  })

  it('may name neighbours', () => {
    const one = { folder: '/srv/x' }
    expect(parsed({ one, two: { folder: '/srv/xy' }, six: { folder: '/srv/..x' } }).success).toBe(
      true,
    )
    expect(isWithin('/srv', '/srv/..x')).toBe(true)
  })

  it('open a store each, and none where one of them fails', async () => {
    const instance = { id: 'a', isAlive: () => true }
    const options = { data: bucket.data, instance, now: () => START, reserve: bytes(0) }
    mkdirSync(bucket.path('one'))
    const one = { folder: bucket.path('one'), readOnly: false }
    const stores = await openFolders({ one }, options)
    const store = stores.get('one')
    await put(stores.get('one') as never, 'one/x' as never, pattern(5))
    expect(existsSync(bucket.path('one/x'))).toBe(true)
    await store?.close()
    const gone = { folder: bucket.path('gone'), readOnly: false }
    await expect(openFolders({ one, gone }, options)).rejects.toThrow('"gone"')
    symlinkSync('one', bucket.path('alias'))
    const alias = { folder: bucket.path('alias'), readOnly: true }
    await expect(openFolders({ one, alias }, options)).rejects.toThrow('a folder of its own')
    const within = { folder: realpathSync(bucket.top), readOnly: true }
    await expect(openFolders({ within }, options)).rejects.toThrow("the gateway's own data")
    mkdirSync(join(bucket.data, 'secrets'), { recursive: true })
    const secrets = { folder: join(bucket.data, 'secrets'), readOnly: true }
    await expect(openFolders({ secrets }, options)).rejects.toThrow("the gateway's own data")
  })
})

describe('a walk', () => {
  it('is in the order of whole paths, however few names it keeps', async () => {
    const letter = fc.constantFrom('a', 'b', '-', '0', '.', 'é', '\uff21', '\u{1f511}')
    const name = fc
      .string({ unit: letter, minLength: 1, maxLength: 3 })
      .filter((text) => text !== '.' && text !== '..')
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
    const root = held(folderFiles.openFolder(bucket.folder), bucket.folder)
    const tree = new Tree(folderFiles, { root, reserved: undefined })
    await fc.assert(
      fc.asyncProperty(
        fc.array(path, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(path, fc.option(path), fc.constantFrom(undefined, '/', 'b')), {
          minLength: 1,
          maxLength: 8,
        }),
        async (paths, window, queries) => {
          bucket.empty()
          const held = made(paths)
          for (const [prefix, after, delimiter] of queries) {
            const from = after === null ? `bucket/${prefix}` : `bucket/${after}\0`
            const walk = new Walk({
              tree,
              files: folderFiles,
              bucket: 'bucket',
              prefix: `bucket/${prefix}`,
              from,
              describe: (path) => ({ ...described(pattern(0)), path, size: bytes(0) }),
              window,
            })
            const query = { prefix: `bucket/${prefix}`, limit: 100 }
            const { objects, prefixes } = await walkedListing(
              delimiter === undefined ? query : { ...query, delimiter },
              walk,
            )
            walk.close()
            const found = [...objects.map(({ path }) => path as string), ...prefixes]
            expect(found.toSorted()).toEqual(naive(held, query.prefix, from, delimiter).toSorted())
            if (delimiter === undefined) expect(found).toEqual(inOrder(found))
          }
        },
      ),
      { numRuns: 60 },
    )
    folderFiles.closeNow(root.file)
  })

  /** Makes files of these names, as far as no file is in the way. */
  function made(paths: readonly string[]): readonly string[] {
    return [...new Set(paths)].filter((name) => {
      try {
        mkdirSync(join(bucket.path(name), '..'), { recursive: true })
        writeFileSync(bucket.path(name), '', { flag: 'wx' })
        return true
      } catch {
        return false
      }
    })
  }

  const inOrder = (texts: readonly string[]) =>
    texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

  function naive(names: readonly string[], prefix: string, from: string, delimiter?: string) {
    const found = names
      .map((name) => `bucket/${name}`)
      .filter((path) => path.startsWith(prefix))
      .filter((path) => Buffer.compare(Buffer.from(path), Buffer.from(from)) >= 0)
      .map((path) => {
        const end = delimiter === undefined ? -1 : path.indexOf(delimiter, prefix.length)
        return end < 0 ? path : path.slice(0, end + 1)
      })
    return [...new Set(found)]
  }

  it('looks into no more folders and at no more files than it shows', async () => {
    for (const folder of ['a', 'b', 'c', 'd']) {
      mkdirSync(bucket.path(folder))
      for (let n = 0; n < 20; n += 1) writeFileSync(bucket.path(`${folder}/${n}`), '')
    }
    const seen = { entries: 0, look: 0 }
    const files = {
      ...folderFiles,
      entries: (path: string) => {
        seen.entries += 1
        return folderFiles.entries(path)
      },
      look: (path: string) => {
        seen.look += 1
        return folderFiles.look(path)
      },
    }
    const store = await bucket.start({ files, readOnly: true })
    const cost = async (query: Parameters<typeof store.list>[0]) => {
      Object.assign(seen, { entries: 0, look: 0 })
      const { objects, prefixes } = await store.list(query)
      return { ...seen, shown: objects.length + prefixes.length }
    }
    expect(await cost({ prefix: 'bucket/b/', limit: 5 })).toEqual({ entries: 1, look: 6, shown: 5 })
    expect(await cost({ prefix: 'bucket/', limit: 5 })).toEqual({ entries: 2, look: 6, shown: 5 })
    expect(await cost({ prefix: 'bucket/', delimiter: '/', limit: 9 })).toEqual({
      entries: 5,
      look: 4,
      shown: 4,
    })
    expect(await cost({ prefix: 'bucket/', after: 'bucket/c/3', limit: 3 })).toEqual({
      entries: 2,
      look: 4,
      shown: 3,
    })
  })
})

describe('an expiry', () => {
  const expires = unixSeconds(START + 60)

  it('removes the file, its folder and its note', async () => {
    const store = await bucket.start()
    await put(store, at('made/x'), pattern(5), { as: { expires } })
    bucket.clock.now = expires
    expect(store.head(at('made/x'))).toBeUndefined()
    expect(existsSync(bucket.path('made/x'))).toBe(true)
    await store.tidy()
    expect(existsSync(bucket.path('made'))).toBe(false)
    expect(notes()).toEqual([])
  })

  it('leaves alone what another program has put there since', async () => {
    const store = await bucket.start()
    await put(store, at('x'), pattern(5), { as: { expires } })
    writeFileSync(bucket.path('x'), 'theirs')
    bucket.clock.now = expires
    await store.tidy()
    expect(Buffer.from((await contentOf(store, at('x'))) ?? '').toString()).toBe('theirs')
    expect(notes()).toEqual([])
  })
})

describe('notes', () => {
  it('of an upload that comes while others expire stay', async () => {
    let syncs = 0
    const sync: FolderFiles['sync'] = async (file) => {
      await folderFiles.sync(file)
      syncs -= 1
      // the note of the first is forgotten by now, that of the second is not
      if (syncs === 0) await put(store, at('new'), pattern(5), { as })
    }
    const store = await bucket.start({ files: { ...folderFiles, sync } })
    const as = { type: 'image/png', expires: unixSeconds(START + 60) }
    await put(store, at('second'), pattern(5), { as: { expires: unixSeconds(START + 2) } })
    await put(store, at('first'), pattern(5), { as: { expires: unixSeconds(START + 1) } })
    bucket.clock.now = unixSeconds(START + 2)
    syncs = 2
    await store.tidy()
    expect(notes()).toEqual(['new'])
    const { sha256 } = described(pattern(5))
    expect(store.head(at('new'))).toMatchObject({ ...as, sha256 })
  })

  it('have ids that no other had before, also in a database from before', () => {
    const file = join(bucket.top, 'notes.db')
    const as = { type: 'a/b', etag: '"x"', sha256: '', expires: START }
    const note = { key: 'x', staged: 'a/b', ...as, sums: new Uint8Array(8) }
    const before = openDatabase(file, migrations.slice(0, 2))
    const add = prepareJobs(before).note
    add({ ...note, file: '1' })
    const last = add({ ...note, file: '2' })
    const all = before.prepare('SELECT * FROM notes').all()
    before.close()
    const db = openDatabase(file, migrations)
    expect(db.prepare('SELECT * FROM notes').all()).toEqual(all)
    const jobs = prepareJobs(db)
    jobs.forget([last])
    const next = jobs.note({ ...note, file: '3' })
    expect(next).toBeGreaterThan(last)
    jobs.forget([last])
    expect(db.prepare<[], string>('SELECT file FROM notes').pluck().all()).toEqual(['1', '3'])
    db.close()
  })

  it('go with what was replaced or deleted', async () => {
    const store = await bucket.start()
    for (const seed of [1, 2, 3]) await put(store, at('x'), pattern(50 * seed, seed))
    await put(store, at('y'), pattern(5))
    await store.delete(at('y'))
    await put(store, at('x'), pattern(5), { condition: { etags: ['"no"'] } })
    await bucket.stop()
    expect(notes()).toEqual(['x'])
  })

  it('go when another program has removed or changed the file', async () => {
    const store = await bucket.start()
    for (const name of ['a', 'b', 'c/d', 'e/f', 'g']) await put(store, at(name), pattern(5))
    rmSync(bucket.path('a'))
    writeFileSync(bucket.path('b'), 'theirs')
    rmSync(bucket.path('c'), { recursive: true })
    rmSync(bucket.path('e'), { recursive: true })
    writeFileSync(bucket.path('e'), 'theirs')
    await store.tidy()
    expect(notes()).toEqual(['g'])
    expect(store.head(at('g'))).toHaveProperty('sha256')
  })

  it.each([null, START - 1])('of an upload under way stay (expires: %s)', async (expires) => {
    const store = await bucket.start()
    const other = await bucket.start()
    const upload = await store.upload(at('x'))
    await upload.write([pattern(2 * LARGE)])
    const staged = readdirSync(bucket.path('.valetkey')).flatMap((owner) =>
      readdirSync(bucket.path(`.valetkey/${owner}`)).map((n) => `${owner}/${n}`),
    )
    // as between the two steps of its commit
    const db = new SqliteDatabase(join(bucket.data, 'notes.db'))
    db.prepare(
      `INSERT INTO notes (key, file, staged, type, etag, sha256, expires)
       VALUES ('x', '1.2.3', ?, 'a/b', '"x"', '', ?)`,
    ).run(staged[0], expires)
    db.close()
    await other.tidy()
    expect(notes()).toEqual(['x'])
    await upload.discard()
    await other.tidy()
    expect(notes()).toEqual([])
  })
})

describe('two stores on one folder and one data folder', () => {
  it('let exactly one create, and serialise what they change', async () => {
    const stores = await Promise.all([bucket.start(), bucket.start()])
    const created = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        put(stores[n % 2 === 0 ? 0 : 1], at('one'), pattern(10 + n, n + 1), {
          condition: { absent: true },
        }),
      ),
    )
    expect(created.filter(({ done }) => done)).toHaveLength(1)
    await put(stores[0], at('n'), pattern(5), { as: { etag: '"0"' } })
    const add = async (store: (typeof stores)[0]): Promise<void> => {
      for (;;) {
        const etag = store.head(at('n'))?.etag ?? ''
        const next = `"${Number(etag.slice(1, -1)) + 1}"`
        const condition = { etags: [etag] }
        if ((await put(store, at('n'), pattern(5), { as: { etag: next }, condition })).done) return
      }
    }
    await Promise.all(Array.from({ length: 10 }, (_, n) => add(stores[n % 2 === 0 ? 0 : 1])))
    expect(stores[1].head(at('n'))?.etag).toBe('"10"')
  })

  it('make and remove the same folders at the same time', async () => {
    const stores = await Promise.all([bucket.start(), bucket.start()])
    const rounds = async (store: (typeof stores)[0], name: string) => {
      for (let n = 0; n < 15; n += 1) {
        expect((await put(store, at(`x/y/${name}`), pattern(n))).done).toBe(true)
        expect(await store.delete(at(`x/y/${name}`))).toBe(true)
      }
    }
    await Promise.all([rounds(stores[0], 'a'), rounds(stores[1], 'b'), rounds(stores[0], 'c')])
    expect(existsSync(bucket.path('x'))).toBe(false)
  })

  it('leave each other what is staged, and remove what a dead one left', async () => {
    const first = await bucket.start()
    const upload = await first.upload(at('x'))
    await upload.write([pattern(2 * LARGE)])
    const [alive = ''] = readdirSync(bucket.path('.valetkey'))
    const [name = ''] = alive.split('-')
    mkdirSync(bucket.path(`.valetkey/${name}-dead`))
    writeFileSync(bucket.path(`.valetkey/${name}-dead/half`), 'x')
    mkdirSync(bucket.path('.valetkey/0123456789abcdef-other'))
    writeFileSync(join(bucket.outside, 'file'), 'outside')
    symlinkSync(bucket.outside, bucket.path(`.valetkey/${name}-link`))
    await bucket.start()
    expect(readdirSync(bucket.outside)).toEqual(['file'])
    expect(readdirSync(bucket.path('.valetkey'))).toEqual(
      expect.not.arrayContaining([`${name}-dead`]),
    )
    expect(readdirSync(bucket.path('.valetkey'))).toEqual(
      expect.arrayContaining([alive, '0123456789abcdef-other']),
    )
    await upload.commit(described(pattern(2 * LARGE)))
    expect(isSame(await contentOf(first, at('x')), pattern(2 * LARGE))).toBe(true)
  })
})

describe('a file system without second names', () => {
  it('takes the name by a rename', async () => {
    const { place } = await import('../../../../gateway/store/folder/changes.ts')
    writeFileSync(join(bucket.top, 'staged'), 'new')
    const linkNow = (): never => {
      throw Object.assign(new Error('injected'), { code: 'EPERM' })
    }
    const folder = { file: -1, path: bucket.folder }
    const target = { path: at('x'), key: 'x', name: 'x', folder, now: START }
    const job = { ...target, condition: { absent: true }, staged: join(bucket.top, 'staged') }
    const files = { ...changeFiles, linkNow }
    expect(place(files, () => undefined, job)).toMatchObject({ done: true, existed: false })
    expect(place(files, () => undefined, job)).toMatchObject({ done: false })
    expect(readdirSync(bucket.folder)).toEqual(['x'])
  })
})
