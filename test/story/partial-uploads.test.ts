/** Resumable uploads as the IETF drafts them; tus-js-client speaks version 5 of it. */
import { Upload, type UploadOptions } from 'tus-js-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FirstBlock } from '../../key/claims.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask, type Question } from '../support/http.ts'
import { headOf, RawConnection } from '../support/raw.ts'
import { digest, pattern } from '../support/store.ts'

let house: House
let key: string
beforeAll(async () => {
  house = await openHouse()
  key = house.mint({ methods: ['PUT', 'GET'], path: 'inbox/' })
})
afterAll(() => house.close())

type Headers = Readonly<Record<string, string>>

function send(
  method: string,
  location: string,
  headers: Headers = {},
  body?: Question['body'],
  as = key,
): Promise<Answer> {
  return ask(new URL(location, house.gateway.url).href, {
    method,
    headers: { authorization: `Bearer ${as}`, ...headers },
    ...(body !== undefined && { body }),
  })
}

let names = 0
const fresh = (): string => `/-/uploads/inbox/${++names}.txt`
const stored = async (location: string): Promise<string | undefined> => {
  const path = location.replace(/^.*\/inbox\//, 'inbox/')
  const { status, text } = await ask(house.url(path, key))
  return status === 200 ? text() : undefined
}

const PART = { 'content-type': 'application/partial-upload' }
const patch = (location: string, offset: number, isLast: boolean, body: string, more = {}) =>
  send(
    'PATCH',
    location,
    {
      ...PART,
      'upload-offset': String(offset),
      'upload-complete': isLast ? '?1' : '?0',
      ...more,
    },
    body,
  )

async function begun(headers: Headers = {}, body?: string, as = key): Promise<string> {
  const {
    status,
    headers: told,
    text,
  } = await send('POST', fresh(), { 'upload-complete': '?0', ...headers }, body, as)
  expect([status, status === 201 ? '' : text()]).toEqual([201, ''])
  return told.location ?? ''
}

test('all of it in one request is an upload like any other', async () => {
  const headers = { 'upload-complete': '?1', 'content-type': 'text/plain' }
  const answer = await send('POST', fresh(), headers, 'whole')
  expect(answer.status).toBe(201)
  expect(answer.headers).toMatchObject({ 'upload-complete': '?1', 'upload-offset': '5' })
  const sha256 = digest(Buffer.from('whole'))
  expect(answer.json()).toMatchObject({ size: 5, type: 'text/plain', sha256 })
  expect(await stored(`/inbox/${names}.txt`)).toBe('whole')
})

test('it comes in pieces, is told how far it is, and is there when the last one is', async () => {
  const location = await begun({ 'content-type': 'text/plain' }, 'one ')
  expect((await patch(location, 4, false, 'two ')).headers).toMatchObject({
    'upload-complete': '?0',
    'upload-offset': '8',
  })
  const told = await send('HEAD', location)
  expect(told.status).toBe(204)
  expect(told.headers).toMatchObject({
    'upload-complete': '?0',
    'upload-offset': '8',
    'cache-control': 'no-store',
    'upload-limit': expect.stringMatching(/^max-size=\d+, max-age=86400$/),
  })
  expect(told.headers['upload-length']).toBeUndefined()
  expect(await stored(location)).toBeUndefined()

  const last = await patch(location, 8, true, 'three')
  expect([last.status, last.headers['upload-complete']]).toEqual([200, '?1'])
  expect(await stored(location)).toBe('one two three')
  const after = await send('HEAD', location)
  expect(after.headers).toMatchObject({
    'upload-complete': '?1',
    'upload-length': '13',
    etag: `"${digest(Buffer.from('one two three'))}"`,
  })
})

test('nothing more may come when it was said to be whole, and an empty last piece says so', async () => {
  const location = await begun({}, 'abc')
  expect((await patch(location, 3, true, '')).status).toBe(200)
  expect(await stored(location)).toBe('abc')
  expect((await patch(location, 3, true, 'd')).status).toBe(409)
  const empty = await send('POST', fresh(), { 'upload-complete': '?1' })
  expect([empty.status, empty.json().size]).toEqual([201, 0])
})

test('what belongs elsewhere is refused, with where it belongs', async () => {
  const location = await begun({}, 'abc')
  const { status, code, headers } = await patch(location, 2, false, 'x')
  expect([status, code, headers['upload-offset']]).toEqual([409, 'conflict', '3'])
})

test('limits hold for all of it', async () => {
  const small = house.mint({ methods: ['PUT'], path: 'inbox/', size: [0, 6] })
  const said = { 'upload-complete': '?0', 'upload-length': '7' }
  expect((await send('POST', fresh(), said, undefined, small)).code).toBe('too_large')
  const location = await begun({}, 'abcd', small)
  const headers = { ...PART, 'upload-offset': '4', 'upload-complete': '?1' }
  expect((await send('PATCH', location, headers, 'efg', small)).code).toBe('too_large')
  expect(await stored(location)).toBeUndefined()
})

test.each<[string, Partial<FirstBlock>, string]>([
  ['for another place', { path: 'other/' }, 'path_not_granted'],
  ['that only reads', { path: 'inbox/', methods: ['GET'] }, 'method_not_granted'],
  ['of somebody else', { path: 'inbox/' }, 'resource_not_found'],
])('a key %s goes on with nothing', async (_, claims, code) => {
  const location = await begun({}, 'abc')
  const other = house.mint({ methods: ['PUT'], ...claims })
  const headers = { ...PART, 'upload-offset': '3', 'upload-complete': '?1' }
  expect((await send('PATCH', location, headers, 'x', other)).code).toBe(code)
  expect((await send('HEAD', location, {}, undefined, other)).status).toBeGreaterThanOrEqual(400)
})

test.each<[string, Headers]>([
  ['without Upload-Complete', {}],
  ['with one that is no boolean', { 'upload-complete': '1' }],
  ['with a length that is none', { 'upload-complete': '?0', 'upload-length': '-1' }],
  [
    'with a length that is not that of the last byte',
    { 'upload-complete': '?1', 'upload-length': '9' },
  ],
  [
    'without a length of the last piece',
    { 'upload-complete': '?1', 'transfer-encoding': 'chunked' },
  ],
  ['that is packed', { 'upload-complete': '?1', 'content-encoding': 'gzip' }],
])('an upload %s is refused', async (_, headers) => {
  const { status, code } = await send('POST', fresh(), headers, 'abc')
  expect([status, code]).toEqual([400, 'request_malformed'])
})

test('who cancels it ends it', async () => {
  const location = await begun({}, 'abc')
  expect((await send('DELETE', location)).status).toBe(204)
  expect((await send('HEAD', location)).status).toBe(404)
})

test('a client that breaks off was told before where to go on', async () => {
  const connection = await RawConnection.open(house.gateway.port)
  connection.send(
    headOf('POST', fresh(), [
      `Authorization: Bearer ${key}`,
      'Upload-Complete: ?1',
      'Upload-Draft-Interop-Version: 6',
      'Content-Length: 10',
    ]),
  )
  const interim = await connection.response()
  expect(interim?.status).toBe(104)
  const location = interim?.headers.get('location') ?? ''
  connection.send('first')
  connection.socket.end()
  await expect.poll(async () => (await send('HEAD', location)).headers['upload-offset']).toBe('5')
  expect((await patch(location, 5, true, '-last')).status).toBe(200)
  expect(await stored(location)).toBe('first-last')
})

test.each<[string, UploadOptions]>([
  ['in pieces', { chunkSize: 1 << 20 }],
  ['at once', {}],
  ['with its first piece', { chunkSize: 1 << 20, uploadDataDuringCreation: true }],
])('tus-js-client sends %s', async (_, options) => {
  const content = Buffer.from(pattern((3 << 20) + 5))
  const path = fresh()
  await new Promise<void>((resolve, reject) => {
    const all = {
      endpoint: house.gateway.url + path,
      // its types don't know of it
      protocol: 'ietf-draft-05',
      headers: { Authorization: `Bearer ${key}` },
      retryDelays: [],
      ...options,
      onSuccess: () => resolve(),
      onError: reject,
    }
    new Upload(content, all).start()
  })
  const { body } = await ask(house.url(path.slice('/-/uploads/'.length), key))
  expect(digest(body)).toBe(digest(content))
})
