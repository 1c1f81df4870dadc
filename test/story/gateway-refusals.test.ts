/** What an outsider may learn from refusals: nothing of what is there. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeMac } from '../../key/node-mac.ts'
import { REFUSALS } from '../../key/refusal.ts'
import { mintKey } from '../../key/sign.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask } from '../support/http.ts'

let house: House
let all: string
/** keys that are none of ours, or do not reach what is asked for */
let outsiders: Record<string, string | undefined>

beforeAll(async () => {
  house = await openHouse()
  all = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
  for (const path of ['bucket/there', 'bucket/secret/there']) {
    await ask(house.url(path, all), { method: 'PUT', body: 'content' })
  }
  const [version, block, signature = ''] = all.split('.')
  const forged = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(block ?? '', 'base64url').toString()), path: '/' }),
  )
  const foreign = (kid: string) =>
    mintKey(
      {
        jti: 'foreign',
        exp: house.now() + 100,
        path: '/',
        methods: ['GET', 'PUT', 'DELETE', 'LIST'],
      },
      { kid, secret: randomBytes(32) },
      nodeMac,
    )
  outsiders = {
    none: undefined,
    'of another secret': foreign('test'),
    'of an unknown signing key': foreign('unknown'),
    'with another signature': `${version}.${block}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
    'with other claims': `${version}.${forged.toString('base64url')}X.${signature}`,
    'with a block cut off': house
      .narrow(all, { path: 'bucket/there' })
      .replace(/\.[^.]+(\.[^.]+)$/, '$1'),
    'for elsewhere': house.mint({ path: 'other/', methods: ['GET', 'PUT', 'DELETE', 'LIST'] }),
    'for the folder beside it': house.mint({
      path: 'bucket/secre',
      methods: ['GET', 'PUT', 'DELETE', 'LIST'],
    }),
    'that has expired': house.mint({
      exp: house.now() - 1,
      methods: ['GET', 'PUT', 'DELETE', 'LIST'],
    }),
    'that is not valid yet': house.mint({
      nbf: house.now() + 1000,
      methods: ['GET', 'PUT', 'DELETE', 'LIST'],
    }),
    'for other methods': house.mint({ methods: ['LIST'] }),
    'for another address': house.mint({ ip: ['192.0.2.0/24'], methods: ['GET', 'PUT', 'DELETE'] }),
    'for TLS only': house.mint({ tls: true, methods: ['GET', 'PUT', 'DELETE'] }),
    'for a header that is not sent': house.mint({
      headers: { 'X-Team': 'blue' },
      methods: ['GET', 'PUT', 'DELETE'],
    }),
    'for other pages': house.mint({
      origins: ['https://a.example'],
      methods: ['GET', 'PUT', 'DELETE'],
    }),
    'that is junk': 'vk1.junk',
  }
})
afterAll(() => house.close())

/** All of an answer but what differs from request to request. */
function seen({ status, headers, text }: Answer) {
  const { date: _, 'content-length': __, 'x-request-id': id, ...rest } = headers
  return {
    status,
    headers: rest,
    body: id === undefined ? text() : text().replaceAll(String(id), 'ID'),
  }
}

const names = [
  'none',
  'of another secret',
  'of an unknown signing key',
  'with another signature',
  'with other claims',
  'with a block cut off',
  'for elsewhere',
  'for the folder beside it',
  'that has expired',
  'that is not valid yet',
  'for other methods',
  'for another address',
  'for TLS only',
  'for a header that is not sent',
  'for other pages',
  'that is junk',
]

describe.each(names)('a key %s', (name) => {
  test.each(['GET', 'HEAD', 'PUT', 'DELETE'])('learns nothing by %s', async (method) => {
    const key = outsiders[name]
    const answers: ReturnType<typeof seen>[] = []
    for (const path of [
      'bucket/there',
      'bucket/absent',
      'bucket/secret/there',
      'bucket/secret/absent',
      'nowhere/at-all',
    ]) {
      for (const headers of [{}, { 'if-none-match': '*' }, { range: 'bytes=1000-' }]) {
        const question = {
          method,
          headers: { origin: 'https://b.example', ...headers },
          ...(method === 'PUT' && { body: 'x' }),
        }
        answers.push(seen(await ask(house.url(path, key), question)))
      }
    }
    const [first] = answers
    expect(first?.status).toBeGreaterThanOrEqual(400)
    for (const answer of answers) expect(answer).toEqual(first)
    expect((await ask(house.url('bucket/there', all))).text()).toBe('content')
  })

  test('is not repeated to whoever sent it', async () => {
    const key = outsiders[name]
    if (key === undefined) return
    const bearer = { headers: { authorization: `Bearer ${key}` } }
    for (const answer of [
      await ask(house.url('bucket/there', key)),
      await ask(house.url('bucket/there'), bearer),
    ]) {
      const told = JSON.stringify(answer.headers) + answer.text()
      for (const part of key.split('.').slice(1)) expect(told).not.toContain(part)
    }
  })
})

test('whether a signature is good comes before anything about the key', async () => {
  const codes = new Set<string | undefined>()
  for (const name of names.slice(1, 4)) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      codes.add((await ask(house.url('bucket/there', outsiders[name]), { method })).code)
    }
  }
  expect([...codes]).toEqual(['signature_invalid'])
  const unknownClaims = mintKey(
    { jti: 'x', exp: 1, path: '/', methods: ['GET'] },
    { kid: 'test', secret: randomBytes(32) },
    nodeMac,
  )
  expect((await ask(house.url('bucket/there', unknownClaims))).code).toBe('signature_invalid')
})

test('no line of the log holds a key, a token, a cookie or a query', async () => {
  const secret = house.mint({ sub: 'logged' })
  const [, block = '', signature = ''] = secret.split('.')
  const plain = house.url('bucket/there')
  const ids: unknown[] = []
  const asked = [
    () => ask(house.url('bucket/there', secret)),
    () => ask(`${house.url('bucket/absent', secret)}&password=hunter2`),
    () => ask(plain, { headers: { authorization: `Bearer ${secret}` } }),
    () => ask(plain, { headers: { cookie: `vk=${secret}; session=hunter2` } }),
    () => ask(plain, { headers: { authorization: `Basic ${secret}` } }),
    () => ask(house.url('bucket/there', `${secret}x`)),
    () => ask(`${plain}%3Fvk=${secret}`),
    () => ask(`${plain}?vk=${secret}&vk=${secret}`),
    () => ask(house.url('bucket/there', secret), { method: 'PUT', body: 'hunter2' }),
  ]
  for (const each of asked) ids.push((await each()).headers['x-request-id'])
  const text = JSON.stringify(house.logged)
  for (const hidden of [block, signature, 'hunter2', 'password', 'session=', '?vk=']) {
    expect([hidden, text.includes(hidden)]).toEqual([hidden, false])
  }
  const logged = house.logged.slice(-ids.length).map(({ id }) => id)
  expect(logged).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  expect(house.logged.find(({ id }) => id === ids[0])).toMatchObject({
    method: 'GET',
    path: '/bucket/there',
    status: 200,
    kid: 'test',
    sub: 'logged',
    address: '127.0.0.1',
    out: 7,
  })
})

test('the page about refusals names exactly those that there are', () => {
  const page = readFileSync(new URL('../../docs/refusals.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| (.+?) \| (.+?) \|$/gm)]
  const told = Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]))
  const there = Object.entries(REFUSALS).map(([code, { status }]) => [code, status])
  expect(told).toEqual(Object.fromEntries(there))
  expect(rows).toHaveLength(there.length)
})
