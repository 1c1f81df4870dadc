/** A plain HTML form with a key in a field uploads a file, held to the key like any other upload. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask } from '../support/http.ts'
import { PNG } from '../support/media.ts'
import { digest, pattern } from '../support/store.ts'

// biome-ignore lint/suspicious/noTemplateCurlyInString: so forms write it
const FILE_NAME = '${filename}'
const APP = 'https://app.example.com'

let house: House
let all: string
let count = 0
beforeAll(async () => {
  house = await openHouse({ gateway: { maxObjectSize: 1 << 20 } })
  all = house.mint({ methods: ['PUT', 'GET'] })
})
afterAll(() => house.close())

const fresh = (): string => `file-${++count}.bin`
const keyFor = (claims: Parameters<House['mint']>[0]): string =>
  house.mint({ methods: ['PUT'], ...claims })

type Fields = readonly (readonly [name: string, value: string])[]

interface Sending {
  readonly to?: string
  readonly fields?: Fields
  readonly name?: string
  readonly type?: string
  readonly content?: Uint8Array | string
  /** after the file */
  readonly after?: Fields
  readonly headers?: Readonly<Record<string, string>>
}

const part = (head: string, content: Uint8Array | string): Buffer =>
  Buffer.concat([
    Buffer.from(`--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(content as Uint8Array),
    Buffer.from('\r\n'),
  ])
const field = ([name, value]: readonly [string, string]): Buffer => part(`name="${name}"`, value)

function send(key: string | undefined, sending: Sending = {}): Promise<Answer> {
  const { to = '/bucket/', fields = [], name = 'a.bin', content = 'content' } = sending
  const { type = 'application/octet-stream', after = [], headers } = sending
  const shown: Fields = key === undefined ? [] : [['vk', key]]
  const file = part(`name="file"; filename="${name}"\r\nContent-Type: ${type}`, content)
  const body = [...shown, ...fields]
    .map(field)
    .concat(file, after.map(field), Buffer.from('--B--\r\n'))
  return ask(house.gateway.url + to, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=B', ...headers },
    body: Buffer.concat(body),
  })
}

const outcome = ({ status, code }: Answer): string =>
  code === undefined ? String(status) : `${status} ${code}`
const stored = (path: string): Promise<Answer> => ask(house.url(path, all))

describe('a form', () => {
  test('uploads its file under the name that it has', async () => {
    const name = fresh()
    const content = pattern(100_000)
    const answer = await send(all, { name, content, type: 'image/x-own' })
    expect(answer.status).toBe(201)
    const told = {
      path: `bucket/${name}`,
      size: 100_000,
      type: 'image/x-own',
      sha256: digest(content),
    }
    expect(answer.json()).toMatchObject(told)
    expect(answer.headers).toMatchObject({ location: `/bucket/${name}`, etag: `"${told.sha256}"` })
    expect(digest((await stored(told.path)).body)).toBe(told.sha256)
    expect((await send(all, { name, content })).status).toBe(200)
  })

  test.each([
    ['/bucket/', `x/${FILE_NAME}`, 'C:\\fakepath\\my ü.txt', 'bucket/x/my ü.txt'],
    ['/bucket/a%20b/', FILE_NAME, 'dir/c.txt', 'bucket/a b/c.txt'],
    ['/bucket/a/', 'fixed', 'c.txt', 'bucket/a/fixed'],
  ])('to %s with the key %s of the file %s is %s', async (to, key, name, path) => {
    const answer = await send(all, { to, fields: [['key', key]], name })
    expect([answer.status, answer.json().path]).toEqual([201, path])
  })

  test('shows its key as other requests do', async () => {
    const name = fresh()
    for (const sending of [
      { to: `/bucket/?vk=${all}` },
      { headers: { authorization: `Bearer ${all}` } },
      { headers: { cookie: `vk=${all}`, origin: house.gateway.url } },
    ]) {
      expect([200, 201]).toContain((await send(undefined, { name, ...sending })).status)
    }
  })

  test('states the type in a field, else in its file', async () => {
    const stated = await send(all, { fields: [['content-type', 'text/plain']], name: fresh() })
    expect(stated.json().type).toBe('text/plain')
  })

  test('answers with a status of its choice, or leads on', async () => {
    for (const status of ['200', '201', '204']) {
      const fields: Fields = [['success_action_status', status]]
      expect((await send(all, { fields, name: fresh() })).status).toBe(Number(status))
    }
    const name = fresh()
    const here = await send(all, { fields: [['redirect', '/thanks?x=1#end']], name })
    const query = `path=bucket%2F${name}&etag=${encodeURIComponent(here.headers.etag as string)}`
    expect([here.status, here.headers.location]).toEqual([303, `/thanks?x=1&${query}#end`])
    for (const redirect of ['thanks', './thanks', '/./thanks', '/x/../thanks']) {
      const { status, headers } = await send(all, { fields: [['redirect', redirect]], name })
      expect([status, headers.location]).toEqual([303, `/thanks?${query}`])
    }
    const key = keyFor({ origins: [APP] })
    const away = await send(key, { fields: [['redirect', `${APP}/done`]], name: fresh() })
    expect([away.status, away.headers.location?.startsWith(`${APP}/done?path=`)]).toEqual([
      303,
      true,
    ])
  })

  test.each([
    '//evil.example/x',
    '/\\evil.example/x',
    '/.//evil.example/x',
    '/./\\evil.example/x',
    '/%2e//evil.example/x',
    'x/..//evil.example/x',
    '/a/../..//evil.example/x',
    '/\t/evil.example/x',
    ' //evil.example/x',
    '//app.example.com/x',
    'http://here.invalid/x',
    'http://a.invalid/x',
    '//b.invalid/x',
    `blob:${APP}/x`,
    `https://app.example.com:x@evil.example/`,
    'https://evil.example/x',
    `${APP}.evil.example/`,
    'javascript:alert(1)',
    'data:text/html,x',
    'http://',
  ])('leads nowhere that its key does not name: %s', async (redirect) => {
    const name = fresh()
    const key = keyFor({ origins: [APP] })
    const answer = await send(key, { fields: [['redirect', redirect]], name })
    expect(outcome(answer)).toBe('400 request_malformed')
    expect((await stored(`bucket/${name}`)).status).toBe(404)
  })

  test('of a page of another origin is answered as the key says, refusals too', async () => {
    const key = keyFor({ origins: [APP], size: [0, 3] })
    for (const content of ['abc', 'abcd']) {
      const { headers } = await send(key, { content, name: fresh(), headers: { origin: APP } })
      expect(headers['access-control-allow-origin']).toBe(APP)
    }
    const other = await send(key, { headers: { origin: 'https://other.example' } })
    expect(outcome(other)).toBe('403 origin_not_granted')
  })
})

describe('a form is refused', () => {
  test.each([
    [
      'with another key',
      () => `${all.slice(0, -2)}AA`,
      {},
      /^(403 signature_invalid|400 key_malformed)$/,
    ],
    ['of a key without PUT', () => house.mint({ methods: ['GET'] }), {}, /method_not_granted/],
    ['outside the scope', () => keyFor({ path: 'bucket/in/' }), {}, /path_not_granted/],
    ['of an expired key', () => keyFor({ exp: house.now() - 1 }), {}, /key_expired/],
    ['too large', () => keyFor({ size: [0, 6] }), {}, /413 too_large/],
    ['too small', () => keyFor({ size: [8, 9] }), {}, /400 too_small/],
    ['of another type', () => keyFor({ types: ['image/*'] }), {}, /415 type_not_granted/],
    [
      'of false type',
      () => keyFor({ types: ['image/*'] }),
      { type: 'image/png' },
      /415 type_mismatch/,
    ],
    ['of other content', () => keyFor({ sha256: digest(PNG) }), {}, /400 digest_mismatch/],
    ['too large for the gateway', () => all, { content: pattern((1 << 20) + 1) }, /413 too_large/],
    ['with two keys', () => all, { fields: [['vk', 'x']] }, /400 key_ambiguous/],
    [
      'with a key in a header as well',
      () => all,
      { headers: { authorization: 'Bearer x' } },
      /key_ambiguous/,
    ],
    [
      'with two names',
      () => all,
      {
        fields: [
          ['key', 'a'],
          ['key', 'b'],
        ],
      },
      /400 request_malformed/,
    ],
    ['with a path that leads out', () => all, { fields: [['key', '../x']] }, /400 path_malformed/],
    ['to no folder', () => all, { to: '/bucket/a' }, /400 path_malformed/],
    ['to no bucket', () => all, { to: '/' }, /400 path_malformed/],
    ['without a file', () => all, { name: '' }, /400 request_malformed/],
    ['of no type', () => all, { type: 'x' }, /400 request_malformed/],
    [
      'for a strange status',
      () => all,
      { fields: [['success_action_status', '302']] },
      /request_malformed/,
    ],
  ] as readonly [string, () => string, Sending, RegExp][])(
    '%s, and nothing is kept',
    async (_, key, sending, expected) => {
      const name = fresh()
      expect(outcome(await send(key(), { name, ...sending }))).toMatch(expected)
      expect((await stored(`bucket/${name}`)).status).toBe(404)
    },
  )

  test.each(['/bucket/', '/bucket/a/'])('whose key comes behind its file (%s)', async (to) => {
    const answer = await send(undefined, { to, after: [['vk', all]] })
    expect(outcome(answer)).toBe('401 key_missing')
    expect(answer.json().detail).toMatch(/no field "vk" with a key before its file/)
  })

  test('without a file, in the words of whoever it is meant for', async () => {
    const without = (fields: Fields) =>
      ask(`${house.gateway.url}/bucket/`, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=B' },
        body: Buffer.concat([...fields.map(field), Buffer.from('--B--\r\n')]),
      })
    expect(outcome(await without([['vk', all]]))).toBe('400 request_malformed')
    expect((await without([['policy', 'e30=']])).headers['content-type']).toBe('application/xml')
  })

  test('that shows a key in the field and with the request', async () => {
    const headers = { authorization: `Bearer ${all}` }
    expect(outcome(await send(all, { headers }))).toBe('400 key_ambiguous')
  })

  test('with a second file, which would be lost unnoticed', async () => {
    const names = [fresh(), fresh()]
    const files = names.map((name) => part(`name="file"; filename="${name}"`, 'x'))
    const answer = await ask(`${house.gateway.url}/bucket/`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=B' },
      body: Buffer.concat([field(['vk', all]), ...files, Buffer.from('--B--\r\n')]),
    })
    expect(outcome(answer)).toBe('400 request_malformed')
    for (const name of names) expect((await stored(`bucket/${name}`)).status).toBe(404)
  })

  test('once its key may only create', async () => {
    const key = keyFor({ create: true })
    const name = fresh()
    expect((await send(key, { name })).status).toBe(201)
    expect(outcome(await send(key, { name }))).toBe('412 object_exists')
  })

  test('once its uses are counted, one for each', async () => {
    const key = keyFor({ uses: 2 })
    const outcomes = []
    for (let at = 0; at < 3; at += 1) outcomes.push(outcome(await send(key, { name: fresh() })))
    expect(outcomes).toEqual(['201', '201', '403 uses_exhausted'])
  })
})

test('where S3 is switched off, a form without a key is told what it lacks', async () => {
  const off = await openHouse({ s3: { enabled: false } })
  const body = Buffer.concat([part('name="file"; filename="a"', 'x'), Buffer.from('--B--\r\n')])
  const headers = { 'content-type': 'multipart/form-data; boundary=B' }
  const answer = await ask(`${off.gateway.url}/bucket/`, { method: 'POST', headers, body })
  await off.close()
  expect(outcome(answer)).toBe('401 key_missing')
})
