import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Item, Source } from '../../../web/client/drop/item.ts'
import { DIRECT_MOST, type Listener, Sender } from '../../../web/client/drop/sender.ts'
import { FIRST_PIECE, SMALLEST_PIECE } from '../../../web/client/drop/tus.ts'
import { Trouble } from '../../../web/client/drop/wire.ts'
import { FakeGateway, refusal, sha256 } from './fake-gateway.ts'
import { source } from './sources.ts'

let gateway: FakeGateway
let sender: Sender
let clock: number
beforeEach(() => {
  gateway = new FakeGateway()
  clock = 0
  sender = new Sender(gateway.wire, 'http://gateway.test', 'vk1.KEY', () => clock)
})

const itemOf = (file: Source, path = `inbox/${file.name}`): Item => ({
  id: 1,
  fingerprint: 'f',
  name: file.name,
  folder: 'inbox/',
  path,
  size: file.size,
  type: file.type,
  source: file,
  state: 'uploading',
  sent: 0,
  kept: 0,
  attempts: 0,
  retryAt: undefined,
  upload: undefined,
  problem: undefined,
  stored: undefined,
})

const listenerOf = (item: Item, names: string[] = []): Listener & { sent: number[] } => {
  const sent: number[] = []
  return {
    sent,
    onSent: (bytes) => sent.push(bytes),
    onKept: (bytes) => sent.push(bytes),
    onUpload: (id) => {
      item.upload = id
    },
    rename: () => names.shift(),
  }
}

const { signal } = new AbortController()
const large = new Uint8Array(randomBytes(FIRST_PIECE * 3 + 123))

describe('sending one file', () => {
  it('a small one goes in one request, its path encoded, the key in a header only', async () => {
    const item = itemOf(source('a #1?.txt', 'hello'))
    const listener = listenerOf(item)
    const stored = await sender.send(item, listener, signal)
    expect(stored).toEqual({
      path: 'inbox/a #1?.txt',
      size: 5,
      sha256: sha256(Buffer.from('hello')).toString('hex'),
    })
    expect(gateway.requests).toMatchObject([
      {
        method: 'PUT',
        url: 'http://gateway.test/inbox/a%20%231%3F.txt',
        headers: { Authorization: 'Bearer vk1.KEY', 'Content-Type': 'text/plain' },
      },
    ])
    expect(listener.sent).toEqual([5])
  })

  it('an empty one too', async () => {
    await sender.send(itemOf(source('empty', '')), listenerOf(itemOf(source('', ''))), signal)
    expect(gateway.objects.get('inbox/empty')).toHaveLength(0)
  })

  it('a large one goes in pieces that grow on a fast line, and is proven by its digest', async () => {
    const item = itemOf(source('film.bin', large))
    const stored = await sender.send(item, listenerOf(item), signal)
    expect(stored.sha256).toBe(sha256(Buffer.from(large)).toString('hex'))
    expect(gateway.objects.get('inbox/film.bin')?.equals(large)).toBe(true)
    expect(
      gateway.requests.map(({ method, headers }) => [method, headers['Upload-Offset']]),
    ).toEqual([
      ['POST', undefined],
      ['PATCH', '0'],
      ['PATCH', String(FIRST_PIECE)],
      ['PATCH', String(FIRST_PIECE * 3)],
    ])
  })

  it('sends the key to its own gateway only, whatever Location says', async () => {
    const item = itemOf(source('film.bin', DIRECT_MOST + 1))
    await sender.send(item, listenerOf(item), signal)
    expect(new Set(gateway.requests.map(({ url }) => new URL(url).origin))).toEqual(
      new Set(['http://gateway.test']),
    )
  })

  it('goes on from what the server has', async () => {
    const item = itemOf(source('film.bin', large))
    gateway.fault = ({ headers }) =>
      headers['Upload-Offset'] === String(FIRST_PIECE) ? 'cut' : undefined
    await expect(sender.send(item, listenerOf(item), signal)).rejects.toMatchObject({
      code: 'network',
    })
    gateway.fault = () => undefined
    gateway.requests.length = 0
    const listener = listenerOf(item)
    await sender.send(item, listener, signal)
    expect(gateway.methods).toEqual(['HEAD', 'PATCH', 'PATCH'])
    expect(listener.sent[0]).toBe(FIRST_PIECE)
    expect(gateway.objects.get('inbox/film.bin')?.equals(large)).toBe(true)
  })

  it('says how much of an upload is there, and that there is none', async () => {
    const item = itemOf(source('film.bin', large))
    gateway.fault = ({ method }) => (method === 'PATCH' ? 'cut' : undefined)
    await sender.send(item, listenerOf(item), signal).catch(() => {})
    expect(await sender.find(item.upload ?? '')).toBe(0)
    expect(await sender.find('long-gone')).toBe('gone')
    gateway.fault = () => 'cut'
    expect(await sender.find(item.upload ?? '')).toBeUndefined()
  })

  it('sends nothing twice where only the last answer was lost', async () => {
    const item = itemOf(source('film.bin', DIRECT_MOST + 1))
    await sender.send(item, listenerOf(item), signal)
    gateway.requests.length = 0
    const stored = await sender.send(item, listenerOf(item), signal)
    expect(gateway.methods).toEqual(['HEAD'])
    expect(stored.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it('sends smaller pieces through a proxy that takes no larger ones', async () => {
    gateway.fault = (_, body) =>
      body.length > SMALLEST_PIECE
        ? { status: 413, text: '<h1>Request Entity Too Large</h1>', header: () => null }
        : undefined
    const item = itemOf(source('film.bin', large))
    await sender.send(item, listenerOf(item), signal)
    expect(gateway.objects.get('inbox/film.bin')?.equals(large)).toBe(true)
    const refused = gateway.requests.filter(({ body }) => (body?.size ?? 0) > SMALLEST_PIECE)
    expect(refused).toHaveLength(1)
  })

  it('begins anew where the server forgot the upload', async () => {
    const item = itemOf(source('film.bin', large))
    item.upload = 'long-gone'
    await sender.send(item, listenerOf(item), signal)
    expect(gateway.methods.slice(0, 2)).toEqual(['HEAD', 'POST'])
    expect(gateway.objects.get('inbox/film.bin')?.equals(large)).toBe(true)
  })

  it('begins anew, too, where the server forgets the upload while it runs', async () => {
    const item = itemOf(source('film.bin', large))
    gateway.fault = ({ headers }) => {
      if (headers['Upload-Offset'] !== String(FIRST_PIECE)) return undefined
      gateway.held.clear()
      gateway.fault = () => undefined
      return { status: 404, text: '', header: () => null }
    }
    const lost = await sender.send(item, listenerOf(item), signal).catch((error) => error)
    expect(lost.mayPass).toBe(true)
    await sender.send(item, listenerOf(item), signal)
    expect(gateway.objects.get('inbox/film.bin')?.equals(large)).toBe(true)
  })

  it.each([10, DIRECT_MOST + 1])('%i bytes whose name is taken get a fresh one', async (bytes) => {
    gateway.objects.set('inbox/a.txt', Buffer.from('theirs'))
    gateway.objects.set('inbox/a (1).txt', Buffer.from('theirs'))
    const item = itemOf(source('a.txt', bytes))
    const listener = listenerOf(item, ['inbox/a (1).txt', 'inbox/a (2).txt'])
    const stored = await sender.send(item, listener, signal)
    expect(stored.path).toBe('inbox/a (2).txt')
    expect(gateway.objects.get('inbox/a.txt')?.toString()).toBe('theirs')
    expect(gateway.objects.get('inbox/a (2).txt')).toHaveLength(bytes)
  })

  it('a name that is taken while the upload runs is no loss of the file', async () => {
    const item = itemOf(source('film.bin', DIRECT_MOST + 1))
    gateway.fault = ({ method, url }) =>
      method === 'PATCH' && url.includes('/u1/') ? refusal(412, 'object_exists') : undefined
    const stored = await sender.send(item, listenerOf(item, ['inbox/film (1).bin']), signal)
    expect(stored.path).toBe('inbox/film (1).bin')
  })

  it('a key for one object has no other name to give', async () => {
    gateway.objects.set('inbox/a.txt', Buffer.from('theirs'))
    const item = itemOf(source('a.txt', 'mine'))
    await expect(sender.send(item, listenerOf(item), signal)).rejects.toMatchObject({
      code: 'object_exists',
    })
  })

  it('tells a file that can not be read from a network that is down', async () => {
    const file = source('a.txt', 'x')
    const gone = new DOMException('gone', 'NotReadableError')
    const slice = (start: number, end: number) =>
      Object.assign(file.slice(start, end), { arrayBuffer: () => Promise.reject(gone) })
    const item = itemOf({ ...file, slice })
    const blind = new Sender(
      () => Promise.reject(new Trouble('network')),
      '',
      'vk1.K',
      () => 0,
    )
    await expect(blind.send(item, listenerOf(item), signal)).rejects.toMatchObject({
      code: 'file_unreadable',
    })
  })

  it('reads what proxies say, in whatever form', async () => {
    gateway.fault = () => refusal(429, 'rate_limited', { 'retry-after': '17' })
    const item = itemOf(source('a.txt', 'x'))
    const limited = await sender.send(item, listenerOf(item), signal).catch((error) => error)
    expect(limited).toMatchObject({ code: 'rate_limited', retryAfter: 17, mayPass: true })
    gateway.fault = () => ({ status: 502, text: '<h1>Bad gateway</h1>', header: () => null })
    const bad = await sender.send(item, listenerOf(item), signal).catch((error) => error)
    expect(bad).toMatchObject({ code: 'http_502', mayPass: true })
    gateway.fault = () => refusal(507, 'storage_full')
    const full = await sender.send(item, listenerOf(item), signal).catch((error) => error)
    expect(full).toMatchObject({ code: 'storage_full', mayPass: false })
  })

  it('an answer that is none of tus does not pass for progress', async () => {
    const item = itemOf(source('film.bin', DIRECT_MOST + 1))
    gateway.fault = ({ method }) =>
      method === 'PATCH' ? { status: 200, text: 'hello', header: () => null } : undefined
    await expect(sender.send(item, listenerOf(item), signal)).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})
