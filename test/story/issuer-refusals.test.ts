import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROUTES } from '../../issuer/app.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { mintKey, narrowKey } from '../../key/sign.ts'
import { bearer, type IssuerHouse, openIssuer, send, sendRaw } from '../support/issuer.ts'

let house: IssuerHouse
beforeAll(async () => {
  house = await openIssuer()
})
afterAll(() => house.close())

/** A key of ours that nothing was ever asked of: for everything, for an hour. */
const keyFor = (claims: object = {}) =>
  mintKey(
    { jti: 'own', iat: 1, exp: house.now() + 3600, path: '/', methods: ['GET'], ...claims },
    house.keyring.active(),
    nodeMac,
  )

const ADMIN_REQUESTS = ROUTES.filter(({ access }) => access === 'admin').map(
  ({ method, path }) => [method.toUpperCase(), path.replace(/\{\w+\}/, 'some')] as const,
)

describe('who asks', () => {
  it.each([...ADMIN_REQUESTS, ['POST', '/v1/keys'] as const])(
    '%s %s is for nobody without the right credential',
    async (method, path) => {
      const none = await house.send(method, path, undefined, null)
      expect([none.status, none.json.code]).toEqual([401, 'key_missing'])
      expect(none.headers.get('www-authenticate')).toMatch(/^Bearer/)
      for (const wrong of ['wrong', `${house.token}x`, 'vk1sk.a.b', 'vkadm_']) {
        const sent = await house.send(method, path, undefined, wrong)
        expect([sent.status, sent.json.code]).toEqual([401, 'token_invalid'])
        expect(sent.text).not.toContain(house.token)
      }
    },
  )

  it.each(ADMIN_REQUESTS)('%s %s is not for the holder of a key', async (method, path) => {
    const sent = await house.send(method, path, undefined, keyFor())
    expect([sent.status, sent.json.code]).toEqual([403, 'method_not_granted'])
  })

  it.each([
    ['Basic YTpi', 'key_missing'],
    ['Bearer', 'key_missing'],
    ['Bearer ', 'key_missing'],
    ['Bearer a b', 'key_missing'],
    ['Bearer vk1.x', 'key_malformed'],
    ['Bearer vk1.e30.x', 'key_malformed'],
  ])('Authorization: %s', async (header, code) => {
    const url = `${house.issuer.url}/v1/keys`
    const sent = await send(url, 'POST', { path: 'bkt/a' }, { Authorization: header })
    expect(sent.json.code).toBe(code)
  })

  it('takes the scheme in any case, as RFC 9110 has it, and one header only', async () => {
    const { url } = house.issuer
    const lower = await sendRaw(url, '/v1/keys', ['Authorization', `bearer ${house.token}`])
    expect(lower.status).toBe(200)
    const header = ['Authorization', `Bearer ${house.token}`]
    const twice = await sendRaw(url, '/v1/keys', [...header, ...header])
    expect(JSON.parse(twice.body).code).toBe('key_ambiguous')
  })

  it('does not take a credential from the query or a cookie', async () => {
    const path = `/v1/keys?vk=${keyFor()}&access_token=${house.token}`
    expect((await house.send('POST', path, { path: 'bkt/a' }, null)).json.code).toBe('key_missing')
    const sent = await sendRaw(house.issuer.url, '/v1/keys', ['Cookie', `vk=${keyFor()}`])
    expect(JSON.parse(sent.body).code).toBe('key_missing')
  })

  it('says nothing of a request to who may not make it', async () => {
    const sent = await house.send('POST', '/v1/revocations', '{"nonsense"', null)
    expect(sent.json.code).toBe('key_missing')
  })
})

describe('the holder of a key', () => {
  const ask = (options: object, key: string) => house.send('POST', '/v1/keys', options, key)

  it('gets that key, narrowed, and it is remembered', async () => {
    const key = keyFor({ jti: 'parent', sub: 'app', path: 'app/', methods: ['GET', 'PUT'] })
    const sent = await ask({ path: 'app/ann/', methods: 'PUT', subject: 'ann', uses: 2 }, key)
    expect(sent.status).toBe(201)
    expect(sent.json).toMatchObject({
      path: 'app/ann/',
      methods: ['PUT'],
      expires: house.now() + 3600,
      url: `https://files.example/app/ann/?vk=${sent.json.key}`,
    })
    expect(sent.json.key.startsWith(key.slice(0, key.lastIndexOf('.')))).toBe(true)
    const shown = await house.send('GET', `/v1/keys/${sent.json.id}`)
    expect(shown.json).toMatchObject({
      issuedBy: 'key parent',
      subjects: ['app', 'ann'],
      paths: ['app/ann/'],
      uses: 2,
    })
  })

  it('gets what the key itself says, where nothing else is asked', async () => {
    const key = keyFor({ path: ['app/a', 'app/b/'], methods: ['LIST'] })
    const sent = await ask({}, key)
    expect(sent.json).toMatchObject({ path: ['app/a', 'app/b/'], methods: ['LIST'] })
    expect((await house.send('POST', '/v1/keys', undefined, key)).status).toBe(201)
  })

  it('gets many at once, or none', async () => {
    const key = keyFor({ path: 'app/' })
    const many = await house.send('POST', '/v1/keys', [{ path: 'app/a' }, { path: 'app/b' }], key)
    expect(many.json).toHaveLength(2)
    const none = await house.send('POST', '/v1/keys', [{ path: 'app/c' }, { path: 'b/' }], key)
    expect(none.status).toBe(400)
    expect((await house.send('GET', '/v1/keys?path=app/c')).json.keys).toEqual([])
  })

  const HELD = {
    path: 'app/',
    methods: ['GET', 'PUT'],
    size: [5, 10],
    types: ['image/*'],
    sha256: 'a'.repeat(64),
    create: true,
    uses: 2,
    ip: ['10.0.0.0/8'],
    origins: ['https://a.example'],
    headers: { 'X-Team': 'blue' },
    tls: true,
    respond: { 'content-disposition': 'attachment' },
    ttl: 60,
  }
  it.each<[string, object]>([
    ['path', { path: 'apple/' }],
    ['path', { path: '/' }],
    ['methods', { methods: 'DELETE' }],
    ['exp', { expiresIn: '2h' }],
    ['nbf', { notBefore: 0 }],
    ['size', { maxSize: 11 }],
    ['size', { minSize: 4 }],
    ['types', { types: 'text/html' }],
    ['sha256', { sha256: 'b'.repeat(64) }],
    ['create', { overwrite: true }],
    ['uses', { uses: 3 }],
    ['ip', { ip: '0.0.0.0/0' }],
    ['origins', { origins: 'https://b.example' }],
    ['headers', { headers: 'x-team: red' }],
    ['tls', { tls: false }],
    ['respond', { inline: true }],
    ['ttl', { ttl: '1h' }],
  ])('can not widen %s: %j', async (claim, options) => {
    const sent = await ask(options, keyFor({ ...HELD, nbf: house.now() - 5 }))
    expect([sent.status, sent.json.code]).toEqual([403, 'claim_not_granted'])
    expect(sent.json.detail).toContain(`"${claim}"`)
  })

  it('can not take the id of the key, nor one that is taken', async () => {
    expect((await ask({ id: 'own' }, keyFor())).json.code).toBe('conflict')
    expect((await ask({ id: 'first' }, keyFor())).status).toBe(201)
    expect((await ask({ id: 'first' }, keyFor())).json.code).toBe('conflict')
  })

  it('can not narrow for ever', async () => {
    let key = keyFor()
    for (let blocks = 1; blocks < 8; blocks += 1) key = narrowKey(key, { tls: true }, nodeMac)
    expect((await ask({}, key)).json).toMatchObject({
      code: 'key_malformed',
      detail: expect.stringContaining('at most 8 blocks'),
    })
  })

  it('is refused with a key that is forged, expired, foreign, or of a revoked path', async () => {
    const key = keyFor()
    const forged = key.replace(/.$/, (last: string) => (last === 'A' ? 'E' : 'A'))
    const claims = { jti: 'x', exp: house.now() + 60, path: '/', methods: ['GET' as const] }
    const foreign = mintKey(claims, { kid: 'foreign', secret: randomBytes(32) }, nodeMac)
    const { kid } = house.keyring.active()
    const impostor = mintKey(claims, { kid, secret: randomBytes(32) }, nodeMac)
    const expired = narrowKey(keyFor(), { exp: house.now() }, nodeMac)
    for (const [text, code] of [
      [forged, 'signature_invalid'],
      [foreign, 'signature_invalid'],
      [impostor, 'signature_invalid'],
      [expired, 'key_expired'],
    ] as const) {
      const sent = await ask({ path: 'bkt/a' }, text)
      expect([sent.status, sent.json.code]).toEqual([403, code])
    }
    await house.send('POST', '/v1/revocations', { path: 'closed/' })
    expect((await ask({ path: 'closed/a' }, keyFor())).json.code).toBe('key_revoked')
    expect((await ask({ path: 'open/a' }, keyFor())).status).toBe(201)
  })
})

describe('what is sent', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'request_malformed'],
    ['no JSON', 'path=bkt/a', 'request_malformed'],
    ['half of it', '{"path":"bkt/a"', 'request_malformed'],
    ['two of it', '{"path":"bkt/a"}{"path":"bkt/b"}', 'request_malformed'],
    ['text', '"bkt/a"', 'request_malformed'],
    ['null', 'null', 'request_malformed'],
    ['a list of lists', '[[{"path":"bkt/a"}]]', 'request_malformed'],
    ['a member twice', '{"path":"bkt/a","path":"bkt/b"}', 'request_malformed'],
    ['a member twice, escaped', '{"path":"bkt/a","p\\u0061th":"bkt/b"}', 'request_malformed'],
    ['no UTF-8', Buffer.from('{"path":"bkt/\xff"}', 'latin1'), 'request_malformed'],
    ['a lone surrogate', '{"path":"bkt/\\ud800"}', 'request_malformed'],
    ['an abyss', '['.repeat(400_000), 'request_malformed'],
    ['a deep pit', `${'['.repeat(400_000)}${']'.repeat(400_000)}`, 'request_malformed'],
    ['a prototype', '{"__proto__":{"path":"bkt/a"}}', 'request_malformed'],
    ['a mebibyte', `{"path":"bkt/a"}${' '.repeat(2 ** 20 - 16)}`, ''],
    ['a byte more', `{"path":"bkt/a"}${' '.repeat(2 ** 20 - 15)}`, 'too_large'],
    [
      'a key too long',
      JSON.stringify({ path: 'bkt/a', match: '*'.repeat(257) }),
      'request_malformed',
    ],
    [
      'too much for a key',
      JSON.stringify({ path: Array.from({ length: 16 }, (_, i) => `bkt/${'x'.repeat(400)}${i}`) }),
      'key_malformed',
    ],
  ])('%s', async (_, body, code) => {
    const sent = await house.send('POST', '/v1/keys', body)
    if (code === '') return expect(sent.status).toBe(201)
    expect(sent.json.code).toBe(code)
    expect(sent.headers.get('content-type')).toBe('application/problem+json')
    expect(sent.text.length).toBeLessThan(5000)
  })

  it.each<[string, object, string]>([
    ['/v1/revocations', {}, 'id'],
    ['/v1/revocations', { id: 'a', subject: 'b' }, 'subject'],
    ['/v1/revocations', { id: 'a', mintedBefore: 5 }, 'mintedBefore'],
    ['/v1/revocations', { id: 'a b' }, 'id'],
    ['/v1/revocations', { path: '/a' }, 'path'],
    ['/v1/revocations', { subject: 'a', mintedBefore: 'whenever' }, 'mintedBefore'],
    ['/v1/revocations', { id: 'a', why: 'b' }, 'why'],
    ['/v1/revocations', { id: 'a', reason: 'x'.repeat(257) }, 'reason'],
    ['/v1/signing-keys', { grace: 'long' }, 'grace'],
    ['/v1/signing-keys', { grace: -1 }, 'grace'],
    ['/v1/signing-keys', { secret: 'x' }, 'secret'],
  ])('%s %j', async (path, body, option) => {
    const sent = await house.send('POST', path, body)
    expect(sent.json.code).toBe('request_malformed')
    expect(sent.json.errors).toEqual([{ option, message: expect.any(String) }])
  })

  it('is told what was expected, also where that may be one of several shapes', async () => {
    const { errors } = (await house.send('PATCH', '/v1/keys/any', { ip: 5, expires: null })).json
    expect(errors).toEqual([
      { option: 'expires', message: 'Invalid input: expected string or number' },
      { option: 'ip', message: 'Invalid input: expected string or array' },
    ])
  })

  it('has all its mistakes listed', async () => {
    const sent = await house.send('GET', '/v1/keys?limit=0&after=a%20b&path=/a&colour=red')
    expect(sent.json.errors.map(({ option }: { option: string }) => option).sort()).toEqual(
      ['after', 'colour', 'limit', 'path'].sort(),
    )
    expect((await house.send('GET', '/v1/keys?limit=1&limit=2')).json.errors).toHaveLength(1)
  })

  it('is dropped where it is cut off, and nothing is minted', async () => {
    const before = (await house.send('GET', '/v1/keys?path=cut/')).json.keys.length
    const { port } = house.issuer
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        const body = JSON.stringify({ path: 'cut/a' })
        const head = `POST /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${house.token}`
        socket.write(`${head}\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`)
        socket.end()
      })
      socket.on('close', () => resolve())
      socket.resume()
    })
    expect((await house.send('GET', '/v1/keys?path=cut/')).json.keys).toHaveLength(before)
  })
})

describe('where it is sent', () => {
  it.each([
    ['/v1', 'resource_not_found'],
    ['/v1/keys/a/b', 'resource_not_found'],
    ['/v1/keys/', 'path_malformed'],
    ['//v1/keys', 'path_malformed'],
    ['/v1/./keys', 'path_malformed'],
    ['/-/../v1/keys', 'path_malformed'],
    ['/-/%2e%2e/v1/keys', 'path_malformed'],
    ['/v1/keys/%61', 'path_malformed'],
    ['/v1\\keys', 'request_malformed'],
    ['http://elsewhere.example/v1/keys', 'path_malformed'],
    [`/v1/keys?${'x'.repeat(8192)}`, 'uri_too_long'],
  ])('GET %s', async (path, code) => {
    const sent = await sendRaw(house.issuer.url, path, ['Authorization', `Bearer ${house.token}`])
    expect(JSON.parse(sent.body).code).toBe(code)
  })

  it('says so where a Host is none', async () => {
    const { port } = house.issuer
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(text))
      socket.end('GET /-/health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"code":"request_malformed"')
  })

  it('refuses more header fields than anybody needs', async () => {
    const many = Array.from({ length: 100 }, (_, i) => [`X-${i}`, '1']).flat()
    const sent = await sendRaw(house.issuer.url, '/-/health', many)
    expect(sent.status).toBe(431)
  })

  it('refuses what it can not even read in the same form as all else', async () => {
    const { status, body } = await sendRaw(
      house.issuer.url,
      `/v1/keys?after=${'x'.repeat(20_000)}`,
      [],
    )
    expect([status, JSON.parse(body)]).toEqual([
      431,
      expect.objectContaining({ code: 'headers_too_large', status: 431 }),
    ])
    const { port } = new URL(house.issuer.url)
    const answer = await new Promise<string>((resolve, reject) => {
      const chunks: Buffer[] = []
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write('no HTTP at all\r\n\r\n'),
      )
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.once('error', reject)
      socket.once('close', () => resolve(Buffer.concat(chunks).toString()))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(answer).toContain('"code":"request_malformed"')
  })

  it('takes null for no set of options', async () => {
    for (const path of ['/v1/policies/readers', '/v1/plans/free']) {
      const sent = await house.send('PUT', path, null)
      expect([sent.status, sent.json.code]).toEqual([400, 'request_malformed'])
    }
    expect((await house.send('GET', '/v1/policies/readers')).status).toBe(404)
  })

  it('names the methods that a path takes', async () => {
    for (const [method, path, allow] of [
      ['PUT', '/v1/keys', 'POST, GET, HEAD'],
      ['PUT', '/v1/keys/some', 'GET, HEAD, PATCH, DELETE'],
      ['DELETE', '/v1/revocations', 'POST, GET, HEAD'],
      ['GET', '/v1/signing-keys/some/retire', 'POST'],
      ['OPTIONS', '/v1/signing-keys', 'GET, HEAD, POST'],
      ['POST', '/openapi.json', 'GET, HEAD'],
    ] as const) {
      const sent = await house.send(method, path)
      expect([sent.status, sent.json?.code]).toEqual([405, 'method_not_allowed'])
      expect(sent.headers.get('allow')).toBe(allow)
    }
  })

  it('gives every answer an id and keeps it out of caches', async () => {
    const answers = [
      await house.send('GET', '/v1/keys'),
      await house.send('DELETE', '/v1/keys/some'),
      await house.send('GET', '/nowhere'),
      await house.send('GET', '/openapi.json', undefined, null),
      await house.send('GET', '/v1/keys', undefined, null),
    ]
    const ids = answers.map(({ headers }) => headers.get('x-request-id'))
    expect(new Set(ids).size).toBe(answers.length)
    for (const { headers } of answers) expect(headers.get('cache-control')).toBe('no-store')
    expect(answers[4]?.json.requestId).toBe(ids[4])
    expect(answers[4]?.json.type).toBe('urn:valetkey:refusal:key_missing')
    expect(house.logged.join('')).toContain(ids[4])
  })

  it('keeps a key out of the log that was sent where its id belongs', async () => {
    const key = keyFor()
    const sent = await house.send('DELETE', `/v1/keys/${key}`)
    expect(sent.json.code).toBe('request_malformed')
    await house.send('GET', `/${key}`)
    expect(house.logged.join('')).not.toContain(key)
    expect(house.logged.join('')).toContain('/v1/keys/{id}')
  })

  it('answers no web page: no CORS', async () => {
    const headers = { ...bearer(house.token), Origin: 'https://evil.example' }
    const sent = await send(`${house.issuer.url}/v1/keys`, 'GET', undefined, headers)
    expect(sent.headers.get('access-control-allow-origin')).toBeNull()
  })
})
