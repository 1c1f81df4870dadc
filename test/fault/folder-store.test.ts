/** Each call on the file system of a folder bucket fails in turn; and processes are killed. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWriter } from '../../database/writer.ts'
import { type FolderFiles, folderFiles } from '../../gateway/store/folder/files.ts'
import type { FolderJobs } from '../../gateway/store/folder/jobs.ts'
import type { FolderStore } from '../../gateway/store/folder/store.ts'
import { held } from '../../gateway/store/folder/tree.ts'
import { Damaged } from '../../gateway/store/store.ts'
import type { ObjectPath } from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import { FolderBucket } from '../support/folder.ts'
import { contentOfStep, floodAndKill, pathOf, typeOfStep } from '../support/folder-process.ts'
import { at, contentOf, isSame, pattern, put, START } from '../support/store.ts'

const LARGE = 600 * 1024
const OLD = pattern(LARGE, 1)
const NEW = pattern(1300 * 1024, 2)

let bucket: FolderBucket
beforeEach(() => {
  bucket = new FolderBucket()
})
afterEach(() => bucket.remove())

type Name = keyof FolderFiles
const AT_ONCE: ReadonlySet<Name> = new Set(['open', 'openFolder', 'look', 'status', 'readNow'])
const CLOSING: ReadonlySet<Name> = new Set(['close', 'closeNow'])

/** Files whose calls are counted; the one of number `failing` fails. */
class Faulty {
  calls: Name[] = []
  failing = -1
  code = 'EIO'

  readonly files: FolderFiles = new Proxy(folderFiles, {
    get: (real, name: Name) => {
      const call = real[name] as (...given: unknown[]) => unknown
      return (...given: unknown[]) => {
        const number = this.calls.push(name) - 1
        // a descriptor is gone also when closing it failed; no call at once fails at that
        if (number !== this.failing || name === 'closeNow') return call(...given)
        const error = Object.assign(new Error('injected'), { code: this.code })
        if (AT_ONCE.has(name)) throw error
        const before = CLOSING.has(name) ? call(...given) : undefined
        return Promise.resolve(before).then(() => Promise.reject(error))
      }
    },
  })

  fail(number: number, code: string): void {
    this.calls = []
    this.failing = number
    this.code = code
  }
}

interface Step {
  readonly name: string
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
  readonly run: (store: FolderStore, path: ObjectPath) => Promise<unknown>
}

const STEPS: readonly Step[] = [
  { name: 'create', before: undefined, after: NEW, run: (store, path) => put(store, path, NEW) },
  { name: 'replace', before: OLD, after: NEW, run: (store, path) => put(store, path, NEW) },
  { name: 'delete', before: OLD, after: undefined, run: (store, path) => store.delete(path) },
  {
    name: 'create on condition',
    before: undefined,
    after: NEW,
    run: (store, path) => put(store, path, NEW, { condition: { absent: true } }),
  },
  {
    name: 'read',
    before: OLD,
    after: OLD,
    run: async (store, path) => expect(isSame(await contentOf(store, path), OLD)).toBe(true),
  },
  {
    name: 'list',
    before: OLD,
    after: OLD,
    run: async (store, path) => {
      const { objects } = await store.list({ prefix: path, limit: 5 })
      expect(objects).toHaveLength(1)
    },
  },
]

/** What may be there: 507 says that nothing has changed, any other error that it may have. */
function possible(error: unknown, { before, after }: Pick<Step, 'before' | 'after'>) {
  if (error === undefined) return [after]
  expect(error instanceof Refusal || error instanceof Damaged).toBe(true)
  return (error as Partial<Refusal>).code === 'storage_full' ? [before] : [before, after]
}

const isOneOf = (content: Uint8Array | undefined, ...some: (Uint8Array | undefined)[]): boolean =>
  some.some((one) => one === content || isSame(one, content))

describe.each(STEPS)('to $name', ({ before, after, run }) => {
  it.each(['EIO', 'ENOSPC', 'EMFILE'])('with one call failing (%s)', async (code) => {
    let faulty = new Faulty()
    let store = await bucket.start({ files: faulty.files })
    for (let number = 0; ; number += 1) {
      const path = at(`made/${number}/x.txt`)
      if (before !== undefined) await put(store, path, before)
      faulty.fail(number, code)
      const error = await run(store, path).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      const { calls } = faulty
      faulty.fail(-1, code)
      const content = await contentOf(store, path)
      expect(isOneOf(content, ...possible(error, { before, after }))).toBe(true)
      const info = store.head(path)
      if (info !== undefined) expect(info).toMatchObject({ type: 'text/plain' })
      if (info !== undefined) expect(info).toHaveProperty('sha256')
      if (calls.length <= number) break
      if (calls[number] === 'sync' && code !== 'ENOSPC') {
        expect(calls.slice(number + 1)).not.toContain('sync')
        await expect(store.upload(at('y'))).rejects.toMatchObject({ code: 'unavailable' })
        await expect(store.delete(at('y'))).rejects.toMatchObject({ code: 'unavailable' })
        expect(store.trouble()).toMatchObject({ code: 'unavailable' })
        await bucket.stop()
        faulty = new Faulty()
        store = await bucket.start({ files: faulty.files })
      }
    }
    expect(readdirSync(bucket.path('.valetkey')).flatMap(namesIn)).toEqual([])
  })

  const namesIn = (owner: string): string[] => readdirSync(bucket.path(join('.valetkey', owner)))
})

describe('a database that can not keep what it is told', () => {
  const JOBS = new URL('../../gateway/store/folder/jobs.ts', import.meta.url)

  /** As when the disk is full (ROLLBACK: all of the transaction is lost), or a job is at fault. */
  const refuse = (how: string, what: string): void => {
    const db = new SqliteDatabase(join(bucket.data, 'notes.db'))
    db.exec(`CREATE TRIGGER refused BEFORE ${what} BEGIN SELECT RAISE(${how}, 'refused'); END`)
    db.close()
  }

  it.each(['ABORT', 'ROLLBACK'])(
    'says of a change beside one that it could not note that it was made (%s)',
    async (how) => {
      mkdirSync(bucket.data)
      const writer = await startWriter<FolderJobs>(join(bucket.data, 'notes.db'), JOBS)
      refuse(how, 'INSERT ON notes')
      const root = held(folderFiles.openFolder(bucket.folder), bucket.folder)
      const tree = { root, reserved: undefined }
      const target = { path: at('x'), key: 'x', name: 'x', folder: root, now: START }
      const note = { key: 'y', file: '1.2.3', staged: '', type: 'a/b', etag: '"x"', sha256: '' }
      const beside = async <T>(change: Promise<T>): Promise<T> => {
        const noting = writer.run('note', { ...note, expires: null, sums: new Uint8Array(8) })
        await expect(noting).rejects.toThrow('refused')
        return change
      }
      try {
        writeFileSync(join(bucket.outside, 'staged'), 'new')
        const placement = { ...target, staged: join(bucket.outside, 'staged') }
        const create = { ...placement, condition: { absent: true } }
        const done = { done: true, existed: false }
        expect(await beside(writer.run('place', create))).toMatchObject(done)
        const replace = { ...placement, condition: undefined }
        expect(await beside(writer.run('place', replace))).toMatchObject({ ...done, existed: true })
        expect(readFileSync(bucket.path('x'), 'utf8')).toBe('new')
        const removal = { ...target, condition: { etags: '*' as const }, only: undefined }
        expect(await beside(writer.run('remove', removal))).toMatchObject({ existed: true })
        const folders = { tree, names: ['made'] }
        expect(await beside(writer.run('makeFolders', folders))).toMatchObject({
          made: [{ key: 'made' }],
        })
      } finally {
        await writer.close()
        closeSync(root.file)
      }
    },
  )

  it('leaves no folder that it could not note', async () => {
    const store = await bucket.start()
    refuse('ROLLBACK', 'INSERT ON made')
    await expect(put(store, at('a/b/x'), OLD)).rejects.toMatchObject({ code: 'unavailable' })
    expect(readdirSync(bucket.folder)).toEqual(['.valetkey'])
    expect(await put(store, at('a'), OLD)).toMatchObject({ done: true })
  })

  it('keeps nobody from deleting', async () => {
    const store = await bucket.start()
    await put(store, at('a/b/x'), OLD)
    refuse('ROLLBACK', 'DELETE ON made')
    expect(await store.delete(at('a/b/x'))).toBe(true)
    expect(store.head(at('a/b/x'))).toBeUndefined()
  })
})

describe('a file whose bits rot', () => {
  const BLOCK = 256 * 1024
  const path = at('rotten')

  /** As a disk does it: size and time stay. */
  const flip = (position: number): void => {
    const file = bucket.path('rotten')
    const { atime, mtime } = statSync(file)
    const content = readFileSync(file)
    content[position] = (content[position] ?? 0) ^ 1
    const descriptor = openSync(file, 'r+')
    writeSync(descriptor, content, 0, content.length, 0)
    closeSync(descriptor)
    utimesSync(file, atime, mtime)
  }

  it.each([
    [900, 7, 0],
    [3 * BLOCK, BLOCK, 1],
    [3 * BLOCK + 1000, 3 * BLOCK + 999, 3],
  ])('of %i bytes, at %i, is not read there', async (size, position, block) => {
    const store = await bucket.start()
    await put(store, path, pattern(size, 3))
    flip(position)
    await expect(contentOf(store, path)).rejects.toThrow(`block ${block} of the file is not what`)
    if (block === 0) return
    const object = store.open(path)
    const good = new Uint8Array(1000)
    // within a block, and from one block into the next
    expect(await object?.read(good, 10)).toBe(1000)
    expect(isSame(good, pattern(size, 3).subarray(10, 1010))).toBe(true)
    await expect(object?.read(good, position - 500)).rejects.toThrow(Damaged)
    object?.close()
    await put(store, path, OLD)
    expect(isSame(await contentOf(store, path), OLD)).toBe(true)
  })

  it('is read as it is where another program has written it', async () => {
    const store = await bucket.start()
    writeFileSync(bucket.path('rotten'), OLD)
    flip(5)
    expect((await contentOf(store, path))?.length).toBe(OLD.length)
  })
})

describe('a process that is killed', () => {
  it('has lost nothing that it acknowledged, and each file has its own metadata', async () => {
    for (const [flood, most] of [1, 9, 25, 60].entries()) {
      const last = await floodAndKill(bucket, flood, most)
      const store = await bucket.start()
      for (const [lane, step] of last) {
        const path = pathOf(flood, lane)
        const type = store.head(path)?.type
        // the step after may have been done, and not told any more
        const done = [step, step + 1].find((one) => typeOf(one) === type)
        expect(done, `${path} has type ${type} after step ${step}`).toBeDefined()
        expect(isOneOf(await contentOf(store, path), contentOfStep(done ?? 0))).toBe(true)
      }
      await store.tidy()
      await bucket.stop()
      expect(readdirSync(bucket.path('.valetkey'))).toEqual([])
      expect(noted()).toEqual(noted().filter((key) => existsSync(bucket.path(key))))
      expect(new Set(noted()).size).toBe(noted().length)
    }
  })

  const typeOf = (step: number): string | undefined =>
    contentOfStep(step) === undefined ? undefined : typeOfStep(step)

  function noted(): readonly string[] {
    const db = new SqliteDatabase(join(bucket.data, 'notes.db'), { readonly: true })
    const keys = db.prepare<[], string>('SELECT key FROM notes').pluck().all()
    db.close()
    return keys
  }
})
