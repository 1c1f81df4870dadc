/** Many files as one: whole or visibly broken off, only what the key covers, counted as one use. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { etagOf } from '../../gateway/body/digest.ts'
import type { ObjectPath, Scope } from '../../key/object-path.ts'
import { unixSeconds } from '../../key/units.ts'
import { eventually } from '../support/eventually.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { isSame, pattern } from '../support/store.ts'
import { unzip } from '../support/zip.ts'

const MEBIBYTE = 1 << 20

let house: House
let elapsed = 0
let all: string

async function open(): Promise<void> {
  elapsed = 0
  house = await openHouse({ clock: { monotonic: () => elapsed } })
  all = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'], sub: 'zipped' })
}

const put = (path: string, body: string | Uint8Array) =>
  ask(house.url(path, all), { method: 'PUT', body })

const zipUrl = (prefix: string, key: string, query = ''): string =>
  `${house.url(prefix, key)}&zip${query}`

const namesIn = async (url: string): Promise<readonly string[]> => [
  ...(await unzip((await ask(url)).body)).keys(),
]

describe('what is asked for', () => {
  const files = new Map<string, Uint8Array>([
    ['a.txt', Buffer.from('content of a')],
    ['empty', new Uint8Array()],
    ['large.bin', pattern(3 * MEBIBYTE + 5)],
    ['sub/Grüße 你好.txt', Buffer.from('hello')],
    ['sub/deeper/b.csv', pattern(300_000, 2)],
    ['block.bin', pattern(256 * 1024, 3)],
  ])
  beforeAll(async () => {
    await open()
    for (const [name, content] of files) await put(`bucket/in/${name}`, content)
    await put('bucket/outside.txt', 'outside')
  })
  afterAll(() => house.close())

  test('comes whole, with its exact length, its names and its times', async () => {
    const key = house.mint({ path: 'bucket/in/', methods: ['GET', 'LIST'] })
    const { status, headers, body } = await ask(zipUrl('bucket/in/', key))
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'application/zip',
      'content-length': String(body.length),
      'content-disposition': 'attachment; filename=in.zip',
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    })
    const found = await unzip(body)
    expect([...found.keys()].sort()).toEqual([...files.keys()].sort())
    for (const [name, content] of files) {
      expect(isSame(found.get(name)?.content, content)).toBe(true)
      const info = await house.store.head(`bucket/in/${name}` as ObjectPath)
      const time = found.get(name)?.entry.getLastModDate().getTime() ?? 0
      expect(time / 1000).toBe(info?.modified)
    }
    const head = await ask(zipUrl('bucket/in/', key), { method: 'HEAD' })
    expect(head.headers['content-length']).toBe(String(body.length))
    expect(head.body.length).toBe(0)
  })

  test('may be some of it, under another name', async () => {
    const query = `&only=a.txt&only=sub/&only=${encodeURIComponent('sub/deeper/b.csv')}&filename=${encodeURIComponent('für dich')}`
    const url = zipUrl('bucket/in/', all, query)
    expect(await namesIn(url)).toEqual(['a.txt', 'sub/Grüße 你好.txt', 'sub/deeper/b.csv'])
    expect((await ask(url)).headers['content-disposition']).toContain(
      `filename*=UTF-8''f%C3%BCr%20dich.zip`,
    )
    expect(await namesIn(zipUrl('bucket/', all, '&only=outside.txt'))).toEqual(['outside.txt'])
    expect(await namesIn(zipUrl('bucket/in/sub/', all))).toEqual(['Grüße 你好.txt', 'deeper/b.csv'])
  })

  test('is only what the key covers', async () => {
    const byName = house.mint({ path: 'bucket/in/', match: '**.txt', methods: ['GET', 'LIST'] })
    expect(await namesIn(zipUrl('bucket/in/', byName))).toEqual(['a.txt', 'sub/Grüße 你好.txt'])
    expect(await namesIn(zipUrl('bucket/in/sub/', byName))).toEqual(['Grüße 你好.txt'])
    const codeOf = async (query: string) => (await ask(zipUrl('bucket/in/', byName, query))).code
    expect(await codeOf('&only=empty')).toBe('object_not_found')
    expect(await codeOf('&only=sub/deeper/')).toBe('object_not_found')
    expect(await codeOf('&only=../outside.txt')).toBe('path_malformed')
    expect(await codeOf('&only=nothing')).toBe('object_not_found')
    // a choice of nothing is not a choice of everything
    expect(await codeOf('&only=')).toBe('request_malformed')
    expect(await codeOf('&filename=a/b')).toBe('request_malformed')
  })

  test('needs both methods, and a key for the folder', async () => {
    const codeOf = async (claims: Parameters<House['mint']>[0]) =>
      (await ask(zipUrl('bucket/in/', house.mint(claims)))).code
    expect(await codeOf({ methods: ['LIST'] })).toBe('method_not_granted')
    expect(await codeOf({ methods: ['GET'] })).toBe('method_not_granted')
    expect(await codeOf({ methods: ['GET', 'LIST'], path: 'bucket/in/sub/' })).toBe(
      'path_not_granted',
    )
    expect(await codeOf({ methods: ['GET', 'LIST'], exp: 1 })).toBe('key_expired')
    const onlyList = house.narrow(all, { methods: ['LIST'] })
    expect((await ask(zipUrl('bucket/in/', onlyList))).code).toBe('method_not_granted')
  })

  test('leaves out what keys of its age are revoked for', async () => {
    const key = house.mint({ methods: ['GET', 'LIST'], iat: house.now() - 1000 })
    const revokedAt = house.now()
    const value = 'bucket/in/sub/' as Scope
    const mintedUpTo = unixSeconds(revokedAt - 500)
    await house.ledger.revoke([{ kind: 'path', value, mintedUpTo, revokedAt }])
    const names = await namesIn(zipUrl('bucket/in/', key))
    expect(names.filter((name) => name.startsWith('sub/'))).toEqual([])
    expect(names).toContain('a.txt')
    expect(await namesIn(zipUrl('bucket/in/', all))).toContain('sub/deeper/b.csv')
  })

  test('holds odd names of other protocols where they do no harm', async () => {
    for (const key of ['../../evil', '/absolute', 'a\\b', 'C:/x', 'dir/', 'dir/x', 'dir']) {
      const upload = await house.store.upload(`odd-names/${key}` as ObjectPath)
      const [sha256, content] = ['0'.repeat(64), key.endsWith('/') ? '' : key]
      if (content !== '') await upload.write([Buffer.from(content)])
      const as = { type: 'text/plain', sha256, etag: etagOf(sha256), modified: house.now() }
      await upload.commit(as)
    }
    const found = await unzip((await ask(zipUrl('odd-names/', all))).body)
    const contents = Object.fromEntries(
      [...found].map(([name, { content }]) => [name, content.toString()]),
    )
    expect(contents).toEqual({
      '__/__/evil': '../../evil',
      '_/absolute': '/absolute',
      a_b: 'a\\b',
      'C_/x': 'C:/x',
      'dir/': '',
      'dir/x': 'dir/x',
      'dir (2)': 'dir',
    })
  })
})

test('counts as one use, asking for its head as none', async () => {
  await open()
  try {
    await put('bucket/a', 'content')
    await put('bucket/b', 'content')
    const url = zipUrl('bucket/', house.mint({ methods: ['GET', 'LIST'], uses: 1 }))
    expect((await ask(url, { method: 'HEAD' })).status).toBe(200)
    expect(await namesIn(url)).toEqual(['a', 'b'])
    expect((await ask(url)).code).toBe('uses_exhausted')
  } finally {
    await house.close()
  }
})

describe('while it is sent', () => {
  let connection: RawConnection
  beforeEach(async () => {
    await open()
    await put('bucket/1-large', pattern(20 * MEBIBYTE))
    await put('bucket/2-small', 'small')
  })
  afterEach(async () => {
    connection.destroy()
    await house.close()
  })

  async function begin(key: string): Promise<number> {
    connection = await RawConnection.open(house.gateway.port)
    connection.send(headOf('GET', `/bucket/?zip&vk=${key}`, ['Connection: close']))
    await connection.until(() => connection.size > 1000)
    connection.socket.pause()
    return Number(/content-length: (\d+)/i.exec(connection.received.toString('latin1'))?.[1])
  }

  /** Bytes of the body that came until the connection ended. */
  async function rest(): Promise<number> {
    connection.socket.resume()
    await connection.ended()
    return connection.size - connection.received.indexOf('\r\n\r\n') - 4
  }

  const lastCode = () => house.logged.findLast(({ sub }) => sub === 'zipped')?.code

  test('an object that was deleted ends it short', async () => {
    const length = await begin(all)
    await ask(house.url('bucket/2-small', all), { method: 'DELETE' })
    expect(await rest()).toBeLessThan(length)
    await eventually(() => expect(lastCode()).toBe('object_not_found'))
  })

  test.each([
    ['longer', 'grown by some'],
    ['as long', 'LARGE'],
  ])('one that was replaced by another one (%s) ends it short', async (_, content) => {
    const length = await begin(all)
    await put('bucket/2-small', content)
    expect(await rest()).toBeLessThan(length)
  })

  test('a revocation cuts it', async () => {
    const key = house.mint({ jti: 'cut', methods: ['GET', 'LIST'], sub: 'zipped' })
    const length = await begin(key)
    await house.ledger.revoke([{ kind: 'id', value: 'cut', revokedAt: house.now() }])
    await eventually(() => expect(lastCode()).toBe('key_revoked'))
    expect(await rest()).toBeLessThan(length)
  })

  test('nobody waits for ever for who does not read', async () => {
    const length = await begin(all)
    const isCut = (): void => {
      elapsed += 60_000
      expect(lastCode()).toBe('too_slow')
    }
    await eventually(isCut)
    expect(await rest()).toBeLessThan(length)
  })

  test('what breaks off may be fetched again, twice its size in all', async () => {
    const key = house.mint({ methods: ['GET', 'LIST'], uses: 1, sub: 'zipped' })
    await begin(key)
    connection.destroy()
    const url = zipUrl('bucket/', key)
    await eventually(async () => expect((await ask(url)).status).toBe(200))
    expect((await ask(url)).code).toBe('uses_exhausted')
  })
})

test('a damaged object ends it short: no wrong byte is sent', async () => {
  await open()
  try {
    await put('bucket/a', pattern(2 * MEBIBYTE))
    await put('bucket/b', pattern(100, 2))
    const blobs = join(house.folder, 'store', 'blobs')
    const [file = ''] = readdirSync(blobs, { recursive: true, encoding: 'utf8' })
      .map((name) => join(blobs, name))
      .filter((name) => statSync(name).isFile())
    const content = readFileSync(file)
    content[MEBIBYTE] = (content[MEBIBYTE] ?? 0) ^ 1
    writeFileSync(file, content)
    await expect(ask(zipUrl('bucket/', all))).rejects.toThrow()
  } finally {
    await house.close()
  }
})
