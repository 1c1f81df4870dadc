/** Conditional requests, RFC 9110 §13, in the order of §13.2.2. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'

let house: House
let key: string
let url: string
let etag: string
let modified: string
let earlier: string
let later: string

beforeAll(async () => {
  house = await openHouse()
  key = house.mint({ methods: ['GET', 'PUT', 'DELETE'] })
  url = house.url('bucket/a', key)
})
afterAll(() => house.close())

beforeEach(async () => {
  await ask(url, { method: 'PUT', body: 'content' })
  const { headers } = await ask(url, { method: 'HEAD' })
  etag = headers.etag ?? ''
  modified = headers['last-modified'] ?? ''
  earlier = new Date(Date.parse(modified) - 1000).toUTCString()
  later = new Date(Date.parse(modified) + 1000).toUTCString()
})

/** Names of the validators of the object as it is, filled in when a row is tried. */
const filled = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      value
        .replaceAll('ETAG', etag)
        .replaceAll('MODIFIED', modified)
        .replaceAll('EARLIER', earlier)
        .replaceAll('LATER', later),
    ]),
  )

describe.each(['GET', 'HEAD'])('%s', (method) => {
  test.each<[Record<string, string>, number]>([
    [{ 'if-match': 'ETAG' }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': '"x", ETAG' }, 200],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-match': 'W/ETAG' }, 412],
    [{ 'if-none-match': 'ETAG' }, 304],
    [{ 'if-none-match': 'W/ETAG' }, 304],
    [{ 'if-none-match': '"x",W/"y" , ETAG' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-modified-since': 'MODIFIED' }, 304],
    [{ 'if-modified-since': 'LATER' }, 304],
    [{ 'if-modified-since': 'EARLIER' }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ 'if-unmodified-since': 'MODIFIED' }, 200],
    [{ 'if-unmodified-since': 'LATER' }, 200],
    [{ 'if-unmodified-since': 'EARLIER' }, 412],
    [{ 'if-unmodified-since': 'yesterday' }, 200],
    // step 1 stands before step 2, and step 3 before step 4
    [{ 'if-match': 'ETAG', 'if-unmodified-since': 'EARLIER' }, 200],
    [{ 'if-match': '"x"', 'if-unmodified-since': 'LATER' }, 412],
    [{ 'if-none-match': '"x"', 'if-modified-since': 'LATER' }, 200],
    [{ 'if-none-match': 'ETAG', 'if-modified-since': 'EARLIER' }, 304],
    // a failed If-Match comes before anything that If-None-Match says
    [{ 'if-match': '"x"', 'if-none-match': 'ETAG' }, 412],
    [{ 'if-match': 'ETAG', 'if-none-match': 'ETAG' }, 304],
    [{ 'if-unmodified-since': 'EARLIER', 'if-none-match': 'ETAG' }, 412],
    // conditions come before the range
    [{ 'if-none-match': 'ETAG', range: 'bytes=1000-' }, 304],
    [{ 'if-match': '"x"', range: 'bytes=1000-' }, 412],
    [{ 'if-match': '"unclosed' }, 400],
    [{ 'if-none-match': ',' }, 400],
  ])('with %o is %i', async (headers, status) => {
    const answer = await ask(url, { method, headers: filled(headers) })
    expect(answer.status).toBe(status)
    if (status === 304) {
      expect(answer.body.length).toBe(0)
      expect(answer.headers).toMatchObject({ etag, 'last-modified': modified })
    }
    if (status === 412 && method === 'GET') expect(answer.code).toBe('precondition_failed')
  })

  test('of nothing is 404, whatever the conditions', async () => {
    for (const headers of [{ 'if-match': '*' }, { 'if-none-match': '*' }]) {
      const absent = await ask(house.url('bucket/absent', key), { method, headers })
      expect(absent.status).toBe(404)
    }
  })
})

describe.each(['PUT', 'DELETE'])('%s', (method) => {
  const done = method === 'PUT' ? 200 : 204

  test.each<[Record<string, string>, boolean]>([
    [{ 'if-match': 'ETAG' }, true],
    [{ 'if-match': '*' }, true],
    [{ 'if-match': '"x"' }, false],
    [{ 'if-match': 'W/ETAG' }, false],
    [{ 'if-none-match': '*' }, false],
    [{ 'if-none-match': 'ETAG' }, false],
    [{ 'if-none-match': 'W/ETAG' }, false],
    [{ 'if-none-match': '"x"' }, true],
    [{ 'if-unmodified-since': 'LATER' }, true],
    [{ 'if-unmodified-since': 'EARLIER' }, false],
    [{ 'if-match': 'ETAG', 'if-unmodified-since': 'EARLIER' }, true],
    [{ 'if-match': 'ETAG', 'if-none-match': 'ETAG' }, false],
    // it is for reading
    [{ 'if-modified-since': 'LATER' }, true],
  ])('with %o is done: %s', async (headers, isDone) => {
    const body = method === 'PUT' ? 'changed' : undefined
    const answer = await ask(url, { method, headers: filled(headers), ...(body && { body }) })
    expect([answer.status, answer.code]).toEqual(
      isDone ? [done, undefined] : [412, 'precondition_failed'],
    )
    if (!isDone) expect((await ask(url)).text()).toBe('content')
  })
})

test('a PUT that demands an object creates none', async () => {
  const nowhere = house.url('bucket/nowhere', key)
  for (const condition of ['*', '"x"']) {
    const headers = { 'if-match': condition }
    expect((await ask(nowhere, { method: 'PUT', body: 'x', headers })).status).toBe(412)
  }
  expect((await ask(nowhere)).status).toBe(404)
  const headers = { 'if-none-match': '*' }
  expect((await ask(nowhere, { method: 'PUT', body: 'x', headers })).status).toBe(201)
})
