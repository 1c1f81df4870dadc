import { beforeEach, describe, expect, it } from 'vitest'
import type { Item, Stored } from '../../../web/client/drop/item.ts'
import type { Limits } from '../../../web/client/drop/limits.ts'
import type { Listener } from '../../../web/client/drop/sender.ts'
import { Uploads } from '../../../web/client/drop/uploads.ts'
import { Trouble } from '../../../web/client/drop/wire.ts'
import { source } from './sources.ts'

interface Running {
  readonly item: Item
  readonly listener: Listener
  readonly signal: AbortSignal
  readonly done: (stored?: Partial<Stored>) => Promise<void>
  readonly fail: (trouble: Trouble) => Promise<void>
}

const limits: Limits = { paths: ['inbox/'], least: 0, most: 1000, types: [], match: [] }

let running: Running[]
let looks: {
  readonly upload: string
  readonly signal: AbortSignal
  readonly answer: (kept: number | 'gone' | undefined) => void
}[]
let timers: { readonly at: number; readonly ring: () => void }[]
let remembered: (string | undefined)[]
let forgotten: string[]
let pins: string[]
let uploads: Uploads

/** Lets what was resolved or rejected reach the queue. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const uploadsOf = (given: Limits): Uploads =>
  new Uploads('inbox/', given, {
    send: (item, listener, signal) =>
      new Promise((resolve, reject) => {
        running.push({
          item,
          listener,
          signal,
          done: (stored) => {
            resolve({ path: item.path, size: item.size, sha256: 'ab', ...stored })
            return settled()
          },
          fail: (trouble) => {
            reject(trouble)
            return settled()
          },
        })
      }),
    find: (upload, signal) =>
      new Promise((resolve) => looks.push({ upload, signal, answer: resolve })),
    later: (at, ring) => {
      const timer = { at, ring }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    now: () => 5_000,
    random: () => 1,
    changed: () => {},
    remember: ({ upload }) => remembered.push(upload),
    forget: (upload) => forgotten.push(upload),
    pinNeeded: (code) => pins.push(code),
  })

beforeEach(() => {
  running = []
  looks = []
  timers = []
  remembered = []
  forgotten = []
  pins = []
  uploads = uploadsOf(limits)
})

const add = (...names: string[]): Item[] =>
  names.map((name) => uploads.add(source(name, 100), name) as Item)
const states = () => uploads.items.map(({ state }) => state)
const ring = (): number => {
  const [timer] = timers.splice(0, 1)
  timer?.ring()
  return timer?.at ?? Number.NaN
}

describe('what is chosen', () => {
  it('sends nothing before it is told to, then three at a time', async () => {
    add('a', 'b', 'c', 'd')
    expect(running).toHaveLength(0)
    uploads.actOnAll('send')
    expect(states()).toEqual(['uploading', 'uploading', 'uploading', 'waiting'])
    await running[1]?.done()
    expect(states()).toEqual(['uploading', 'done', 'uploading', 'uploading'])
  })

  it('takes a file once, unless it was called off', () => {
    const [item] = add('a')
    expect(uploads.add(source('a', 100), 'a')).toBeUndefined()
    uploads.act(item as Item, 'cancel')
    expect(uploads.add(source('a', 100), 'a')).toMatchObject({ state: 'chosen', path: 'inbox/a' })
  })

  it('gives two files of one name two names', () => {
    uploads.add(source('image.png', 1, { lastModified: 1 }), 'image.png')
    const second = uploads.add(source('image.png', 1, { lastModified: 2 }), 'image.png')
    expect(second?.path).toBe('inbox/image (1).png')
  })

  it('keeps folders beneath that of the key, and litter out', () => {
    expect(uploads.add(source('x', 1), 'album/day/x')?.path).toBe('inbox/album/day/x')
    expect(uploads.add(source('.DS_Store', 1), 'album/.DS_Store')).toBeUndefined()
  })

  it('says before sending what would be refused, and never sends it', () => {
    const large = uploads.add(source('large', 1001), 'large')
    expect(large).toMatchObject({ state: 'refused', problem: { code: 'too_large', most: 1000 } })
    uploads.actOnAll('send')
    uploads.actOnAll('resume')
    expect(running).toHaveLength(0)
  })

  it('counts what it promised already', async () => {
    uploads = uploadsOf({ ...limits, filesLeft: 2 })
    const [first] = add('a', 'b')
    expect(add('c')[0]?.problem).toEqual({ code: 'files_exhausted' })
    uploads.clear(first as Item)
    expect(add('d')[0]?.state).toBe('chosen')
    uploads.actOnAll('send')
    await running[0]?.done()
    expect(add('e')[0]?.problem).toEqual({ code: 'files_exhausted' })
  })
})

describe('what people do', () => {
  it('pauses and goes on', () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    expect(uploads.act(item, 'pause')).toBe(true)
    expect(running[0]?.signal.aborted).toBe(true)
    expect(uploads.act(item, 'pause')).toBe(false)
    uploads.act(item, 'resume')
    expect(running).toHaveLength(2)
  })

  it('asks after a pause what has arrived, unless it goes on meanwhile', async () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    running[0]?.listener.onUpload('u-1')
    running[0]?.listener.onKept(20)
    running[0]?.listener.onSent(70)
    uploads.act(item, 'pause')
    expect(item).toMatchObject({ kept: 20, sent: 20 })
    looks[0]?.answer(45)
    await settled()
    expect(item).toMatchObject({ state: 'paused', kept: 45, sent: 45 })
    uploads.act(item, 'resume')
    uploads.act(item, 'pause')
    looks[1]?.answer(undefined)
    await settled()
    expect(item).toMatchObject({ kept: 45, sent: 45 })
    uploads.act(item, 'resume')
    uploads.act(item, 'pause')
    uploads.act(item, 'resume')
    expect(looks[2]).toMatchObject({ upload: 'u-1', signal: { aborted: true } })
    looks[2]?.answer(1)
    await settled()
    expect(item).toMatchObject({ state: 'uploading', kept: 45 })
    uploads.act(item, 'pause')
    looks[3]?.answer(item.size)
    await settled()
    expect(item.state).toBe('uploading')
  })

  it('does not listen to an upload that was called off', async () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    uploads.act(item, 'pause')
    running[0]?.listener.onSent(50)
    await running[0]?.done()
    expect(item).toMatchObject({ state: 'paused', sent: 0 })
    uploads.act(item, 'resume')
    await running[0]?.fail(new Trouble('network'))
    expect(item.state).toBe('uploading')
  })

  it('tells the server to forget what is cancelled', () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    running[0]?.listener.onUpload('u1')
    uploads.act(item, 'cancel')
    expect(forgotten).toEqual(['u1'])
    expect(remembered).toEqual(['u1', undefined])
    uploads.clear(item)
    expect(uploads.items).toEqual([])
  })

  it('retries what failed', async () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    await running[0]?.fail(new Trouble('storage_full', { status: 507 }))
    expect(item).toMatchObject({ state: 'failed', problem: { code: 'storage_full' } })
    uploads.act(item, 'resume')
    expect(item).toMatchObject({ state: 'uploading', problem: undefined })
  })
})

describe('what goes wrong', () => {
  it('is tried again after longer and longer, until more is there, and not for ever', async () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    const delays: number[] = []
    for (let attempt = 1; attempt < 10; attempt += 1) {
      await running.at(-1)?.fail(new Trouble('network'))
      expect(item.state).toBe('retrying')
      expect(item.retryAt).toBe(5_000 + (timers[0]?.at ?? 0))
      if (attempt === 3) {
        ring()
        running.at(-1)?.listener.onSent(99)
        running.at(-1)?.listener.onKept(10)
        await running.at(-1)?.fail(new Trouble('unavailable', { status: 503, retryAfter: 90 }))
      }
      delays.push(ring())
    }
    expect(delays).toEqual([1000, 2000, 90_000, 2000, 4000, 8000, 16_000, 32_000, 60_000])
    await running.at(-1)?.fail(new Trouble('network'))
    ring()
    await running.at(-1)?.fail(new Trouble('network'))
    ring()
    await running.at(-1)?.fail(new Trouble('network'))
    expect(item.state).toBe('failed')
    expect(timers).toEqual([])
  })

  it('shows what is there, not what was handed to a network that broke', async () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    running[0]?.listener.onKept(40)
    running[0]?.listener.onSent(90)
    expect(item.sent).toBe(90)
    await running[0]?.fail(new Trouble('network'))
    expect(item.sent).toBe(40)
  })

  it('a retry that is paused does not happen', async () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    await running[0]?.fail(new Trouble('network'))
    uploads.act(item, 'pause')
    expect(timers).toEqual([])
  })

  it('without a network everything waits, and goes on at once when it is back', () => {
    add('a', 'b', 'c', 'd')
    uploads.actOnAll('send')
    uploads.online = false
    expect(states()).toEqual(['retrying', 'retrying', 'retrying', 'waiting'])
    expect(running.every(({ signal }) => signal.aborted)).toBe(true)
    expect(uploads.items[0]?.problem).toEqual({ code: 'offline' })
    uploads.online = true
    expect(states()).toEqual(['uploading', 'uploading', 'uploading', 'waiting'])
    expect(running).toHaveLength(6)
  })

  it('a retry that falls due without a network waits for it', async () => {
    const [item] = add('a') as [Item]
    uploads.actOnAll('send')
    await running[0]?.fail(new Trouble('network'))
    uploads.online = false
    expect(item.retryAt).toBeUndefined()
    ring()
    expect(item.state).toBe('retrying')
    uploads.online = true
    expect(item.state).toBe('uploading')
  })

  it('forgets an upload of which nothing can come, and keeps one that may go on', async () => {
    const [a, b] = add('a', 'b') as [Item, Item]
    uploads.actOnAll('send')
    running[0]?.listener.onUpload('u1')
    running[1]?.listener.onUpload('u2')
    await running[0]?.fail(new Trouble('type_mismatch', { status: 415 }))
    await running[1]?.fail(new Trouble('storage_full', { status: 507 }))
    expect([a.upload, b.upload]).toEqual([undefined, 'u2'])
    expect(remembered).toEqual(['u1', 'u2', undefined])
  })

  it('a PIN holds everything, and nothing is lost by it', async () => {
    add('a', 'b', 'c', 'd')
    uploads.actOnAll('send')
    await running[0]?.fail(new Trouble('pin_required', { status: 401 }))
    await running[1]?.fail(new Trouble('pin_required', { status: 401 }))
    expect(pins).toEqual(['pin_required', 'pin_required'])
    expect(states()).toEqual(['waiting', 'waiting', 'uploading', 'waiting'])
    uploads.release()
    expect(states()).toEqual(['uploading', 'uploading', 'uploading', 'waiting'])
  })

  it('a key that ended ends what has not begun', async () => {
    add('a', 'b', 'c', 'd', 'e')
    uploads.actOnAll('send')
    running[1]?.listener.onUpload('u1')
    await running[0]?.fail(new Trouble('key_expired', { status: 403 }))
    expect(states()).toEqual(['failed', 'uploading', 'uploading', 'failed', 'failed'])
    expect(running).toHaveLength(3)
  })
})

describe('names that are taken', () => {
  it('are replaced by the next that nobody here has', () => {
    add('a.txt')
    const second = uploads.add(source('a.txt', 5), 'a.txt')
    uploads.actOnAll('send')
    expect(running[0]?.listener.rename()).toBe('inbox/a (2).txt')
    expect(second?.path).toBe('inbox/a (1).txt')
  })

  it('of a key for one object are not', () => {
    uploads.addAs(source('a.txt', 5), 'inbox/report.pdf' as never)
    uploads.actOnAll('send')
    expect(running[0]?.item.path).toBe('inbox/report.pdf')
    expect(running[0]?.listener.rename()).toBeUndefined()
  })
})

describe('after a reload', () => {
  const begun = {
    fingerprint: '100-1000-album/a.bin',
    name: 'album/a.bin',
    folder: 'inbox/',
    path: 'inbox/album/a (1).bin',
    size: 100,
    type: 'text/plain',
    upload: 'u7',
  }

  it('an upload goes on by itself where its file is at hand', () => {
    uploads.provide(uploads.restore(begun, 60), source('a.bin', 100))
    const expected = { upload: 'u7', path: 'inbox/album/a (1).bin', sent: 60 }
    expect(running[0]?.item).toMatchObject(expected)
  })

  it('an upload waits for its file, and goes on when the same is chosen again', () => {
    const item = uploads.restore(begun)
    uploads.actOnAll('resume')
    uploads.actOnAll('send')
    expect(item.state).toBe('interrupted')
    expect(uploads.add(source('a.bin', 100, { lastModified: 2 }), 'album/a.bin')?.id).not.toBe(
      item.id,
    )
    expect(uploads.add(source('a.bin', 100), 'album/a.bin')).toBe(item)
    expect(running.map(({ item }) => item.upload)).toEqual(['u7'])
  })
})
