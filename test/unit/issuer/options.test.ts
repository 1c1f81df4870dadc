import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  firstBlockFrom,
  OPTION_NAMES,
  OptionsError,
  restrictionsFrom,
  SINGULARS,
} from '../../../issuer/options.ts'
import { type Block, wrongClaim } from '../../../key/claims.ts'
import type { Seconds, UnixSeconds } from '../../../key/units.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z') / 1000
const now = NOW as UnixSeconds
const context = { now, defaultLife: 900 as Seconds, maxLife: 604_800 as Seconds, id: 'fresh' }

const first = (options: unknown) => firstBlockFrom(options, context)
const later = (options: unknown) => restrictionsFrom(options, { now, id: 'fresh' })

function mistakesOf(work: () => unknown): Record<string, string> {
  try {
    work()
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    return Object.fromEntries(error.mistakes.map(({ option, message }) => [option, message]))
  }
  throw new Error('nothing was refused')
}

describe('what an option becomes', () => {
  const MOST = Number.MAX_SAFE_INTEGER
  it.each<[Record<string, unknown>, Block]>([
    [{ path: 'bkt/a' }, { path: 'bkt/a' }],
    [{ path: ['bkt/a'] }, { path: 'bkt/a' }],
    [{ path: ['bkt/a', 'bkt/b/'] }, { path: ['bkt/a', 'bkt/b/'] }],
    [{ path: 'bkt/a,b' }, { path: 'bkt/a,b' }],
    [{ path: '/' }, { path: '/' }],
    [{ methods: 'get, put' }, { methods: ['GET', 'PUT'] }],
    [{ methods: ['GET,PUT', 'LIST', 'GET'] }, { methods: ['GET', 'PUT', 'LIST'] }],
    [{ method: ['DELETE'] }, { methods: ['DELETE'] }],
    [{ expiresIn: '15m' }, { exp: NOW + 900 }],
    [{ expiresIn: 90 }, { exp: NOW + 90 }],
    [{ expires: '15m' }, { exp: NOW + 900 }],
    [
      { expires: '2026-06-01T14:00:00+01:00', notBefore: 0 },
      { exp: NOW + 3600, nbf: 0 },
    ],
    [{ expires: NOW + 7 }, { exp: NOW + 7 }],
    [{ notBefore: '2026-06-02' }, { nbf: NOW + 43_200 }],
    [{ maxSize: '10MiB' }, { size: [0, 10_485_760] }],
    [{ minSize: 5 }, { size: [5, MOST] }],
    [{ maxSize: '1KB', minSize: '1' }, { size: [1, 1000] }],
    [{ types: 'image/*,text/plain' }, { types: ['image/*', 'text/plain'] }],
    [{ type: 'image/png' }, { types: ['image/png'] }],
    [{ sha256: 'Ab'.repeat(32) }, { sha256: 'Ab'.repeat(32) }],
    [{ overwrite: true }, {}],
    [{ overwrite: false }, { create: true }],
    [{ uses: 3 }, { jti: 'fresh', uses: 3 }],
    [
      { bytes: '1GiB', files: '10', rate: '1MiB' },
      { jti: 'fresh', bytes: 1_073_741_824, files: 10, rate: 1_048_576 },
    ],
    [{ rate: 500 }, { rate: 500 }],
    [
      { uses: '3', id: 'mine' },
      { jti: 'mine', uses: 3 },
    ],
    [{ once: true }, { jti: 'fresh', uses: 1 }],
    [{ once: false }, {}],
    [{ ip: '10.0.0.1, ::1,10.0.0.0/8' }, { ip: ['10.0.0.1/32', '::1/128', '10.0.0.0/8'] }],
    [{ origins: 'https://A.example' }, { origins: ['https://a.example'] }],
    [{ origin: ['https://a.example:8443'] }, { origins: ['https://a.example:8443'] }],
    [{ headers: { 'X-Team': 'blue' } }, { headers: { 'X-Team': 'blue' } }],
    [{ headers: 'X-Team: blue, green' }, { headers: { 'X-Team': 'blue, green' } }],
    [{ header: ['X-A: 1', 'X-B:2'] }, { headers: { 'X-A': '1', 'X-B': '2' } }],
    [{ tls: true }, { tls: true }],
    [{ tls: false }, {}],
    [{ subject: 'ann' }, { sub: 'ann' }],
    [{ match: '*.csv' }, { match: '*.csv' }],
    [{ attachment: true }, { respond: { 'content-disposition': 'attachment' } }],
    [
      { attachment: 'q3 "final".pdf' },
      { respond: { 'content-disposition': 'attachment; filename="q3 \\"final\\".pdf"' } },
    ],
    [
      { attachment: '€.txt' },
      {
        respond: {
          'content-disposition': 'attachment; filename="?.txt"; filename*=UTF-8\'\'%E2%82%AC.txt',
        },
      },
    ],
    [{ inline: true }, { respond: { 'content-disposition': 'inline' } }],
    [
      { inline: true, respond: { 'Cache-Control': 'no-cache' } },
      { respond: { 'content-disposition': 'inline', 'cache-control': 'no-cache' } },
    ],
    [{ ttl: '7d' }, { ttl: 604_800 }],
    [{ id: 'mine' }, { jti: 'mine' }],
    [{ path: undefined, tls: undefined }, {}],
  ])('%j', (options, block) => {
    expect(later(options)).toEqual(block)
  })
})

describe('what is wrong', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['path', { path: '/bkt/a' }, /write "bkt\/a"/],
    ['path', { path: '' }, /must be text/],
    ['path', { path: [] }, /must not be empty/],
    ['path', { path: 7 }, /must be text/],
    ['path', { path: ['bkt/a', 7] }, /must be text/],
    ['path', { path: 'bkt' }, /BUCKET\/KEY/],
    ['path', { path: 'bkt/../a' }, /"\.\." segments/],
    ['path', { path: Array.from({ length: 17 }, (_, i) => `bkt/${i}`) }, /at most 16/],
    ['methods', { methods: 'HEAD' }, /"HEAD" is not a method/],
    ['methods', { methods: 'GET,,PUT' }, /no empty entries/],
    ['methods', { methods: [] }, /must not be empty/],
    ['expiresIn', { expiresIn: '15 minutes' }, /is not a duration/],
    ['expiresIn', { expiresIn: '2026-06-02' }, /is not a duration/],
    ['expiresIn', { expiresIn: 1.5 }, /whole number/],
    ['expiresIn', { expiresIn: true }, /must be a duration/],
    ['expiresIn', { expiresIn: '1m', expires: '1m' }, /can not stand beside "expires"/],
    ['expires', { expires: 'tomorrow' }, /is not a time/],
    ['expires', { expires: NOW }, /must lie in the future: it is 2026-06-01T12:00:00Z/],
    ['expiresIn', { expiresIn: 0 }, /must lie in the future/],
    ['notBefore', { notBefore: '1h', expiresIn: '1h' }, /before the key expires/],
    ['maxSize', { maxSize: '10M' }, /"10M" is not a size/],
    ['maxSize', { maxSize: -1 }, /whole number/],
    ['minSize', { minSize: '2KB', maxSize: '1KB' }, /larger than maxSize/],
    ['types', { types: ['image/png', 'image'] }, /^"image" must be a media range/],
    ['sha256', { sha256: 'abc' }, /must be 64 hexadecimal digits/],
    ['overwrite', { overwrite: 'yes' }, /must be true or false/],
    ['uses', { uses: 0 }, /whole number from 1/],
    ['uses', { uses: '1e3' }, /whole number from 1/],
    ['uses', { uses: 2, once: true }, /can not stand beside "once"/],
    ['ip', { ip: '10.0.0.256' }, /must be a network/],
    ['ip', { ip: '10.0.0.0/33' }, /must be a network/],
    ['origins', { origins: '*' }, /must be an origin/],
    ['origins', { origins: 'https://a.example/' }, /must be an origin/],
    ['headers', { headers: 'X-Team' }, /NAME: VALUE/],
    ['headers', { headers: {} }, /must not be empty/],
    ['headers', { headers: { a: 1 } }, /names and texts/],
    ['headers', { headers: { a: '1', A: '2' } }, /each header once/],
    ['headers', { headers: { 'a b': 'c' } }, /header names/],
    ['headers', { headers: { a: 'secret\n' } }, /^(?!.*secret)/],
    ['headers', { headers: JSON.parse('{"__proto__":"x"}') }, /__proto__/],
    ['method', { method: 'GET', methods: 'GET' }, /./],
    ['subject', { subject: '' }, /not empty/],
    ['subject', { subject: 'x'.repeat(257) }, /256/],
    ['match', { match: 'x'.repeat(257) }, /256/],
    ['attachment', { attachment: '../passwd' }, /file name/],
    ['attachment', { attachment: 'a\nb' }, /file name/],
    ['attachment', { attachment: false }, /text/],
    ['attachment', { attachment: true, inline: true }, /can not stand beside "inline"/],
    ['respond', { respond: { 'set-cookie': 'a' } }, /not "set-cookie"/],
    ['respond', { respond: { 'Content-Type': 'text/plain;a=b, text/html' } }, /is a media type/],
    ['respond', { respond: { expires: '\u0100' } }, /./],
    ['ttl', { ttl: 0 }, /must be a whole number from 1|at least 1/],
    ['id', { id: 'a b' }, /must be 1 to 64/],
    ['bytes', { bytes: 0 }, /must be a whole number from 1/],
    ['files', { files: 'many' }, /must be a whole number from 1/],
    ['rate', { rate: 'fast' }, /size/],
    ['policy', { policy: 'a b' }, /must be 1 to 64/],
    ['plan', { plan: 7 }, /must be text/],
    ['colour', { colour: 'red' }, /is not an option; the options are path, methods/],
    ['__proto__', JSON.parse('{"__proto__":1}'), /is not an option/],
    ['toString', { toString: 1 }, /is not an option/],
    ['path', { path: null }, /must be text/],
  ])('%s: %j', (option, options, message) => {
    const mistakes = mistakesOf(() => later(options))
    expect(Object.keys(mistakes)).toEqual([option])
    expect(mistakes[option]).toMatch(message)
  })

  it('is said all at once', () => {
    const options = { maxSize: '10M', methods: 'HEAD', colour: 'red', notBefore: '1w' }
    expect(Object.keys(mistakesOf(() => first(options))).sort()).toEqual(
      ['colour', 'maxSize', 'methods', 'notBefore', 'path'].sort(),
    )
  })

  it('is cut where it would be endless', () => {
    const options = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${i}`, 1]))
    const error = (() => {
      try {
        return first(options)
      } catch (caught) {
        return caught as OptionsError
      }
    })() as OptionsError
    expect(error.mistakes).toHaveLength(50)
    expect(error.message).toMatch(/and 4951 more$/)
  })

  it.each([[null], [undefined], ['x'], [[]], [7]])('refuses %j as options', (options) => {
    expect(mistakesOf(() => first(options))).toEqual({ options: 'must be an object' })
  })
})

describe('a first block', () => {
  it('has an id, a birth, a life and grants GET unless told otherwise', () => {
    expect(first({ path: 'bkt/a' })).toEqual({
      jti: 'fresh',
      iat: NOW,
      exp: NOW + 900,
      path: 'bkt/a',
      methods: ['GET'],
    })
  })

  it('creates only, where it uploads', () => {
    expect(first({ path: 'bkt/', methods: 'PUT' })).toHaveProperty('create', true)
    expect(first({ path: 'bkt/', methods: 'PUT', overwrite: true })).not.toHaveProperty('create')
    expect(first({ path: 'bkt/', methods: 'GET' })).not.toHaveProperty('create')
  })

  it('lives as long as allowed, and says how to allow more', () => {
    expect(first({ path: 'bkt/a', expiresIn: '7d' }).exp).toBe(NOW + 604_800)
    const mistakes = mistakesOf(() => first({ path: 'bkt/a', expires: NOW + 604_801 }))
    expect(mistakes.expires).toMatch(/longest life of a key is 1w.*VALETKEY_ISSUER_MAX_EXPIRES/)
  })

  it('lives no longer than allowed by default either', () => {
    const block = firstBlockFrom({ path: 'bkt/a' }, { ...context, maxLife: 60 as Seconds })
    expect(block.exp).toBe(NOW + 60)
  })

  it('is narrowed to anything, however long: the key it narrows ends it', () => {
    expect(later({ expiresIn: '52w' })).toEqual({ exp: NOW + 52 * 604_800 })
  })
})

describe('whatever is written', () => {
  const value = fc.oneof(
    fc.anything({ maxDepth: 2 }),
    fc.string(),
    fc.constantFrom('15m', '10MiB', 'bkt/a', 'GET', '10.0.0.1', 'image/*', 'X: y', true, 7),
  )
  const name = fc.oneof(fc.constantFrom(...OPTION_NAMES, ...Object.keys(SINGULARS)), fc.string())

  it('either becomes claims of the format or is refused with its mistakes', () => {
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.boolean(), (options, isFirst) => {
        try {
          const block = isFirst ? first({ path: 'bkt/a', ...options }) : later(options)
          expect(wrongClaim(block)).toBeUndefined()
        } catch (error) {
          expect(error).toBeInstanceOf(OptionsError)
          expect((error as OptionsError).mistakes.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
