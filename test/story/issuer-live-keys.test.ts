/** Keys that are in use, changed through the issuer; policies and plans. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectKey } from '../../key/inspect.ts'
import { type IssuerHouse, openIssuer } from '../support/issuer.ts'

let house: IssuerHouse
beforeAll(async () => {
  house = await openIssuer('sqlite')
})
afterAll(() => house.close())

const DAY = 86_400
const minted = async (options: object) => (await house.send('POST', '/v1/keys', options)).json
const patch = (id: string, body: object) => house.send('PATCH', `/v1/keys/${id}`, body)
const shown = async (id: string) => (await house.send('GET', `/v1/keys/${id}`)).json

describe('PATCH /v1/keys/{id}', () => {
  test('puts off the end of a renewable key, as far as keys may live', async () => {
    const { id, key, expires } = await minted({ path: 'bkt/a', renewable: true, expiresIn: '1d' })
    expect(expires).toBe(house.now() + DAY)
    expect(inspectKey(key, house.now()).expires).toBeGreaterThan(house.now() + 1000 * DAY)
    expect(await shown(id)).toMatchObject({ rule: { claims: { exp: expires } } })
    expect((await patch(id, { expiresIn: '7d' })).json.claims.exp).toBe(house.now() + 7 * DAY)
    expect(await patch(id, { expiresIn: '8d' })).toMatchObject({
      status: 400,
      json: { errors: [{ option: 'expires' }] },
    })
    expect((await shown(id)).rule.claims.exp).toBe(house.now() + 7 * DAY)
  })

  test('brings forward, pauses and resumes any key, but ends none later than it was signed', async () => {
    const { id } = await minted({ path: 'bkt/a', expiresIn: '1h' })
    expect((await patch(id, { expiresIn: '30m' })).status).toBe(200)
    expect((await patch(id, { expiresIn: '1h' })).status).toBe(200)
    expect(await patch(id, { expiresIn: '2h' })).toMatchObject({
      status: 409,
      json: { code: 'conflict', detail: expect.stringMatching(/renewable/) },
    })
    expect((await patch(id, { paused: true })).json).toMatchObject({ paused: true })
    expect((await patch(id, { ip: '10.0.0.0/8' })).json).toMatchObject({ paused: true })
    expect((await patch(id, { paused: false })).json).toEqual({
      id,
      claims: { exp: house.now() + 3600, ip: ['10.0.0.0/8'] },
      paused: false,
    })
    expect((await patch('minted-elsewhere', { paused: true })).status).toBe(200)
    expect((await patch('minted-elsewhere', { paused: false })).status).toBe(200)
    expect(await house.ledger.rule('key', 'minted-elsewhere')).toBeUndefined()
  })

  test('loses none of several changes that are made at once', async () => {
    const { id } = await minted({ path: 'bkt/a', expiresIn: '1h' })
    const changes = [{ paused: true }, { ip: '10.0.0.0/8' }, { expiresIn: '30m' }]
    await Promise.all(changes.map((change) => patch(id, change)))
    expect((await shown(id)).rule).toMatchObject({
      paused: true,
      claims: { ip: ['10.0.0.0/8'], exp: house.now() + 1800 },
    })
  })

  test('refuses what belongs into keys, what is unknown, and keys that are revoked', async () => {
    const { id } = await minted({ path: 'bkt/a' })
    expect((await patch(id, { uses: 1 })).json.code).toBe('key_malformed')
    expect((await patch(id, { subject: 'ann' })).json.code).toBe('key_malformed')
    expect((await patch(id, { colour: 'red' })).status).toBe(400)
    expect((await patch(id, { paused: 'yes' })).status).toBe(400)
    await house.send('DELETE', `/v1/keys/${id}`)
    expect((await patch(id, { paused: false })).json.code).toBe('conflict')
  })
})

describe('POST /v1/keys/{id}/replace', () => {
  test('revokes the key, and answers with another of the same claims', async () => {
    const options = { methods: ['PUT'], maxSize: 9, uses: 3, subject: 'ann', expiresIn: '1h' }
    const { id, key } = await minted({ path: ['bkt/a/', 'bkt/b'], ...options })
    house.pass(60)
    const replaced = await house.send('POST', `/v1/keys/${id}/replace`)
    expect(replaced.status).toBe(201)
    const claimsOf = (text: string) => {
      const { jti, iat, ...claims } = inspectKey(text, house.now()).blocks[0]?.claims ?? {}
      return claims
    }
    expect(claimsOf(replaced.json.key)).toEqual(claimsOf(key))
    expect(replaced.json.id).not.toBe(id)
    expect((await shown(id)).revocation.reason).toBe(`replaced by ${replaced.json.id}`)
    expect((await shown(replaced.json.id)).revocation).toBeUndefined()
  })

  test.each([true, false])('keeps what was narrowed since (renewable: %s)', async (renewable) => {
    const { id } = await minted({ path: 'bkt/', methods: ['GET', 'PUT'], renewable })
    const narrower = { ip: ['10.0.0.0/8'], methods: ['GET'], expiresIn: '5m', paused: true }
    expect((await patch(id, narrower)).status).toBe(200)
    const { json } = await house.send('POST', `/v1/keys/${id}/replace`)
    const end = house.now() + 300
    expect(json.expires).toBe(end)
    expect(await house.ledger.rule('key', json.id)).toMatchObject({
      claims: { ip: ['10.0.0.0/8'], methods: ['GET'], exp: end },
    })
    // whoever asks for a new one wants to use it
    expect((await house.ledger.rule('key', json.id))?.paused).toBeUndefined()
  })

  test('keeps a renewable key renewable, and takes another end', async () => {
    const { id } = await minted({ path: 'bkt/a', renewable: true })
    const { json } = await house.send('POST', `/v1/keys/${id}/replace`, { expiresIn: '2d' })
    expect(json.expires).toBe(house.now() + 2 * DAY)
    expect((await patch(json.id, { expiresIn: '5d' })).status).toBe(200)
    expect(
      await house.send('POST', `/v1/keys/${json.id}/replace`, { expiresIn: '8d' }),
    ).toMatchObject({ status: 400, json: { errors: [{ option: 'expires' }] } })
    expect((await shown(json.id)).revocation).toBeUndefined()
  })

  test('refuses keys that are over, narrowed from others, or unknown', async () => {
    const { id, key } = await minted({ path: 'bkt/a', expiresIn: '1m' })
    const narrowed = await house.send('POST', '/v1/keys', { once: true }, key)
    const replace = async (which: string) =>
      (await house.send('POST', `/v1/keys/${which}/replace`)).status
    expect(await replace(narrowed.json.id)).toBe(409)
    expect(await replace('never-minted')).toBe(404)
    house.pass(61)
    expect(await replace(id)).toBe(409)
  })
})

describe('policies and plans', () => {
  test('are stored, shown, changed and removed', async () => {
    const put = await house.send('PUT', '/v1/policies/partners', {
      methods: ['GET'],
      ip: '10.0.0.1',
    })
    const stored = {
      kind: 'policy',
      name: 'partners',
      claims: { methods: ['GET'], ip: ['10.0.0.1/32'] },
    }
    expect(put.json).toMatchObject(stored)
    expect((await house.send('GET', '/v1/policies')).json.policies).toMatchObject([stored])
    await house.send('PUT', '/v1/policies/partners', {})
    expect((await house.send('GET', '/v1/policies/partners')).json.claims).toEqual({})
    expect((await house.send('DELETE', '/v1/policies/partners')).status).toBe(204)
    expect((await house.send('DELETE', '/v1/policies/partners')).status).toBe(404)
    expect((await house.send('PUT', '/v1/policies/p', { policy: 'q' })).json.code).toBe(
      'key_malformed',
    )
  })

  test('a plan has a rate or a quota, written as people do', async () => {
    const plan = {
      rate: '600/m',
      burst: 20,
      requests: 1000,
      bytes: '1GiB',
      period: 'week',
      per: 'subject',
    }
    expect((await house.send('PUT', '/v1/plans/free', plan)).json.plan).toEqual({
      rate: { requests: 600, seconds: 60 },
      burst: 20,
      quota: { requests: 1000, bytes: 1 << 30, period: 'week' },
      per: 'subject',
    })
    for (const [wrong, option] of [
      [{}, 'rate'],
      [{ rate: '0/s' }, 'rate'],
      [{ rate: '10/d' }, 'rate'],
      [{ burst: 3, requests: 1 }, 'burst'],
      [{ requests: 1, period: 'year' }, 'period'],
      [{ bytes: 0 }, 'bytes'],
      [{ requests: 1, colour: 'red' }, 'colour'],
    ] as const) {
      const { status, json } = await house.send('PUT', '/v1/plans/wrong', wrong)
      expect([status, json.errors?.[0]?.option]).toEqual([400, option])
    }
    expect((await house.send('GET', '/v1/plans')).json.plans).toHaveLength(1)
  })

  test('are for the admin alone', async () => {
    const { key } = await minted({ path: '/', methods: ['GET', 'PUT'] })
    for (const path of ['/v1/policies/p', '/v1/plans/p']) {
      expect((await house.send('PUT', path, { rate: '1/s' }, key)).status).toBe(403)
      expect((await house.send('PUT', path, { rate: '1/s' }, null)).status).toBe(401)
    }
    expect((await house.send('PATCH', '/v1/keys/a', { paused: true }, key)).status).toBe(403)
  })
})
