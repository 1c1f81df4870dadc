/** Whole requests, signed by our own presigner and by hand, and everything that may be wrong with them. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeHashing } from '../../../../key/dialects/node-sigv4.ts'
import {
  canonicalRequest,
  formatDateTime,
  parseDateTime,
  reencodedPath,
  signature,
  signingKeyOf,
  stringToSign,
  uriEncode,
} from '../../../../key/dialects/sigv4.ts'
import { addressesOf } from '../../../../key/dialects/sigv4-address.ts'
import { claimSigV4, type SigV4Request } from '../../../../key/dialects/sigv4-claim.ts'
import { presignedId } from '../../../../key/dialects/sigv4-credential.ts'
import { type PresignRequest, presign } from '../../../../key/dialects/sigv4-presign.ts'
import { Refusal } from '../../../../key/refusal.ts'
import type { UnixSeconds } from '../../../../key/units.ts'
import { requestOf, vectorKey, vectorSigner, vectors, verified } from '../../../support/sigv4.ts'
import { codeOf } from '../refusals.ts'

const NOW = 1_800_000_000 as UnixSeconds
const HOST = 'files.example.com'

const credential = { accessKeyId: vectors.accessKeyId, dateKey: vectorKey }

/** A presigned URL of ours, as a request. */
function presigned(
  over: Partial<PresignRequest> = {},
  headers: readonly string[] = [],
): SigV4Request {
  const method = over.method ?? 'GET'
  const publicUrl = over.publicUrl ?? `https://${HOST}`
  const url = presign(
    {
      credential,
      region: 'eu-west-1',
      now: NOW,
      expires: 60,
      target: '/bucket/a',
      ...over,
      method,
      publicUrl,
    },
    nodeHashing,
  )
  return {
    method,
    target: url.slice(`https://${HOST}`.length),
    rawHeaders: ['Host', HOST, ...headers],
  }
}

/** A request signed in its header. */
function signed(
  headers: Readonly<Record<string, string>> = {},
  { method = 'PUT', target = '/bucket/a?x=1', service = 's3', signs = Object.keys(headers) } = {},
): SigV4Request {
  const dateTime = formatDateTime(NOW)
  const all: Record<string, string> = {
    host: HOST,
    'x-amz-date': dateTime,
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    ...headers,
  }
  const names = ['host', 'x-amz-date', 'x-amz-content-sha256', ...signs]
  const scope = { date: dateTime.slice(0, 8), region: 'eu-west-1', service }
  const [path = '', query = ''] = target.split('?')
  const canonical = canonicalRequest({
    method,
    path,
    query: query === '' ? [] : query.split('&').map((pair) => pair.split('=') as [string, string]),
    headers: [...new Set(names)].map((name) => [name, [all[name] ?? '']]),
    payloadHash: all['x-amz-content-sha256'] ?? '',
  })
  const toSign = stringToSign(dateTime, scope, canonical, nodeHashing)
  const made = signature(signingKeyOf(vectorKey, scope, nodeHashing.mac), toSign, nodeHashing.mac)
  const list = [...new Set(names)].sort().join(';')
  const authorization = `AWS4-HMAC-SHA256 Credential=${vectors.accessKeyId}/${scope.date}/${scope.region}/${service}/aws4_request, SignedHeaders=${list}, Signature=${made}`
  return {
    method,
    target,
    rawHeaders: [...Object.entries(all).flat(), 'Authorization', authorization],
  }
}

/** The code with which a request is refused; undefined where it is let in. */
const code = (request: SigV4Request, over = {}) =>
  codeOf(() => verified(request, over) ?? notClaimed())
/** What is not SigV4 at all is for others to refuse: to them it has no key. */
const notClaimed = () => {
  throw new Refusal('key_missing', '')
}
const replaced = (request: SigV4Request, from: string | RegExp, to: string): SigV4Request => {
  const target = request.target.replace(from, to)
  const rawHeaders = request.rawHeaders.map((text) => text.replace(from, to))
  expect([target, ...rawHeaders]).not.toEqual([request.target, ...request.rawHeaders])
  return { ...request, target, rawHeaders }
}

describe('a good signature', () => {
  test('becomes a grant of the ceiling and the request', () => {
    const ceiling = { path: 'bucket/', sub: 'ann', jti: 'ceiling-1' }
    const request = presigned({ query: [['response-content-type', 'text/plain']] })
    const { grant, payload, host } =
      verified(request, { lookup: () => vectorSigner({ ceiling }) }) ?? {}
    const made = new URLSearchParams(request.target).get('X-Amz-Signature') ?? ''
    const id = presignedId(made, nodeHashing)
    expect(grant).toEqual({
      kid: vectors.accessKeyId,
      id,
      grantedId: vectors.accessKeyId,
      grantedTo: 'ann',
      policies: [],
      ids: [vectors.accessKeyId, id, 'ceiling-1'],
      subjects: ['ann'],
      issuedAt: NOW,
      expires: NOW + 60,
      blocks: [
        ceiling,
        { nbf: NOW - 840, exp: NOW + 60, respond: { 'content-type': 'text/plain' } },
      ],
    })
    expect(payload).toEqual({ kind: 'unsigned' })
    expect(host).toBe(HOST)
  })

  test('in the header, it is good for a quarter of an hour, both ways', () => {
    const { grant } = verified(signed()) ?? {}
    expect(grant?.blocks).toEqual([{ nbf: NOW - 840, exp: NOW + 900 }])
    expect(grant?.id).toBe(vectors.accessKeyId)
    expect(grant?.ids).toEqual([vectors.accessKeyId])
  })

  test('says what the body must be', () => {
    const of = (payload: string) => verified(signed({ 'x-amz-content-sha256': payload }))?.payload
    const hash = 'ab'.repeat(32)
    expect(of('UNSIGNED-PAYLOAD')).toEqual({ kind: 'unsigned' })
    expect(of(hash)).toEqual({ kind: 'sha256', sha256: hash })
    expect(of('STREAMING-UNSIGNED-PAYLOAD')).toEqual({ kind: 'streaming', trailer: false })
    expect(of('STREAMING-UNSIGNED-PAYLOAD-TRAILER')).toEqual({ kind: 'streaming', trailer: true })
    for (const [name, trailer] of [
      ['PAYLOAD', false],
      ['PAYLOAD-TRAILER', true],
    ] as const) {
      const found = of(`STREAMING-AWS4-HMAC-SHA256-${name}`)
      expect(found).toEqual({ kind: 'streaming', trailer, chain: expect.any(Function) })
    }
  })

  test('hoisted headers come out of the query', () => {
    const query = [
      ['x-amz-meta-Colour', 'blue + red'],
      ['x-id', 'PutObject'],
    ] as const
    const { hoisted } = verified(presigned({ method: 'PUT', query })) ?? {}
    expect(Object.fromEntries(hoisted ?? [])).toEqual({ 'x-amz-meta-colour': 'blue + red' })
  })

  test('no signature at all is no claim', () => {
    expect(claimSigV4({ method: 'GET', target: '/a?vk=1', rawHeaders: ['Host', HOST] })).toBe(
      undefined,
    )
    const bearer = { method: 'GET', target: '/a', rawHeaders: ['Authorization', 'Bearer vk1.a.b'] }
    expect(claimSigV4(bearer)).toBe(undefined)
    const junk = { method: 'GET', target: '/a?vk=1&%ff=%&a#', rawHeaders: ['Host', HOST] }
    expect(claimSigV4(junk)).toBe(undefined)
  })
})

describe('one flipped character is refused', () => {
  const requests = [
    ...vectors.requests.map((vector) => [vector.name, requestOf(vector)] as const),
    [
      'presigned PUT with signed headers',
      presigned(
        { method: 'PUT', headers: { 'if-none-match': '*' }, query: [['x-amz-meta-a', 'b']] },
        ['If-None-Match', '*'],
      ),
    ] as const,
  ]

  const flips = (text: string): readonly string[] =>
    [...text].map((character, index) => {
      const other = character === '1' ? '2' : '1'
      return text.slice(0, index) + other + text.slice(index + 1)
    })

  test.each(requests)('in the target: %s', (_, request) => {
    expect(code(request)).toBeUndefined()
    for (const target of flips(request.target)) {
      const found = code({ ...request, target })
      expect(found, target).toMatch(/^(?:signature_invalid|key_malformed|key_missing)$/)
    }
  })

  test.each(requests)('in the method: %s', (_, request) => {
    for (const method of ['DELETE', 'POST', 'HEAD']) {
      expect(code({ ...request, method })).toBe('signature_invalid')
    }
  })

  test.each(requests)('in a signed header: %s', (_, request) => {
    const names = claimSigV4(request)?.signedHeaders ?? []
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      const name = (request.rawHeaders[i] ?? '').toLowerCase()
      if (!names.includes(name) && name !== 'authorization') continue
      for (const value of flips(request.rawHeaders[i + 1] ?? '')) {
        const rawHeaders = request.rawHeaders.with(i + 1, value)
        const found = code({ ...request, rawHeaders })
        expect(found, `${name}: ${value}`).toBeDefined()
      }
      if (name === 'authorization') continue
      const rawHeaders = request.rawHeaders.toSpliced(i, 2)
      expect(code({ ...request, rawHeaders }), `without ${name}`).toBeDefined()
    }
  })

  test('any other secret, region, date or service', () => {
    const other = { lookup: () => ({ ...vectorSigner(), dateKey: () => new Uint8Array(32) }) }
    expect(code(presigned(), other)).toBe('signature_invalid')
    expect(code(replaced(signed(), 'eu-west-1', 'eu-west-2'))).toBe('signature_invalid')
    expect(code(signed({}, { service: 'sts' }))).toBe('signature_invalid')
    expect(code(signed(), { service: 'sts' })).toBe('signature_invalid')
  })
})

describe('nothing is told before the signature is good', () => {
  test('an access key that is not there, or is none, is refused as any wrong signature is', () => {
    const native = { ...vectorSigner() }
    const { dateKey: _, ...none } = native
    for (const lookup of [() => undefined, () => none]) {
      expect(code(presigned(), { lookup })).toBe('signature_invalid')
      expect(code(signed(), { lookup })).toBe('signature_invalid')
    }
  })

  test('not even that a header was not signed', () => {
    const request = signed({ 'x-amz-copy-source': '/bucket/secret' }, { signs: [] })
    expect(code(request)).toBe('header_not_granted')
    expect(code(replaced(request, /Signature=./, 'Signature=x'))).toBe('key_malformed')
    expect(code(replaced(request, /Signature=..../, 'Signature=0000'))).toBe('signature_invalid')
  })
})

describe('headers', () => {
  test.each(['x-amz-copy-source', 'X-AMZ-ACL', 'x-amz-meta-a'])(
    'unsigned %s is refused',
    (name) => {
      expect(code(presigned({}, [name, 'x']))).toBe('header_not_granted')
    },
  )

  test('unsigned ones of others may come along', () => {
    const headers = ['Range', 'bytes=0-1', 'X-Amzn-Trace-Id', 'x', 'Content-Type', 'a/b']
    expect(code(presigned({}, headers))).toBeUndefined()
  })

  describe.each([
    ['x-amz-meta-a', 'é+ b'],
    ['content-type', 'image/png'],
    ['cache-control', 'max-age=1'],
    ['content-md5', 'nU58Gy4z0A=='],
  ])('%s in the query of a presigned URL', (name, text) => {
    const latin1 = Buffer.from(text).toString('latin1')
    const query = [[name, text]] as const
    const both = { query, headers: { [name]: latin1 } }
    const found = (request: SigV4Request) => Object.fromEntries(verified(request)?.hoisted ?? [])

    test('stands for the header, also for one that is signed', () => {
      expect(found(presigned({ query }))).toEqual({ [name]: text })
      expect(found(presigned(both))).toEqual({ [name]: text })
      const twice = presigned({ query: [...query, [name.toUpperCase(), text]] })
      expect(code(twice)).toBe('key_malformed')
    })

    test('may be a header, too, if it says the same', () => {
      expect(found(presigned(both, [name, latin1]))).toEqual({})
      expect(code(presigned(both, [name, `${latin1}x`]))).toBe('signature_invalid')
      expect(code(presigned(both, [name, '']))).toBe('signature_invalid')
      expect(code(presigned({ ...both, headers: { [name]: 'x' } }, [name, 'x']))).toBe(
        'key_malformed',
      )
      expect(code(presigned({ query }, [name, `${latin1}x`]))).toBe(
        name.startsWith('x-amz-') ? 'header_not_granted' : 'key_malformed',
      )
      const sentTwice = [name, latin1, name, latin1]
      expect(code(presigned({ query }, sentTwice))).toBe(
        name.startsWith('x-amz-') ? 'header_not_granted' : 'key_malformed',
      )
    })

    test('is signed', () => {
      const request = presigned(both)
      const other = request.target.replace(new RegExp(`([?&]${name}=)`), '$1x')
      expect(code({ ...request, target: other })).toBe('signature_invalid')
      const without = request.target.replace(new RegExp(`&?${name}=[^&]*`), '')
      expect(code({ ...request, target: without })).toBe('signature_invalid')
      expect(code({ ...request, target: without, rawHeaders: ['Host', HOST, name, latin1] })).toBe(
        'signature_invalid',
      )
    })
  })

  test('one that is signed and neither sent nor in the query is refused', () => {
    expect(code(presigned({ headers: { 'x-amz-meta-a': '' } }))).toBe('signature_invalid')
  })

  test('blanks are collapsed, several values joined', () => {
    const request = signed({ 'x-amz-meta-a': 'one  two', 'x-amz-meta-b': 'one,two' })
    const blanks = replaced(request, 'one  two', '  one \t two ')
    expect(code(blanks)).toBeUndefined()
    const at = request.rawHeaders.indexOf('x-amz-meta-b')
    const rawHeaders = request.rawHeaders.toSpliced(
      at,
      2,
      'X-Amz-Meta-B',
      'one',
      'x-amz-meta-b',
      'two',
    )
    expect(code({ ...request, rawHeaders })).toBeUndefined()
  })

  test('beyond ASCII they may have been signed as Latin-1 or as UTF-8', () => {
    const latin1 = signed({ 'x-amz-meta-a': 'é' })
    expect(code(latin1)).toBeUndefined()
    expect(code(replaced(latin1, 'é', 'Ã©'))).toBeUndefined()
    expect(code(replaced(latin1, 'é', 'è'))).toBe('signature_invalid')
  })

  test('the payload hash of a request to STS is that of its body, whatever it states', () => {
    const hash = 'ab'.repeat(32)
    const options = { service: 'sts', method: 'POST', target: '/' }
    const request = signed({ 'x-amz-content-sha256': hash }, options)
    expect(code(request, { service: 'sts', bodySha256: hash })).toBeUndefined()
    expect(code(request, { service: 'sts', bodySha256: 'cd'.repeat(32) })).toBe('signature_invalid')
    expect(code(request, { service: 'sts' })).toBe('signature_invalid')
    const unsigned = signed({}, options)
    expect(code(unsigned, { service: 'sts', bodySha256: hash })).toBe('signature_invalid')
  })
})

describe('form', () => {
  const twice = 'AWS4-HMAC-SHA256 Credential=x'
  test.each<[string, SigV4Request]>([
    ['another algorithm', replaced(presigned(), 'AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256')],
    ['an expiry of more than 7 days', replaced(presigned(), 'Expires=60', 'Expires=604801')],
    ['a negative expiry', replaced(presigned(), 'Expires=60', 'Expires=-60')],
    ['no expiry', replaced(presigned(), '&X-Amz-Expires=60', '')],
    [
      'a parameter twice',
      replaced(presigned(), '&X-Amz-Expires=60', '&X-Amz-Expires=60&x-amz-expires=61'),
    ],
    ['a date that is none', replaced(presigned(), /Date=\d{8}/, 'Date=20270231')],
    ['a credential of another day', replaced(presigned(), /%2F\d{8}/, '%2F20270117')],
    ['a credential of three parts', replaced(presigned(), '%2Faws4_request', '')],
    [
      'an override that is no header',
      presigned({ query: [['response-content-type', 'a\r\nb: c']] }),
    ],
    ['a hoisted header that is none', presigned({ query: [['x-amz-meta-a', 'a\nb']] })],
    ['no signed host', replaced(presigned(), 'SignedHeaders=host', 'SignedHeaders=date')],
    [
      'a signature in upper case',
      replaced(presigned(), /Signature=.*/, `Signature=${'A'.repeat(64)}`),
    ],
    [
      'bytes that are no UTF-8',
      replaced(presigned(), 'X-Amz-Expires=60', 'X-Amz-Expires=60&%ff=1'),
    ],
    ['a fragment', replaced(presigned(), '/bucket/a', '/bucket/a#b')],
    ['SigV2', { ...presigned(), target: '/bucket/a', rawHeaders: ['Authorization', 'AWS a:b'] }],
    ['an unknown streaming form', replaced(signed(), 'UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED')],
    ['no date', replaced(signed(), 'x-amz-date', 'y-amz-date')],
    ['a field twice', replaced(signed(), 'Signature=', 'Signature=1,Signature=')],
  ])('%s is refused', (_, request) => {
    expect(code(request)).toBe('key_malformed')
  })

  test('signed twice is refused', () => {
    for (const authorization of [twice, 'Bearer vk1.a.b']) {
      const rawHeaders = ['Host', HOST, 'Authorization', authorization]
      expect(code({ ...presigned(), rawHeaders })).toBe('key_ambiguous')
    }
    const request = signed()
    const rawHeaders = [...request.rawHeaders, 'Authorization', twice]
    expect(code({ ...request, rawHeaders })).toBe('key_ambiguous')
  })

  test('a session token that is no key is refused', () => {
    const request = presigned({ credential: { ...credential, sessionToken: 'FwoGZX' } })
    expect(code(request)).toBe('key_malformed')
  })
})

describe('paths', () => {
  const keys = [
    'a',
    '/a',
    'a//b',
    '../a',
    'a/./b',
    "a b+c'd(é)*!.txt",
    'a%2Fb',
    'é/ü',
    '~a-b_c.d',
    'a?b#c',
    'a/',
  ]
  const target = (key: string) => `/bucket/${key.split('/').map(uriEncode).join('/')}`

  test.each(keys)('%s, as it was sent', (key) => {
    expect(code(presigned({ target: target(key) }))).toBeUndefined()
  })

  const unescaped = (text: string) => decodeURIComponent(text)

  test.each(keys)('%s, encoded anew by a proxy', (key) => {
    const request = presigned({ target: target(key) })
    const [path = '', query = ''] = request.target.split('?')
    const lower = path
      .replace(/%(?:27|28|29|2A|21)/g, unescaped)
      .replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())
    expect(code({ ...request, target: `${lower}?${query}` })).toBeUndefined()
  })

  test('encoding anew changes nothing that is encoded as it should be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(text.isWellFormed())
        const path = text.split('/').map(uriEncode).join('/')
        expect(reencodedPath(path)).toBe(path)
      }),
    )
  })

  test('dates are read as they are written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (time) => {
        expect(parseDateTime(formatDateTime(time as UnixSeconds))).toBe(time)
      }),
    )
    for (const text of ['20270230T000000Z', '20270101T240000Z', '2027-01-01T00:00:00Z', '']) {
      expect(parseDateTime(text)).toBeUndefined()
    }
  })
})

describe('addresses', () => {
  const through = (host: string, addressed: Omit<Parameters<typeof addressesOf>[0], 'host'>) => ({
    addresses: addressesOf({ host, ...addressed }),
  })
  const none = { publicUrls: [] }

  test('the public URL that was signed for, whatever host the proxy sends', () => {
    const publicUrls = ['https://other.example.com', `https://${HOST}`]
    expect(code(presigned(), through('10.0.0.1:8080', none))).toBe('signature_invalid')
    expect(code(presigned(), through('10.0.0.1:8080', { publicUrls }))).toBeUndefined()
  })

  test('what a trusted proxy says', () => {
    const forwarded = { host: HOST, port: '8443' }
    const request = presigned({ publicUrl: `https://${HOST}:8443` })
    const target = request.target.slice(':8443'.length)
    expect(
      code({ ...request, target }, through('10.0.0.1', { publicUrls: [], forwarded })),
    ).toBeUndefined()
    expect(code({ ...request, target }, through('10.0.0.1', none))).toBe('signature_invalid')
  })

  test.each([
    ['/files', '/files'],
    ['/files/more///', '/files/more'],
    [' /files , /other', '/files'],
    [`/${'x'.repeat(255)}`, `/${'x'.repeat(255)}`],
    [`/${'x'.repeat(256)}`, ''],
    [`${'/'.repeat(250)}x`, ''],
    ['/a//b', ''],
    ['/', ''],
    ['files', ''],
    [undefined, ''],
  ])('of the prefix %j, which anybody may have sent, it takes %j', (prefix, taken) => {
    const found = addressesOf({ publicUrls: [], host: HOST, forwarded: { prefix } })
    expect(found).toEqual([{ host: HOST, prefix: taken }])
  })

  test('a default port is as good as none', () => {
    expect(code(presigned(), through(`${HOST}:443`, none))).toBeUndefined()
    expect(code(presigned(), through(`${HOST}:8443`, none))).toBe('signature_invalid')
  })

  test('a path that a proxy took off', () => {
    const request = presigned({ publicUrl: `https://${HOST}/files` })
    const target = request.target.replace('/files', '')
    expect(
      code({ ...request, target }, through('x', { publicUrls: [`https://${HOST}/files/`] })),
    ).toBeUndefined()
    const forwarded = { host: HOST, prefix: '/files' }
    expect(
      code({ ...request, target }, through('x', { publicUrls: [], forwarded })),
    ).toBeUndefined()
    expect(code({ ...request, target }, through(HOST, none))).toBe('signature_invalid')
    expect(code(request, through(HOST, none))).toBeUndefined()
  })

  test('the host that was signed for is told, not the one that was sent', () => {
    const publicUrls = [`https://${HOST}`]
    const found = verified(presigned(), through('bucket.files.example.com', { publicUrls }))
    expect(found?.host).toBe(HOST)
  })
})
