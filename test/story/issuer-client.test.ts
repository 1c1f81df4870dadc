/** The typed client against a running issuer. */
import { afterEach, beforeEach, expect, expectTypeOf, it } from 'vitest'
import { ROUTES } from '../../issuer/app.ts'
import { type Client, createClient, IssuerError, type NewKey } from '../../issuer/client.ts'
import { type IssuerHouse, openIssuer } from '../support/issuer.ts'

let house: IssuerHouse
let client: Client
/** the routes that were asked for, as the table names them */
let asked: Set<string>

beforeEach(async () => {
  // nobody listens there
  house = await openIssuer('memory', {}, 'http://127.0.0.1:1')
  asked = new Set()
  client = createClient({
    url: house.issuer.url,
    token: house.token,
    fetch: (input, init) => {
      const { pathname } = new URL(String(input))
      const method = init?.method?.toLowerCase()
      const route = ROUTES.find(
        (one) =>
          one.method === method &&
          new RegExp(`^${one.path.replace(/\{\w+\}/, '[^/]+')}$`).test(pathname),
      )
      asked.add(`${method} ${route?.path}`)
      return fetch(input, init)
    },
  })
})
afterEach(async () => {
  expect([...asked].filter((route) => route.endsWith('undefined'))).toEqual([])
  await house.close()
})

it('mints, lists, shows and revokes', async () => {
  const minted = await client.keys.mint({
    path: 'bkt/a',
    methods: ['GET'],
    subject: 'ann',
    uses: 2,
  })
  expectTypeOf(minted).toEqualTypeOf<NewKey>()
  expect(minted.url).toBe(`http://127.0.0.1:1/bkt/a?vk=${minted.key}`)
  const many = await client.keys.mint([{ path: 'bkt/b' }, { path: 'bkt/c', expiresIn: 60 }])
  expect(many.map(({ path }) => path)).toEqual(['bkt/b', 'bkt/c'])

  expect((await client.keys.list({ subject: 'ann', limit: 5 })).keys).toHaveLength(1)
  const all: string[] = []
  for await (const { id } of client.keys.each({ limit: 1 })) all.push(id)
  expect(all.toSorted()).toEqual([minted, ...many].map(({ id }) => id).toSorted())

  await client.keys.revoke(minted.id)
  expect((await client.keys.show(minted.id)).revocation).toMatchObject({ value: minted.id })
  const added = await client.revocations.add({ subject: 'ann', reason: 'left' })
  expect(added).toMatchObject({ kind: 'subject', value: 'ann', reason: 'left' })
  expect(await client.revocations.list({ limit: 1 })).toHaveLength(1)
})

it('narrows with a valet key', async () => {
  const { key } = await client.keys.mint({ path: 'bkt/', methods: ['GET', 'LIST'] })
  const holder = createClient({ url: `${house.issuer.url}/`, token: key })
  const narrower = await holder.keys.mint({ path: 'bkt/a', methods: ['GET'], once: true })
  expect(narrower.key.startsWith(key.slice(0, key.lastIndexOf('.')))).toBe(true)
  await expect(holder.keys.list()).rejects.toMatchObject({ code: 'method_not_granted' })
})

it('changes and replaces keys, and what they refer to by name', async () => {
  await client.policies.set('office', { ip: '10.0.0.0/8' })
  await client.plans.set('free', { rate: '600/m', requests: 1000, period: 'month', per: 'subject' })
  expect((await client.policies.list()).map(({ name }) => name)).toEqual(['office'])
  expect((await client.plans.show('free')).plan.quota).toEqual({ requests: 1000, period: 'month' })
  const { id, url } = await client.keys.mint({ path: 'bkt/a', policy: 'office', plan: 'free' })
  expect(await client.keys.change(id, { paused: true, expiresIn: '5m' })).toMatchObject({
    id,
    paused: true,
    claims: { exp: house.now() + 300 },
  })
  const other = await client.keys.replace(id)
  expect(other.url).not.toBe(url)
  expect((await client.keys.show(id)).revocation).toBeDefined()
  await client.policies.remove('office')
  await client.plans.remove('free')
  await expect(client.plans.show('free')).rejects.toMatchObject({ code: 'resource_not_found' })
})

it('rotates, retires and revokes signing keys', async () => {
  const [first] = await client.signingKeys.list()
  const second = await client.signingKeys.rotate({ grace: '1h' })
  expect(await client.signingKeys.retire(first?.kid ?? '')).toMatchObject({ status: 'retiring' })
  expect(await client.signingKeys.revoke(first?.kid ?? '')).toMatchObject({ status: 'revoked' })
  expect((await client.signingKeys.list()).at(-1)).toMatchObject({ kid: second.kid })
})

it('reads the audit, and follows it', async () => {
  const leaving = new AbortController()
  const following = client.audit.follow({ subject: 'bob' }, { signal: leaving.signal })
  const next = following.next()
  // what follows begins when the request has been answered: so it is tried until it is heard
  let heard = false
  void next.then(() => {
    heard = true
  })
  await expect
    .poll(async () => {
      if (!heard) await client.keys.mint({ path: 'bkt/b', subject: 'bob' })
      return heard
    })
    .toBe(true)
  expect((await next).value).toMatchObject({ act: 'mint', subjects: ['bob'] })
  await following.return(undefined)
  leaving.abort()
  const { records } = await client.audit.list({ subject: 'bob', limit: 1, refused: false })
  expect(records).toEqual([expect.objectContaining({ act: 'mint' })])
})

it('says how things are', async () => {
  const status = await client.status()
  expect(status).toMatchObject({ version: '1.2.3', ledger: { ok: true }, audit: { ok: true } })
  expect(status.gateway.ok).toBe(false)
  await expect(client.storage('bkt/')).rejects.toMatchObject({ code: 'unavailable', status: 503 })
  expect(await client.request('GET', '/-/health')).toEqual({ status: 'ok' })
})

it('rejects with what the issuer said', async () => {
  const refused = await client.keys.mint({ path: 'bkt/a', expiresIn: '99d', maxSize: 'x' }).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(refused).toBeInstanceOf(IssuerError)
  expect(refused).toMatchObject({
    code: 'request_malformed',
    status: 400,
    requestId: expect.any(String),
    mistakes: [{ option: 'maxSize' }, { option: 'expiresIn' }],
  })
  const stranger = createClient({ url: house.issuer.url, token: 'vkadm_wrong' })
  await expect(stranger.status()).rejects.toMatchObject({ code: 'token_invalid', status: 401 })
  expect(() => createClient({ url: 'nowhere', token: '' })).toThrow(TypeError)
  const proxy = createClient({
    url: 'https://proxy.example/issuer',
    token: 'x',
    fetch: async (input) => {
      expect(String(input)).toBe('https://proxy.example/issuer/v1/status')
      return new Response('<h1>busy</h1>', { status: 502, headers: { 'Retry-After': '7' } })
    },
  })
  await expect(proxy.status()).rejects.toMatchObject({
    code: undefined,
    status: 502,
    retryAfter: 7,
  })
})
