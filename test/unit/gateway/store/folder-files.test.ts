/** A folder bucket beside other programs, which read and write the same files. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FolderStore } from '../../../../gateway/store/folder/store.ts'
import { Damaged } from '../../../../gateway/store/store.ts'
import type { ObjectPath } from '../../../../key/object-path.ts'
import { unixSeconds } from '../../../../key/units.ts'
import { FolderBucket } from '../../../support/folder.ts'
import { at, contentOf, isSame, pattern, put, START } from '../../../support/store.ts'

const LARGE = 600 * 1024
const LONG_AGO = 1_500_000_000

let bucket: FolderBucket
let store: FolderStore
beforeAll(async () => {
  bucket = new FolderBucket()
  store = await bucket.start()
})
afterAll(() => bucket.remove())
afterEach(() => bucket.empty())

/** As another program does it. */
function write(name: string, content: string | Uint8Array, modified = LONG_AGO): void {
  const path = bucket.path(name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  // as a number, a time before Unix would be taken for now
  const time = new Date(modified * 1000)
  utimesSync(path, time, time)
}

const text = async (path: ObjectPath): Promise<string> =>
  Buffer.from((await contentOf(store, path)) ?? '').toString()

const listed = async (prefix = 'bucket/', delimiter?: string): Promise<readonly string[]> => {
  const query = { prefix, limit: 100, ...(delimiter !== undefined && { delimiter }) }
  const { objects, prefixes } = await store.list(query)
  return [...objects.map(({ path }) => path), ...prefixes]
}

describe('a file of another program', () => {
  it('is an object, with what the file itself says', async () => {
    write('sub/page.html', '<p>')
    const info = store.head(at('sub/page.html'))
    expect(info).toEqual({
      path: at('sub/page.html'),
      size: 3,
      type: 'text/html',
      etag: expect.stringMatching(/^"f[0-9a-f]{31}"$/),
      modified: LONG_AGO,
    })
    expect(store.open(at('sub/page.html'))?.info).toEqual(info)
    expect((await store.list({ prefix: 'bucket/', limit: 9 })).objects).toEqual([info])
    expect(await text(at('sub/page.html'))).toBe('<p>')
  })

  it.each(['noextension', 'html', '.html', 'x.unheard-of', 'sub.html/x'])(
    'is bytes where its name, %s, says nothing',
    (name) => {
      write(name, 'x')
      expect(store.head(at(name))?.type).toBe('application/octet-stream')
    },
  )

  it('that is older than Unix is as old as Unix', () => {
    write('old', 'x', -5)
    expect(store.head(at('old'))?.modified).toBe(0)
  })

  it('shows a change at once', async () => {
    write('x', 'one')
    const before = store.head(at('x'))
    write('x', 'longer', LONG_AGO + 5)
    const after = store.head(at('x'))
    expect(after).toMatchObject({ size: 6, modified: LONG_AGO + 5 })
    expect(after?.etag).not.toBe(before?.etag)
    expect(await text(at('x'))).toBe('longer')
    write('x', 'LONGER', LONG_AGO + 6)
    expect(store.head(at('x'))?.etag).not.toBe(after?.etag)
  })

  it('takes the place of one of ours, with its own type and tag', async () => {
    await put(store, at('x.txt'), pattern(100), { as: { type: 'image/png' } })
    expect(store.head(at('x.txt'))?.type).toBe('image/png')
    writeFileSync(bucket.path('new'), pattern(100))
    utimesSync(bucket.path('new'), START, START)
    renameSync(bucket.path('new'), bucket.path('x.txt'))
    const info = store.head(at('x.txt'))
    expect(info).toMatchObject({ type: 'text/plain', size: 100, modified: START })
    expect(info).not.toHaveProperty('sha256')
  })

  it('is replaced and deleted on the conditions that hold of it', async () => {
    write('x', 'theirs')
    const { etag = '' } = store.head(at('x')) ?? {}
    const other = { condition: { etags: ['"other"'] } }
    expect(await put(store, at('x'), pattern(5), other)).toMatchObject({
      done: false,
      existing: { etag },
    })
    expect(await put(store, at('x'), pattern(5), { condition: { absent: true } })).toMatchObject({
      done: false,
    })
    expect(await text(at('x'))).toBe('theirs')
    expect(await put(store, at('x'), pattern(5), { condition: { etags: [etag] } })).toMatchObject({
      done: true,
      created: false,
    })
    write('y', 'theirs')
    expect(await store.delete(at('y'))).toBe(true)
    expect(existsSync(bucket.path('y'))).toBe(false)
  })
})

describe('one of our files', () => {
  it('is a plain file with the bytes, made as any program makes one', async () => {
    await put(store, at('a/b/c.bin'), pattern(LARGE))
    const path = bucket.path('a/b/c.bin')
    expect(isSame(readFileSync(path), pattern(LARGE))).toBe(true)
    const { mode, mtimeMs, nlink } = statSync(path)
    writeFileSync(bucket.path('plain'), '')
    expect(mode).toBe(statSync(bucket.path('plain')).mode)
    expect(mtimeMs).toBe(START * 1000)
    expect(nlink).toBe(1)
  })

  it('belongs to the group of a folder that hands its group on', async () => {
    const groups = process.getgroups?.() ?? []
    const group = process.getuid?.() === 0 ? 12_345 : (groups[0] ?? 0)
    mkdirSync(bucket.path('shared'))
    chownSync(bucket.path('shared'), -1 >>> 0, group)
    chmodSync(bucket.path('shared'), 0o2775)
    await put(store, at('shared/x'), pattern(5))
    expect(statSync(bucket.path('shared/x')).gid).toBe(group)
  })

  it('keeps what is known of it over a restart', async () => {
    const expires = unixSeconds(START + 100)
    await put(store, at('x'), pattern(5), { as: { type: 'image/png', expires } })
    const before = store.head(at('x'))
    await bucket.stop()
    store = await bucket.start()
    expect(before).toMatchObject({ type: 'image/png', expires })
    expect(store.head(at('x'))).toEqual(before)
  })

  it('is only what other programs have not touched', async () => {
    await put(store, at('x'), pattern(100), { as: { type: 'image/png' } })
    writeFileSync(bucket.path('x'), pattern(100, 2))
    expect(store.head(at('x'))).toMatchObject({ type: 'application/octet-stream', size: 100 })
    expect(isSame(await contentOf(store, at('x')), pattern(100, 2))).toBe(true)
  })
})

describe('a file that is being read', () => {
  const firstBlock = async (name: string) => {
    const object = store.open(at(name))
    if (object === undefined) throw new Error('the object is there')
    const into = new Uint8Array(256 * 1024)
    expect(await object.read(into, 0)).toBe(into.length)
    return { object, next: async () => object.read(into, into.length) }
  }

  it.each(['foreign', 'ours'])('and written into is cut off (%s)', async (whose) => {
    if (whose === 'ours') await put(store, at('x'), pattern(LARGE))
    else write('x', pattern(LARGE))
    const { object, next } = await firstBlock('x')
    writeFileSync(bucket.path('x'), pattern(LARGE, 2))
    await expect(next()).rejects.toThrow(Damaged)
    object.close()
  })

  it('and cut short is cut off', async () => {
    write('x', pattern(LARGE))
    const { object, next } = await firstBlock('x')
    truncateSync(bucket.path('x'), 300_000)
    await expect(next()).rejects.toThrow(Damaged)
    object.close()
  })

  it('and replaced or removed is read to its end', async () => {
    for (const change of [renameSync, rmSync]) {
      write('x', pattern(LARGE))
      const object = store.open(at('x'))
      write('y', pattern(LARGE, 2))
      if (change === renameSync) renameSync(bucket.path('y'), bucket.path('x'))
      else rmSync(bucket.path('x'))
      const into = new Uint8Array(LARGE)
      expect(await object?.read(into, 0)).toBe(LARGE)
      expect(isSame(into, pattern(LARGE))).toBe(true)
      object?.close()
    }
  })

  it('may be closed while a read is under way', async () => {
    write('x', pattern(LARGE))
    const object = store.open(at('x'))
    const into = new Uint8Array(LARGE)
    const reading = object?.read(into, 0)
    object?.close()
    expect(await reading).toBe(LARGE)
    expect(isSame(into, pattern(LARGE))).toBe(true)
    await expect(async () => object?.read(into, 0)).rejects.toThrow('closed')
  })
})

describe('what is no file', () => {
  const REFUSED = ['link', 'linked/secret', 'dangling', 'pipe', 'socket', 'folder']

  beforeEach(async () => {
    writeFileSync(join(bucket.outside, 'secret'), 'outside')
    symlinkSync(join(bucket.outside, 'secret'), bucket.path('link'))
    symlinkSync(bucket.outside, bucket.path('linked'))
    symlinkSync('nowhere', bucket.path('dangling'))
    execFileSync('sh', ['-c', 'mkfifo "$0"', bucket.path('pipe')])
    mkdirSync(bucket.path('folder'))
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(bucket.path('socket'), resolve))
    // closing it removes its name
    renameSync(bucket.path('socket'), bucket.path('kept'))
    await new Promise((resolve) => server.close(resolve))
    renameSync(bucket.path('kept'), bucket.path('socket'))
  })

  it.each(REFUSED)('%s is no object', async (name) => {
    expect(store.head(at(name))).toBeUndefined()
    expect(store.open(at(name))).toBeUndefined()
    expect(await store.delete(at(name))).toBe(false)
    expect(await store.delete(at(name), { etags: '*' })).toEqual({ done: false })
    expect(existsSync(join(bucket.outside, 'secret'))).toBe(true)
  })

  it('is not listed', async () => {
    write('file', 'x')
    for (const delimiter of [undefined, '/']) {
      expect(await listed('bucket/', delimiter)).toEqual(['bucket/file'])
    }
    expect(await listed('bucket/linked/')).toEqual([])
  })

  it.each([...REFUSED, 'link/x', 'pipe/x', 'linked/x'])('%s is not replaced', async (name) => {
    await expect(put(store, at(name), pattern(5))).rejects.toMatchObject({ code: 'conflict' })
    const condition = { absent: true }
    await expect(put(store, at(name), pattern(5), { condition })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(readdirSync(bucket.outside)).toEqual(['secret'])
    expect(readFileSync(join(bucket.outside, 'secret'), 'utf8')).toBe('outside')
  })

  it('may get in the way during an upload, and is not replaced either', async () => {
    for (const make of [mkdirSync, (path: string) => symlinkSync(bucket.outside, path)]) {
      const upload = await store.upload(at('late/x'))
      await upload.write([pattern(5)])
      make(bucket.path('late'))
      if (make === mkdirSync) mkdirSync(bucket.path('late/x'))
      const as = { type: 'a/b', etag: '"x"', sha256: '', modified: START }
      await expect(upload.commit(as)).rejects.toMatchObject({ code: 'conflict' })
      await upload.discard()
      rmSync(bucket.path('late'), { recursive: true })
    }
    expect(readdirSync(bucket.outside)).toEqual(['secret'])
  })
})

describe('names', () => {
  it('that are no text of ours are not listed', async () => {
    const bad = [Buffer.from([0xff, 0x61]), 'a\\b', 'a\nb', Buffer.from([0xc3]), '\u0085']
    for (const name of bad) {
      const path = Buffer.concat([Buffer.from(`${bucket.folder}/`), Buffer.from(name)])
      writeFileSync(path, 'x')
      mkdirSync(Buffer.concat([path, Buffer.from('-folder')]))
      writeFileSync(Buffer.concat([path, Buffer.from('-folder/x')]), 'x')
    }
    write('\ufffda', 'good')
    for (const delimiter of [undefined, '/']) {
      expect(await listed('bucket/', delimiter)).toEqual(['bucket/\ufffda'])
    }
  })

  it('that are too long for a file are refused', async () => {
    const long = at(`x/${'ä'.repeat(128)}`)
    expect(store.head(long)).toBeUndefined()
    expect(store.open(long)).toBeUndefined()
    expect(await store.delete(long)).toBe(false)
    expect(await listed(`${long}/`)).toEqual([])
    await expect(store.upload(long)).rejects.toMatchObject({
      code: 'path_malformed',
      detail: expect.stringContaining('255'),
    })
    await put(store, at(`x/${'ä'.repeat(127)}x`), pattern(5))
  })

  it('of ours are out of reach', async () => {
    const upload = await store.upload(at('x'))
    await upload.write([pattern(2 * LARGE)])
    const [owner = ''] = readdirSync(bucket.path('.valetkey'))
    const [staged = ''] = readdirSync(bucket.path(`.valetkey/${owner}`))
    for (const name of ['.valetkey', `.valetkey/${owner}/${staged}`]) {
      expect(store.head(at(name))).toBeUndefined()
      expect(store.open(at(name))).toBeUndefined()
      expect(await store.delete(at(name))).toBe(false)
      await expect(store.upload(at(name))).rejects.toMatchObject({ code: 'path_malformed' })
    }
    for (const prefix of ['bucket/', 'bucket/.valetkey', 'bucket/.valetkey/', `bucket/.v`]) {
      expect(await listed(prefix)).toEqual([])
      expect(await listed(prefix, '/')).toEqual([])
    }
    expect(await listed(`bucket/.valetkey/${owner}/`)).toEqual([])
    await upload.discard()
    expect(readdirSync(bucket.path(`.valetkey/${owner}`))).toEqual([])
    write('sub/.valetkey', 'theirs')
    expect(await listed()).toEqual(['bucket/sub/.valetkey'])
  })

  it('lead out of the folder for nobody, however they are asked for', async () => {
    writeFileSync(join(bucket.outside, 'secret'), 'outside')
    for (const name of ['../outside/secret', '..', '.', 'x/../../outside/secret', '/etc/passwd']) {
      const path = `bucket/${name}` as ObjectPath
      expect(store.head(path)).toBeUndefined()
      expect(store.open(path)).toBeUndefined()
      expect(await store.delete(path)).toBe(false)
      await expect(put(store, path, pattern(5))).rejects.toThrow()
      expect(await listed(`${path}/`)).toEqual([])
    }
    expect(await listed('bucket/../outside/')).toEqual([])
    expect(readdirSync(bucket.outside)).toEqual(['secret'])
  })

  it('of a file and of a folder are not the same', async () => {
    await put(store, at('a'), pattern(5))
    await expect(store.upload(at('a/b'))).rejects.toMatchObject({ code: 'conflict' })
    await put(store, at('c/d/e'), pattern(5))
    await expect(store.upload(at('c/d'))).rejects.toMatchObject({ code: 'conflict' })
    await expect(store.upload(at('c/d/e/f/g'))).rejects.toMatchObject({ code: 'conflict' })
    expect(await listed()).toEqual(['bucket/a', 'bucket/c/d/e'])
  })

  it('of another bucket are none of this store', async () => {
    write('x', 'x')
    const other = 'other/x' as ObjectPath
    expect(store.head(other)).toBeUndefined()
    await expect(store.upload(other)).rejects.toMatchObject({ code: 'path_malformed' })
    expect(await listed('other/')).toEqual([])
    expect(await listed('buc')).toEqual(['bucket/x'])
  })
})

describe('folders', () => {
  it('that were made for an object go with the last one in them', async () => {
    await put(store, at('made/by/us/1'), pattern(5))
    await put(store, at('made/2'), pattern(5))
    await store.delete(at('made/by/us/1'))
    expect(readdirSync(bucket.path('made'))).toEqual(['2'])
    await store.delete(at('made/2'))
    expect(existsSync(bucket.path('made'))).toBe(false)
    await put(store, at('made'), pattern(5))
  })

  it('that another program made stay', async () => {
    mkdirSync(bucket.path('theirs'))
    await put(store, at('theirs/ours/x'), pattern(5))
    await store.delete(at('theirs/ours/x'))
    expect(readdirSync(bucket.path('theirs'))).toEqual([])
    await put(store, at('again/x'), pattern(5))
    rmSync(bucket.path('again'), { recursive: true })
    mkdirSync(bucket.path('again'))
    await put(store, at('again/x'), pattern(5))
    await store.delete(at('again/x'))
    expect(existsSync(bucket.path('again'))).toBe(true)
  })

  it('that were made for an upload that fails go with it', async () => {
    const upload = await store.upload(at('p/q/x'))
    await upload.write([pattern(5)])
    mkdirSync(bucket.path('p'))
    symlinkSync('nowhere', bucket.path('p/q'))
    const as = { type: 'a/b', etag: '"x"', sha256: '', modified: START }
    await expect(upload.commit(as)).rejects.toMatchObject({ code: 'conflict' })
    expect(lstatSync(bucket.path('p')).isDirectory()).toBe(true)
    expect(await put(store, at('r/s'), pattern(5), { condition: { etags: '*' } })).toEqual({
      done: false,
    })
    expect(existsSync(bucket.path('r'))).toBe(false)
  })

  it('that we may not look into are left out', async () => {
    const { folderFiles } = await import('../../../../gateway/store/folder/files.ts')
    write('a/x', 'x')
    write('lost+found/x', 'x')
    write('z', 'x')
    const openFolder = (path: string): number => {
      if (!path.endsWith('lost+found')) return folderFiles.openFolder(path)
      throw Object.assign(new Error('injected'), { code: 'EACCES' })
    }
    const files = { ...folderFiles, openFolder }
    const other = await bucket.start({ files, data: join(bucket.top, 'data-2') })
    const { objects } = await other.list({ prefix: 'bucket/', limit: 9 })
    expect(objects.map(({ path }) => path)).toEqual(['bucket/a/x', 'bucket/z'])
    expect(() => other.head(at('lost+found/x'))).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    )
  })
})
