/** Resumable uploads by tus 1.0.0: its sentences, and the limits of the key in total. */
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { unixSeconds } from '../../key/units.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { PNG } from '../support/media.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { digest, isSame, pattern } from '../support/store.ts'
import { base64, metadata, Tus } from '../support/tus.ts'

const CONTENT = pattern(3000)
const SHA256 = digest(CONTENT)
const MOST = 1 << 20

let house: House
let tus: Tus
let all: string
/** the time stands still, but for what a test lets pass */
const start = Math.floor(Date.now() / 1000)
let ahead = 0
let count = 0
const fresh = (): string => `bucket/tus/${++count}.bin`

beforeAll(async () => {
  house = await openHouse({
    gateway: { maxObjectSize: MOST },
    clock: { now: () => unixSeconds(start + ahead) },
  })
  all = house.mint({ methods: ['PUT', 'GET'], exp: house.now() + 1_000_000 })
  tus = new Tus(house, all)
})
afterEach(() => {
  ahead = 0
})
afterAll(() => house.close())

const keyFor = (claims: Parameters<House['mint']>[0]): string =>
  house.mint({ methods: ['PUT'], ...claims })
const clientOf = (claims: Parameters<House['mint']>[0]): Tus => new Tus(house, keyFor(claims))

const stored = async (path: string): Promise<Uint8Array | undefined> => {
  const { status, body } = await ask(house.url(path, all))
  return status === 200 ? body : undefined
}

const outcome = ({ status, code }: { status: number; code: string | undefined }): string =>
  code === undefined ? String(status) : `${status} ${code}`

describe('an upload', () => {
  test('is created, sent in two parts, and is the object with the last byte', async () => {
    const path = fresh()
    const created = await tus.create({ path, type: 'text/plain', length: 3000 })
    expect(outcome(created)).toBe('201')
    const { location = '' } = created.headers
    expect(location).toMatch(/^\/-\/tus\/[0-9a-f]{32}\/bucket\/tus\/\d+\.bin$/)
    expect(created.headers).toMatchObject({ 'tus-resumable': '1.0.0', 'content-length': '0' })
    const expires = Date.parse(created.headers['upload-expires'] as string) / 1000
    expect(Math.abs(expires - house.now() - 86_400)).toBeLessThan(60)

    const first = await tus.patch(location, 0, CONTENT.subarray(0, 1000))
    expect(first.headers).toMatchObject({ 'upload-offset': '1000', 'tus-resumable': '1.0.0' })
    expect(await stored(path)).toBeUndefined()
    expect((await tus.head(location)).headers).toMatchObject({
      'upload-offset': '1000',
      'upload-length': '3000',
      'upload-metadata': metadata({ path, filetype: 'text/plain' }),
      'cache-control': 'no-store',
    })

    const last = await tus.patch(location, 1000, CONTENT.subarray(1000))
    expect(outcome(last)).toBe('204')
    const whole = {
      'upload-offset': '3000',
      etag: `"${SHA256}"`,
      'repr-digest': `sha-256=:${Buffer.from(SHA256, 'hex').toString('base64')}:`,
      'content-location': `/${path}`,
    }
    expect(last.headers).toMatchObject(whole)
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
    const { headers } = await ask(house.url(path, all), { method: 'HEAD' })
    expect(headers).toMatchObject({ 'content-type': 'text/plain', etag: `"${SHA256}"` })
    // who did not hear of the end asks, and hears of it; to end it again changes nothing
    expect((await tus.head(location)).headers).toMatchObject({ ...whole, 'upload-length': '3000' })
    expect((await tus.patch(location, 3000, '')).headers).toMatchObject(whole)
    expect(outcome(await tus.patch(location, 3000, 'x'))).toBe('413 too_large')
    expect(outcome(await tus.ask('DELETE', location))).toBe('204')
    expect(await stored(path)).toBeDefined()
  })

  test('may bring its bytes with its creation, all or some', async () => {
    const path = fresh()
    const whole = await tus.create({ path, length: 3000, body: CONTENT })
    expect(outcome(whole)).toBe('201')
    expect(whole.headers).toMatchObject({ 'upload-offset': '3000', etag: `"${SHA256}"` })
    const some = await tus.create({ path: fresh(), length: 3000, body: CONTENT.subarray(0, 10) })
    expect(some.headers).toMatchObject({ 'upload-offset': '10' })
    expect(await tus.offset(some.headers.location ?? '')).toBe(10)
  })

  test('of no bytes is whole when it is created', async () => {
    const path = fresh()
    const { status, headers } = await tus.create({ path, length: 0 })
    expect([status, headers.etag]).toEqual([201, `"${digest(new Uint8Array())}"`])
    expect((await stored(path))?.length).toBe(0)
  })

  test('may say later how long it is', async () => {
    const path = fresh()
    const location = await tus.begun({ path })
    expect((await tus.head(location)).headers).toMatchObject({ 'upload-defer-length': '1' })
    await tus.patch(location, 0, CONTENT.subarray(0, 1000))
    expect(outcome(await tus.patch(location, 1000, '', { 'upload-length': '999' }))).toBe(
      '413 too_large',
    )
    await tus.patch(location, 1000, '', { 'upload-length': '3000' })
    expect((await tus.head(location)).headers).toMatchObject({ 'upload-length': '3000' })
    expect(outcome(await tus.patch(location, 1000, '', { 'upload-length': '3001' }))).toBe(
      '409 conflict',
    )
    await tus.patch(location, 1000, CONTENT.subarray(1000), { 'upload-length': '3000' })
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
  })

  test('of unknown length ends where the last request says so', async () => {
    const path = fresh()
    const location = await tus.begun({ path })
    await tus.patch(location, 0, CONTENT)
    const { headers } = await tus.patch(location, 3000, '', { 'upload-length': '3000' })
    expect(headers.etag).toBe(`"${SHA256}"`)
  })

  test('is named below the one folder of its key by its file name alone', async () => {
    const client = clientOf({ path: 'bucket/inbox/' })
    const named = (name: string) => ({ 'upload-metadata': `filename ${base64(name)}` })
    const { headers } = await client.create({ length: 0, headers: named('häuser.txt') })
    expect(headers['content-location']).toBe('/bucket/inbox/h%C3%A4user.txt')
    for (const name of ['a/b', '..', '.', 'a\\b', '', '\u0000']) {
      const { status } = await client.create({ length: 0, headers: named(name) })
      expect([name, status]).toEqual([name, 400])
    }
    const exact = clientOf({ path: 'bucket/exact.txt' })
    const ofOne = await exact.create({ length: 0, headers: named('any.txt') })
    expect(ofOne.headers['content-location']).toBe('/bucket/exact.txt')
    for (const path of ['/', ['bucket/a/', 'bucket/b/']]) {
      const many = await clientOf({ path }).create({ length: 0, headers: named('a') })
      expect(outcome(many)).toBe('400 request_malformed')
    }
  })

  test('shows its key where the creation showed it', async () => {
    const path = fresh()
    const created = await ask(`${house.gateway.url}/-/tus/?vk=${all}`, {
      method: 'POST',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': '3000',
        'upload-metadata': metadata({ path }),
      },
    })
    const { location = '' } = created.headers
    expect(location.endsWith(`?vk=${all}`)).toBe(true)
    const { status } = await ask(house.gateway.url + location, {
      method: 'PATCH',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
      },
      body: CONTENT,
    })
    expect([status, (await stored(path))?.length]).toEqual([204, 3000])
  })

  test('can be ended, and is nothing then', async () => {
    const location = await tus.begun({ path: fresh(), length: 3000 })
    await tus.patch(location, 0, CONTENT.subarray(0, 1000))
    expect(outcome(await tus.ask('DELETE', location))).toBe('204')
    for (const method of ['HEAD', 'DELETE']) {
      expect((await tus.ask(method, location)).status).toBe(404)
    }
    expect(outcome(await tus.patch(location, 1000, 'x'))).toBe('404 resource_not_found')
  })

  test('ends by itself after a day', async () => {
    const location = await tus.begun({ path: fresh(), length: 3000 })
    ahead = 86_399
    expect(await tus.offset(location)).toBe(0)
    ahead = 86_401
    expect((await tus.head(location)).status).toBe(404)
  })

  test('takes its method from a header where a proxy lets no other through', async () => {
    const location = await tus.begun({ path: fresh(), length: 3000 })
    const asked = {
      'x-http-method-override': 'PATCH',
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
    }
    expect(outcome(await tus.ask('GET', location, asked))).toBe('405 method_not_allowed')
    expect(outcome(await tus.ask('POST', location, asked, CONTENT))).toBe('204')
  })
})

describe('what breaks off', () => {
  /** Sends some bytes of a PATCH and pulls the plug. */
  async function broken(location: string, bytes: Uint8Array, headers: readonly string[] = []) {
    const connection = await RawConnection.open(house.gateway.port)
    const head = headOf('PATCH', location, [
      'Tus-Resumable: 1.0.0',
      `Authorization: Bearer ${all}`,
      'Content-Type: application/offset+octet-stream',
      'Upload-Offset: 0',
      'Content-Length: 3000',
      'Expect: 100-continue',
      ...headers,
    ])
    connection.send(head)
    expect((await connection.response())?.status).toBe(100)
    connection.send(bytes)
    return connection
  }

  const cutShort = async (location: string, headers: readonly string[] = []): Promise<void> => {
    const before = house.logged.length
    const connection = await broken(location, CONTENT.subarray(0, 1000), headers)
    connection.socket.end(() => connection.destroy())
    const codes = () => house.logged.slice(before).map(({ code }) => code)
    await expect.poll(codes).toContain('incomplete_body')
  }

  test('is kept as far as it came, to the last byte', async () => {
    const path = fresh()
    const location = await tus.begun({ path, length: 3000 })
    await cutShort(location)
    expect(await tus.offset(location)).toBe(1000)
    await tus.patch(location, 1000, CONTENT.subarray(1000))
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
  })

  test('is not kept where a checksum of the whole request was stated', async () => {
    const location = await tus.begun({ path: fresh(), length: 3000 })
    const sum = createHash('sha1').update(CONTENT).digest('base64')
    await cutShort(location, [`Upload-Checksum: sha1 ${sum}`])
    expect(await tus.offset(location)).toBe(0)
  })

  test('but still looks alive is ended by whoever comes later, and kept', async () => {
    const path = fresh()
    const location = await tus.begun({ path, length: 3000 })
    const connection = await broken(location, CONTENT.subarray(0, 1000))
    await expect.poll(() => tus.offset(location)).toBe(1000)
    const response = await connection.response()
    expect([response?.status, response?.json().code]).toEqual([409, 'conflict'])
    connection.destroy()
    await tus.patch(location, 1000, CONTENT.subarray(1000))
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
  })

  test('of two clients that send the same at once, the upload is none the worse', async () => {
    const path = fresh()
    const location = await tus.begun({ path, length: 3000 })
    const both = await Promise.all([1, 2].map(() => tus.patch(location, 0, CONTENT)))
    const outcomes = both.map(outcome)
    expect(outcomes).toContain('204')
    expect(['204', '409 conflict']).toEqual(expect.arrayContaining(outcomes))
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
  })
})

describe('a checksum', () => {
  const sums = (['sha1', 'sha256', 'sha512', 'md5'] as const).map((name) => [name] as const)

  test.each(sums)('%s must hold of the request', async (name) => {
    const location = await tus.begun({ path: fresh(), length: 3000 })
    const sum = (bytes: Uint8Array) => ({
      'upload-checksum': `${name} ${createHash(name).update(bytes).digest('base64')}`,
    })
    const first = CONTENT.subarray(0, 1000)
    const wrong = await tus.patch(location, 0, first, sum(CONTENT))
    expect([outcome(wrong), wrong.json().status]).toEqual(['460 digest_mismatch', 460])
    expect(await tus.offset(location)).toBe(0)
    expect(outcome(await tus.patch(location, 0, first, sum(first)))).toBe('204')
    expect(await tus.offset(location)).toBe(1000)
  })

  test.each([
    ['crc32 AAAAAA=='],
    ['sha1'],
    ['sha1 '],
    ['sha1 !!!!'],
    ['sha1  2jmj7l5rSw0yVb/vlWAYkK/YBwk='],
    ['SHA1 2jmj7l5rSw0yVb/vlWAYkK/YBwk='],
    ['toString 2jmj7l5rSw0yVb/vlWAYkK/YBwk='],
    ['sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk'],
  ])('%j is refused', async (header) => {
    const location = await tus.begun({ path: fresh(), length: 3 })
    const refused = await tus.patch(location, 0, 'abc', { 'upload-checksum': header })
    expect(outcome(refused)).toBe('400 request_malformed')
    expect(await tus.offset(location)).toBe(0)
  })
})

describe('a request that is none of the protocol', () => {
  test.each([
    ['POST', '/-/tus/', { 'tus-resumable': '0.2.2' }, '412 precondition_failed'],
    ['POST', '/-/tus/', { 'upload-length': '1' }, '400 request_malformed'],
    ['POST', '/-/tus/', { 'upload-length': '-1' }, '400 request_malformed'],
    ['POST', '/-/tus/', { 'upload-length': '1e3' }, '400 request_malformed'],
    ['POST', '/-/tus/', { 'upload-length': '01' }, '400 request_malformed'],
    ['POST', '/-/tus/', { 'upload-length': '9'.repeat(20) }, '413 too_large'],
    [
      'POST',
      '/-/tus/',
      { 'upload-length': '1', 'upload-defer-length': '1' },
      '400 request_malformed',
    ],
    ['POST', '/-/tus/', { 'upload-defer-length': '0' }, '400 request_malformed'],
    [
      'POST',
      '/-/tus/',
      { 'upload-concat': 'partial', 'upload-length': '1' },
      '400 request_malformed',
    ],
    ['GET', '/-/tus/', {}, '405 method_not_allowed'],
    ['PUT', '/-/tus/', {}, '405 method_not_allowed'],
    ['GET', `/-/tus/${'0'.repeat(32)}/bucket/a`, {}, '405 method_not_allowed'],
    ['HEAD', `/-/tus/${'0'.repeat(32)}/bucket/a`, {}, '404'],
    ['HEAD', `/-/tus/${'0'.repeat(32)}`, {}, '404'],
    ['DELETE', `/-/tus/${'0'.repeat(31)}/bucket/a`, {}, '404 resource_not_found'],
    ['DELETE', `/-/tus/${'0'.repeat(32)}/bucket/`, {}, '404 resource_not_found'],
    ['DELETE', `/-/tus/${'0'.repeat(32)}/bucket/%2e%2e/a`, {}, '400 path_malformed'],
  ])('%s %s %j: %s', async (method, target, headers, expected) => {
    const answer = await tus.ask(method, target, headers as Record<string, string>)
    expect(outcome(answer)).toBe(expected)
    expect(answer.headers).toMatchObject({ 'tus-resumable': '1.0.0', 'tus-version': '1.0.0' })
  })

  test.each([
    [{ 'upload-offset': '1' }, '409 conflict'],
    [{ 'upload-offset': '' }, '400 request_malformed'],
    [{ 'upload-offset': 'x' }, '400 request_malformed'],
    [{ 'content-type': 'text/plain' }, '415 type_mismatch'],
    [{ 'content-encoding': 'gzip' }, '400 request_malformed'],
  ])('PATCH with %j: %s, and nothing is kept', async (headers, expected) => {
    const location = await tus.begun({ path: fresh(), length: 3000 })
    const all = headers as Record<string, string>
    expect(outcome(await tus.patch(location, 0, CONTENT, all))).toBe(expected)
    expect(await tus.offset(location)).toBe(0)
  })

  test('that sends more than was said is refused, also without a Content-Length', async () => {
    const location = await tus.begun({ path: fresh(), length: 2999 })
    expect(outcome(await tus.patch(location, 0, CONTENT))).toBe('413 too_large')
    expect(outcome(await tus.patch(location, 0, [CONTENT]))).toBe('413 too_large')
    expect(await tus.offset(location)).toBe(0)
  })
})

describe('OPTIONS', () => {
  test('tells what is spoken, without a key', async () => {
    const { status, headers } = await ask(`${house.gateway.url}/-/tus/`, { method: 'OPTIONS' })
    expect(status).toBe(204)
    expect(headers).toMatchObject({
      'tus-resumable': '1.0.0',
      'tus-version': '1.0.0',
      'tus-max-size': String(MOST),
      'tus-checksum-algorithm': 'sha1,sha256,sha512,md5',
      'tus-extension':
        'creation,creation-with-upload,creation-defer-length,expiration,checksum,termination',
      allow: 'POST, HEAD, PATCH, DELETE, OPTIONS',
    })
  })

  test('is the preflight of a page whose key names its origin', async () => {
    const origin = 'https://app.example.com'
    const key = keyFor({ origins: [origin] })
    const asked = (path: string, headers = {}) =>
      ask(house.gateway.url + path, { method: 'OPTIONS', headers: { origin, ...headers } })
    const { status, headers } = await asked(`/-/tus/?vk=${key}`, {
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'tus-resumable,upload-offset',
    })
    expect(status).toBe(204)
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST, HEAD, PATCH, DELETE',
      'access-control-allow-headers': 'tus-resumable,upload-offset',
    })
    expect(outcome(await asked('/-/tus/'))).toBe('403 origin_not_granted')

    const created = await ask(`${house.gateway.url}/-/tus/?vk=${key}`, {
      method: 'POST',
      headers: { origin, 'tus-resumable': '0' },
    })
    expect(outcome(created)).toBe('412 precondition_failed')
    expect(created.headers['access-control-allow-origin']).toBe(origin)
    const exposed = created.headers['access-control-expose-headers']
    for (const name of ['Location', 'Upload-Offset', 'Upload-Length', 'Tus-Resumable', 'ETag']) {
      expect(exposed).toContain(name)
    }
  })
})

describe('a key', () => {
  test.each([
    ['no key', {}, '401 key_missing'],
    ['a cookie that no page of ours sent', { cookie: 'vk=vk1.a.b' }, '403 origin_not_granted'],
    ['a key of others', { authorization: 'Bearer vk1.eyJraWQiOiJ4In0.AAAA' }, '400 key_malformed'],
    ['a signature of S3', { authorization: 'AWS4-HMAC-SHA256 Credential=a' }, '400 key_ambiguous'],
  ])('%s is refused on every request', async (_, shown, expected) => {
    const location = await tus.begun({ path: fresh(), length: 3000 })
    for (const [method, target] of [
      ['POST', '/-/tus/'],
      ['PATCH', location],
      ['DELETE', location],
    ]) {
      const { headers, ...answer } = await ask(house.gateway.url + target, {
        method: method as string,
        headers: { 'tus-resumable': '1.0.0', 'upload-offset': '0', ...shown },
      })
      expect(outcome(answer)).toBe(expected)
    }
  })

  test('beside another key is refused', async () => {
    const answer = await tus.ask('POST', `/-/tus/?vk=${all}`, { 'upload-length': '1' })
    expect(outcome(answer)).toBe('400 key_ambiguous')
  })

  test.each([
    ['without PUT', { methods: ['GET', 'LIST', 'DELETE'] as const }, '403 method_not_granted'],
    ['for another folder', { path: 'bucket/other/' }, '403 path_not_granted'],
    ['for another name', { match: '*.png' }, '403 path_not_granted'],
    ['of no time yet', { nbf: 4_000_000_000 }, '403 key_not_yet_valid'],
    ['for another address', { ip: ['10.0.0.0/8'] }, '403 address_not_granted'],
    ['for smaller ones', { size: [0, 2999] as const }, '413 too_large'],
    ['for larger ones', { size: [3001, 5000] as const }, '400 too_small'],
    ['for other types', { types: ['image/*'] }, '415 type_not_granted'],
    ['for TLS', { tls: true as const }, '403 tls_required'],
  ])('%s creates nothing', async (_, claims, expected) => {
    const client = clientOf(claims as Parameters<House['mint']>[0])
    const created = await client.create({ path: fresh(), type: 'text/plain', length: 3000 })
    expect(outcome(created)).toBe(expected)
    expect(created.headers.location).toBeUndefined()
  })

  test('that did not begin an upload knows of none, narrowed or not', async () => {
    const mine = keyFor({})
    const location = await new Tus(house, mine).begun({ path: fresh(), length: 3000 })
    for (const other of [keyFor({}), house.narrow(mine, { create: true })]) {
      const client = new Tus(house, other)
      expect((await client.head(location)).status).toBe(404)
      expect(outcome(await client.patch(location, 0, CONTENT))).toBe('404 resource_not_found')
      expect(outcome(await client.ask('DELETE', location))).toBe('404 resource_not_found')
    }
    const nowhere = clientOf({ path: 'bucket/elsewhere/' })
    expect(outcome(await nowhere.ask('DELETE', location))).toBe('403 path_not_granted')
    expect(await new Tus(house, mine).offset(location)).toBe(0)
  })

  test('that has expired goes on with what it began, and begins nothing', async () => {
    const path = fresh()
    const client = clientOf({ exp: house.now() + 600, nbf: house.now() })
    const location = await client.begun({ path, length: 3000 })
    await client.patch(location, 0, CONTENT.subarray(0, 1000))
    ahead = 700
    expect(outcome(await client.create({ path: fresh(), length: 1 }))).toBe('403 key_expired')
    expect(await client.offset(location)).toBe(1000)
    const unknown = location.replace(/[0-9a-f]{32}/, '0'.repeat(32))
    expect(outcome(await client.ask('DELETE', unknown))).toBe('403 key_expired')
    expect(outcome(await client.patch(location, 1000, CONTENT.subarray(1000)))).toBe('204')
    expect(await client.offset(location)).toBe(3000)
    ahead = 0
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
  })

  test('whose end was put earlier since does nothing more, but where it was so from the beginning', async () => {
    const shorten = (name: string, seconds: number) =>
      house.ledger.setRule({
        kind: 'key',
        name,
        claims: { exp: house.now() + 60 },
        changedAt: unixSeconds(house.now() + seconds),
      })
    await shorten('short-tus', -10)
    const [shortened, short] = ['shortened-tus', 'short-tus'].map((jti) => clientOf({ jti }))
    const outcomes: string[] = []
    for (const client of [shortened, short] as Tus[]) {
      const location = await client.begun({ path: fresh(), length: 1000 })
      if (client === shortened) await shorten('shortened-tus', 10)
      ahead = 700
      outcomes.push(outcome(await client.patch(location, 0, CONTENT.subarray(0, 1000))))
      ahead = 0
    }
    expect(outcomes).toEqual(['403 key_expired', '204'])
  })

  test('that was revoked does nothing more', async () => {
    const path = fresh()
    const client = clientOf({ jti: 'revoked-tus' })
    const location = await client.begun({ path, length: 3000 })
    await client.patch(location, 0, CONTENT.subarray(0, 1000))
    await house.ledger.revoke([{ kind: 'id', value: 'revoked-tus', revokedAt: house.now() }])
    expect((await client.head(location)).status).toBe(403)
    expect(outcome(await client.patch(location, 1000, CONTENT.subarray(1000)))).toBe(
      '403 key_revoked',
    )
    expect(outcome(await client.ask('DELETE', location))).toBe('403 key_revoked')
    expect(await stored(path)).toBeUndefined()
  })

  test('that is revoked in the middle of a request cuts it, and the upload is gone', async () => {
    const key = keyFor({ jti: 'cut-tus' })
    const client = new Tus(house, key)
    const path = fresh()
    const location = await client.begun({ path, length: 3000 })
    const connection = await RawConnection.open(house.gateway.port)
    connection.send(
      headOf('PATCH', location, [
        'Tus-Resumable: 1.0.0',
        `Authorization: Bearer ${key}`,
        'Content-Type: application/offset+octet-stream',
        'Upload-Offset: 0',
        'Content-Length: 3000',
        'Expect: 100-continue',
      ]),
    )
    expect((await connection.response())?.status).toBe(100)
    connection.send(CONTENT.subarray(0, 1000))
    await house.ledger.revoke([{ kind: 'id', value: 'cut-tus', revokedAt: house.now() }])
    const response = await connection.response()
    expect([response?.status, response?.json().code]).toEqual([403, 'key_revoked'])
    connection.destroy()
    const left = await house.store.multipart.list({ prefix: path, limit: 1 })
    expect(left.uploads).toEqual([])
  })

  test('counts one use for one upload, and gives it back for what comes to nothing', async () => {
    const client = clientOf({ uses: 1, jti: 'counted-tus' })
    const given = await client.begun({ path: fresh(), length: 3000 })
    await client.ask('DELETE', given)
    const path = fresh()
    const location = await client.begun({ path, length: 3000 })
    expect(outcome(await client.create({ path: fresh(), length: 1 }))).toBe('403 uses_exhausted')
    for (const at of [0, 1000, 2000]) {
      await client.patch(location, at, CONTENT.subarray(at, at + 1000))
    }
    expect(await house.ledger.usesOf('counted-tus')).toBe(1)
    expect(isSame((await stored(path)) as Uint8Array, CONTENT)).toBe(true)
    expect((await client.head(location)).headers['upload-offset']).toBe('3000')
    expect(outcome(await client.create({ path: fresh(), length: 1 }))).toBe('403 uses_exhausted')
    expect(await house.ledger.usesOf('counted-tus')).toBe(1)
  })

  test('stores nothing more when its use was taken elsewhere', async () => {
    const key = house.mint({ methods: ['PUT'], uses: 1, jti: 'elsewhere-tus' })
    const client = new Tus(house, key)
    const location = await client.begun({ path: fresh(), length: 3000 })
    expect((await ask(house.url(fresh(), key), { method: 'PUT', body: 'x' })).status).toBe(201)
    expect(outcome(await client.patch(location, 0, CONTENT))).toBe('403 uses_exhausted')
    expect(await client.offset(location)).toBe(0)
  })
})

describe('limits hold in total', () => {
  test('of size, where the length is stated late or never', async () => {
    const client = clientOf({ size: [2000, 2500] })
    const late = await client.begun({ path: fresh() })
    await client.patch(late, 0, CONTENT.subarray(0, 1500))
    expect(outcome(await client.patch(late, 1500, CONTENT.subarray(1500)))).toBe('413 too_large')
    const stated = { 'upload-length': '3000' }
    expect(outcome(await client.patch(late, 1500, '', stated))).toBe('413 too_large')
    const few = { 'upload-length': '1500' }
    expect(outcome(await client.patch(late, 1500, '', few))).toBe('400 too_small')
    expect(await client.offset(late)).toBe(1500)
    const good = { 'upload-length': '2500' }
    expect(outcome(await client.patch(late, 1500, CONTENT.subarray(500, 1500), good))).toBe('204')
  })

  test('of the gateway', async () => {
    expect(outcome(await tus.create({ path: fresh(), length: MOST + 1 }))).toBe('413 too_large')
    const location = await tus.begun({ path: fresh() })
    await tus.patch(location, 0, pattern(MOST))
    expect(outcome(await tus.patch(location, MOST, 'x'))).toBe('413 too_large')
  })

  test('of content, however small the pieces in which it comes', async () => {
    const types = ['image/*']
    const client = clientOf({ types })
    const html = Buffer.from('<!doctype html><script>alert(1)</script>'.padEnd(6000))
    const path = fresh()
    const location = await client.begun({ path, type: 'image/png', length: 6000 })
    expect(outcome(await client.patch(location, 0, html.subarray(0, 3)))).toBe('204')
    expect(outcome(await client.patch(location, 3, html.subarray(3, 4000)))).toBe('204')
    expect(outcome(await client.patch(location, 4000, html.subarray(4000)))).toBe(
      '415 type_mismatch',
    )
    expect((await client.head(location)).status).toBe(404)
    const short = await client.begun({ path, type: 'image/png', length: 40 })
    await client.patch(short, 0, html.subarray(0, 20))
    expect(outcome(await client.patch(short, 20, html.subarray(20, 40)))).toBe('415 type_mismatch')
    expect(await stored(path)).toBeUndefined()

    const good = await client.begun({ path, type: 'image/png', length: PNG.length })
    await client.patch(good, 0, PNG.subarray(0, 5))
    expect(outcome(await client.patch(good, 5, PNG.subarray(5)))).toBe('204')
    expect(isSame((await stored(path)) as Uint8Array, PNG)).toBe(true)
  })

  test('of the SHA-256, which the whole must have', async () => {
    const client = clientOf({ sha256: SHA256 })
    const path = fresh()
    const wrong = await client.begun({ path, length: 3000 })
    await client.patch(wrong, 0, CONTENT.subarray(0, 1000))
    expect(outcome(await client.patch(wrong, 1000, CONTENT.subarray(0, 2000)))).toBe(
      '400 digest_mismatch',
    )
    expect((await client.head(wrong)).status).toBe(404)
    const right = await client.begun({ path, length: 3000 })
    await client.patch(right, 0, CONTENT.subarray(0, 1000))
    expect(outcome(await client.patch(right, 1000, CONTENT.subarray(1000)))).toBe('204')
  })

  test('of creating only, at the beginning and at the end', async () => {
    const client = clientOf({ create: true })
    const path = fresh()
    const location = await client.begun({ path, length: 3000 })
    await client.patch(location, 0, CONTENT.subarray(0, 1000))
    await ask(house.url(path, all), { method: 'PUT', body: 'somebody was faster' })
    expect(outcome(await client.patch(location, 1000, CONTENT.subarray(1000)))).toBe(
      '412 object_exists',
    )
    expect(outcome(await client.create({ path, length: 3000 }))).toBe('412 object_exists')
    expect((await stored(path))?.length).toBe(19)
  })

  test('of time, in which the object lives', async () => {
    const path = fresh()
    await clientOf({ ttl: 60 }).create({ path, length: 3000, body: CONTENT })
    expect(await stored(path)).toBeDefined()
    ahead = 61
    expect(await stored(path)).toBeUndefined()
  })
})

test('what was refused at its creation leaves no upload behind', async () => {
  const client = clientOf({ sha256: SHA256 })
  const path = fresh()
  const other = pattern(3000, 2)
  expect(outcome(await client.create({ path, length: 3000, body: other }))).toBe(
    '400 digest_mismatch',
  )
  const typed = clientOf({ types: ['image/*'] })
  const asked = { path, type: 'image/png', length: 6000, body: Buffer.alloc(5000, '<html>') }
  expect(outcome(await typed.create(asked))).toBe('415 type_mismatch')
  expect((await house.store.multipart.list({ prefix: path, limit: 1 })).uploads).toEqual([])
})
