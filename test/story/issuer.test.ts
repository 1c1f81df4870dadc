import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeMac } from '../../key/node-mac.ts'
import { readKey, verifyKey } from '../../key/sign.ts'
import { type IssuerHouse, openIssuer } from '../support/issuer.ts'

describe.each(['memory', 'sqlite'] as const)('the issuer on a %s ledger', (kind) => {
  let house: IssuerHouse
  beforeEach(async () => {
    house = await openIssuer(kind)
  })
  afterEach(() => house.close())

  const grantOf = (key: string) => {
    const named = readKey(key)
    return verifyKey(named, house.keyring.signer(named.kid), nodeMac)
  }

  it('mints a key, remembers it, and forgets its secret', async () => {
    const asked = { path: 'photos/cat.jpg', methods: ['GET'], expiresIn: '1h', subject: 'ann' }
    const minted = await house.send('POST', '/v1/keys', asked)
    expect(minted.status).toBe(201)
    const { id, key, expires } = minted.json
    expect(minted.json).toEqual({
      id,
      key,
      url: `https://files.example/photos/cat.jpg?vk=${key}`,
      path: 'photos/cat.jpg',
      methods: ['GET'],
      expires,
    })
    expect(minted.headers.get('location')).toBe(`/v1/keys/${id}`)
    expect(grantOf(key)).toMatchObject({ id, expires, subjects: ['ann'] })
    expect(expires - house.now()).toBe(3600)

    const shown = await house.send('GET', `/v1/keys/${id}`)
    expect(shown.json).toMatchObject({
      id,
      subjects: ['ann'],
      paths: ['photos/cat.jpg'],
      methods: ['GET'],
      expires,
      issuedBy: 'admin',
      counted: 0,
    })
    expect(shown.text).not.toContain('vk1.')
    expect(house.logged.join('')).not.toContain('vk1.')
    expect(house.logged.join('')).not.toContain(house.token)
  })

  it('mints many, all or none', async () => {
    const asked = Array.from({ length: 1000 }, (_, i) => ({ path: `bkt/${i}` }))
    const minted = await house.send('POST', '/v1/keys', asked)
    expect(minted.status).toBe(201)
    expect(minted.json).toHaveLength(1000)
    expect(minted.json[7]).toMatchObject({ path: 'bkt/7', methods: ['GET'] })

    const refused = await house.send('POST', '/v1/keys', [
      { path: 'none/a' },
      { path: 'none/b', maxSize: 'x' },
      { expiresIn: '8d' },
    ])
    expect(refused.status).toBe(400)
    expect(refused.json.errors.map(({ option }: { option: string }) => option)).toEqual([
      '1.maxSize',
      '2.path',
      '2.expiresIn',
    ])
    for (const list of [[], [...asked, { path: 'bkt/x' }]]) {
      expect((await house.send('POST', '/v1/keys', list)).json.code).toBe('request_malformed')
    }
    expect((await house.send('GET', '/v1/keys?path=none/')).json.keys).toEqual([])
  })

  it('never gives an id twice', async () => {
    const first = await house.send('POST', '/v1/keys', { path: 'bkt/a', id: 'mine' })
    expect(first.json.id).toBe('mine')
    const twin = [
      { path: 'bkt/b', id: 'twin' },
      { path: 'bkt/c', id: 'twin' },
    ]
    for (const body of [{ path: 'bkt/b', id: 'mine' }, twin]) {
      const again = await house.send('POST', '/v1/keys', body)
      expect([again.status, again.json.code]).toEqual([409, 'conflict'])
    }
    await house.send('DELETE', '/v1/keys/gone')
    const revived = await house.send('POST', '/v1/keys', { path: 'bkt/a', id: 'gone' })
    expect(revived.status).toBe(409)
    expect((await house.send('GET', '/v1/keys')).json.keys).toHaveLength(1)
  })

  it('lists keys newest first, page by page, by subject and by path', async () => {
    for (const [index, subject] of ['ann', 'bob', 'ann', 'ann', 'bob'].entries()) {
      await house.send('POST', '/v1/keys', { path: `bkt/${subject}/${index}`, subject })
    }
    const page = await house.send('GET', '/v1/keys?subject=ann&limit=2')
    const paths = page.json.keys.map(({ paths: [path] }: { paths: string[] }) => path)
    expect(paths).toEqual(['bkt/ann/3', 'bkt/ann/2'])
    const rest = await house.send('GET', `/v1/keys?subject=ann&limit=2&after=${page.json.next}`)
    expect(rest.json).toMatchObject({ keys: [{ paths: ['bkt/ann/0'] }], next: null })
    expect((await house.send('GET', '/v1/keys?path=bkt/bob/')).json.keys).toHaveLength(2)
    expect((await house.send('GET', '/v1/keys?limit=5')).json.next).toBeNull()
  })

  it('revokes a key, whether it was minted here or not', async () => {
    const { id, expires } = (await house.send('POST', '/v1/keys', { path: 'bkt/a' })).json
    expect((await house.send('DELETE', `/v1/keys/${id}`)).status).toBe(204)
    expect((await house.send('DELETE', `/v1/keys/${id}`)).status).toBe(204)
    expect((await house.send('DELETE', '/v1/keys/offline')).status).toBe(204)
    expect((await house.send('GET', `/v1/keys/${id}`)).json.revocation).toMatchObject({
      kind: 'id',
      value: id,
      until: expires,
    })
    const { revocations } = (await house.send('GET', '/v1/revocations')).json
    const offline = revocations.find(({ value }: { value: string }) => value === 'offline')
    expect(offline).toEqual({ kind: 'id', value: 'offline', revokedAt: expect.any(Number) })
    expect(revocations).toHaveLength(2)
    expect((await house.send('GET', '/v1/keys/unknown')).json.code).toBe('resource_not_found')
  })

  it('revokes by link: the innermost id, and only of keys of ours', async () => {
    const outer = (await house.send('POST', '/v1/keys', { path: 'bkt/' })).json
    const inner = (await house.send('POST', '/v1/keys', { path: 'bkt/a' }, outer.key)).json
    const revoked = await house.send('POST', '/v1/revocations', { url: inner.url, reason: 'lost' })
    expect(revoked.status).toBe(201)
    expect(revoked.json).toMatchObject({ kind: 'id', value: inner.id, reason: 'lost' })
    expect(revoked.json.until).toBe(outer.expires)
    // an id that a holder chose might be another key's as well, which lives longer
    const byId = await house.send('POST', '/v1/revocations', { id: inner.id })
    expect(byId.json).not.toHaveProperty('until')
    const still = await house.send('POST', '/v1/keys', { path: 'bkt/b' }, outer.key)
    expect(still.status).toBe(201)
    const dead = await house.send('POST', '/v1/keys', { path: 'bkt/a' }, inner.key)
    expect(dead.json.code).toBe('key_revoked')

    const last = outer.key.endsWith('A') ? 'E' : 'A'
    const forged = { url: outer.key.slice(0, -1) + last }
    expect((await house.send('POST', '/v1/revocations', forged)).json.code).toBe(
      'signature_invalid',
    )
  })

  it('revokes by subject, path and moment, as far as minted before', async () => {
    const minted = [
      { path: 'bkt/a/x', subject: 'ann' },
      { path: 'bkt/b/y', subject: 'bob' },
    ]
    const [ann, bob] = (await house.send('POST', '/v1/keys', minted)).json
    const narrow = async (from: { key: string }) =>
      (await house.send('POST', '/v1/keys', {}, from.key)).json.code

    const early = { subject: 'ann', mintedBefore: house.now() - 1000 }
    await house.send('POST', '/v1/revocations', early)
    expect(await narrow(ann)).toBeUndefined()
    const bySubject = await house.send('POST', '/v1/revocations', { subject: 'ann' })
    expect(bySubject.json).toMatchObject({ kind: 'subject', value: 'ann' })
    expect(await narrow(ann)).toBe('key_revoked')
    expect(await narrow(bob)).toBeUndefined()
    await house.send('POST', '/v1/revocations', { path: 'bkt/b/' })
    expect(await narrow(bob)).toBe('key_revoked')

    house.pass(2)
    const carl = (await house.send('POST', '/v1/keys', { path: 'bkt/c' })).json
    house.pass(2)
    const all = await house.send('POST', '/v1/revocations', { mintedBefore: house.now() })
    expect(all.json).toMatchObject({ kind: 'everything', value: '' })
    expect(await narrow(carl)).toBe('key_revoked')
    const future = await house.send('POST', '/v1/revocations', { mintedBefore: '1h' })
    expect(future.json.detail).toMatch(/lies in the future/)
  })

  it('rotates signing keys: what was minted works until the grace ends', async () => {
    const before = (await house.send('POST', '/v1/keys', { path: 'bkt/' })).json
    const rotated = await house.send('POST', '/v1/signing-keys', { grace: '10m' })
    expect(rotated.status).toBe(201)
    const after = (await house.send('POST', '/v1/keys', { path: 'bkt/' })).json
    expect(grantOf(after.key).kid).toBe(rotated.json.kid)
    expect((await house.send('POST', '/v1/keys', {}, before.key)).status).toBe(201)

    const listed = async () => (await house.send('GET', '/v1/signing-keys')).json.signingKeys
    const [depending] = await listed()
    expect(depending.live).toBeGreaterThan(0)
    expect(await listed()).toMatchObject([
      { kid: grantOf(before.key).kid, status: 'retiring', graceEnds: expect.any(Number) },
      { kid: rotated.json.kid, status: 'active' },
    ])
    house.pass(600)
    expect((await house.send('POST', '/v1/keys', {}, before.key)).json.code).toBe('key_revoked')
    expect((await house.send('POST', '/v1/keys', {}, after.key)).status).toBe(201)
    // nothing depends on it any more
    expect(await listed()).toMatchObject([{ issued: depending.issued, live: 0 }, { live: 2 }])
  })

  it('retires and revokes single signing keys', async () => {
    const [only] = (await house.send('GET', '/v1/signing-keys')).json.signingKeys
    const retire = `/v1/signing-keys/${only.kid}/retire`
    const minted = (await house.send('POST', '/v1/keys', { path: 'bkt/' })).json
    expect((await house.send('POST', retire)).json.code).toBe('conflict')
    await house.send('POST', '/v1/signing-keys')
    const retired = await house.send('POST', retire, { grace: 60 })
    expect(retired.json).toMatchObject({ kid: only.kid, status: 'retiring' })
    expect(retired.json.graceEnds - house.now()).toBe(60)

    const revoked = await house.send('POST', `/v1/signing-keys/${only.kid}/revoke`)
    expect(revoked.json).toMatchObject({ kid: only.kid, status: 'revoked' })
    expect((await house.send('POST', '/v1/keys', {}, minted.key)).json.code).toBe('key_revoked')
    expect((await house.send('POST', retire)).json.code).toBe('conflict')
    const none = await house.send('POST', '/v1/signing-keys/nobody/revoke')
    expect(none.json.code).toBe('resource_not_found')

    const active = house.keyring.active().kid
    const last = await house.send('POST', '/v1/revocations', { signingKey: active, reason: 'leak' })
    expect(last.json).toMatchObject({ kind: 'signingKey', value: active, reason: 'leak' })
    const anew = await house.send('POST', '/v1/keys', { path: 'bkt/' })
    expect(grantOf(anew.json.key).kid).not.toBe(active)
  })

  it('answers probes without a token, and says when it can do nothing', async () => {
    expect((await house.send('GET', '/-/health', undefined, null)).json).toEqual({ status: 'ok' })
    expect((await house.send('GET', '/-/ready', undefined, null)).json).toEqual({ status: 'ok' })
    expect((await house.send('HEAD', '/-/health', undefined, null)).status).toBe(200)
  })
})

describe('an issuer that starts', () => {
  it('says so where the address is taken', async () => {
    const house = await openIssuer('memory')
    const listen = `127.0.0.1:${house.issuer.port}`
    await expect(openIssuer('memory', { listen })).rejects.toThrow(/EADDRINUSE.*\[issuer\]/)
    await house.close()
  })

  it('has made its own signing key and token, and takes no more requests once closed', async () => {
    const house = await openIssuer('memory')
    expect(house.keyring.records()).toMatchObject([{ status: 'active', secret: 'file' }])
    expect(house.token).toMatch(/^vkadm_/)
    await house.issuer.close()
    await expect(house.send('GET', '/-/health')).rejects.toThrow()
    await house.close()
  })
})

describe('an issuer whose ledger fails', () => {
  it('refuses, and does not guess', async () => {
    const house = await openIssuer('memory')
    const { key } = (await house.send('POST', '/v1/keys', { path: 'bkt/' })).json
    await house.ledger.close()
    for (const [method, path, body, auth] of [
      ['POST', '/v1/keys', { path: 'bkt/a' }, house.token],
      ['POST', '/v1/keys', { path: 'bkt/a' }, key],
      ['DELETE', '/v1/keys/some', undefined, house.token],
      ['POST', '/v1/revocations', { subject: 'ann' }, house.token],
      ['POST', '/v1/signing-keys', undefined, house.token],
      ['GET', '/-/ready', undefined, null],
    ] as const) {
      const sent = await house.send(method, path, body, auth)
      expect([path, sent.status, sent.json.code]).toEqual([path, 503, 'unavailable'])
      expect(sent.headers.get('retry-after')).toBe('5')
    }
    expect(house.logged.join('')).toContain('the ledger has been closed')
    await house.close()
  })
})
