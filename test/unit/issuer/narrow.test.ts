import { describe, expect, it } from 'vitest'
import { refuseWidening } from '../../../issuer/narrow.ts'
import { type NarrowOptions, restrictionsFrom } from '../../../issuer/options.ts'
import type { Block } from '../../../key/claims.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { UnixSeconds } from '../../../key/units.ts'

const NOW = 1_780_000_000 as UnixSeconds

function widened(options: NarrowOptions, held: Block): string | undefined {
  const asked = restrictionsFrom(options, { now: NOW, id: 'fresh' })
  try {
    refuseWidening(options, asked, [{ tls: true }, held])
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    expect(error.code).toBe('claim_not_granted')
    return /"(\w+)"/.exec(error.detail)?.[1]
  }
}

describe('what reaches beyond the key that is narrowed', () => {
  it.each<[string, NarrowOptions, Block]>([
    ['path', { path: 'bkt/b' }, { path: 'bkt/a' }],
    ['path', { path: 'bkt/ab/' }, { path: 'bkt/a/' }],
    ['path', { path: 'bkt/' }, { path: 'bkt/a/' }],
    ['path', { path: '/' }, { path: 'bkt/' }],
    ['path', { path: ['bkt/a/x', 'bkt/b'] }, { path: ['bkt/a/', 'bkt/c'] }],
    ['methods', { methods: 'GET,PUT' }, { methods: ['GET'] }],
    ['exp', { expiresIn: '1h' }, { exp: NOW + 3599 }],
    ['nbf', { notBefore: NOW }, { nbf: NOW + 1 }],
    ['size', { maxSize: 11 }, { size: [0, 10] }],
    ['size', { minSize: 4 }, { size: [5, 10] }],
    ['types', { types: 'image/*' }, { types: ['image/png'] }],
    ['types', { types: 'image/png,text/html' }, { types: ['image/*'] }],
    ['types', { types: '*/*' }, { types: ['image/*'] }],
    ['sha256', { sha256: 'a'.repeat(64) }, { sha256: 'b'.repeat(64) }],
    ['uses', { uses: 3 }, { jti: 'x', uses: 2 }],
    ['ip', { ip: '10.0.0.0/8' }, { ip: ['10.0.0.0/16'] }],
    ['ip', { ip: '11.0.0.1' }, { ip: ['10.0.0.0/8'] }],
    ['ip', { ip: '::/0' }, { ip: ['10.0.0.0/8'] }],
    ['origins', { origins: 'https://b.example' }, { origins: ['https://a.example'] }],
    ['headers', { headers: 'x-team: red' }, { headers: { 'X-Team': 'blue' } }],
    ['respond', { inline: true }, { respond: { 'content-disposition': 'attachment' } }],
    ['ttl', { ttl: '2d' }, { ttl: 86_400 }],
    ['create', { overwrite: true }, { create: true }],
    ['tls', { tls: false }, {}],
  ])('%s: %j over %j', (claim, options, held) => {
    expect(widened(options, held)).toBe(claim)
  })

  it.each<[NarrowOptions, Block]>([
    [{ path: 'bkt/a' }, { path: 'bkt/a' }],
    [{ path: ['bkt/a/x', 'bkt/a/y/'] }, { path: ['bkt/b', 'bkt/a/'] }],
    [{ path: '/' }, { path: '/' }],
    [{ methods: 'GET' }, { methods: ['PUT', 'GET'] }],
    [{ expiresIn: '1h' }, { exp: NOW + 3600 }],
    [{ notBefore: NOW }, { nbf: NOW }],
    [{ maxSize: 10 }, { size: [5, 10] }],
    [{ minSize: 6 }, { size: [5, 10] }],
    [{ types: 'IMAGE/png' }, { types: ['image/*'] }],
    [{ types: 'image/*' }, { types: ['*/*'] }],
    [{ sha256: 'A'.repeat(64) }, { sha256: 'a'.repeat(64) }],
    [{ once: true }, { jti: 'x', uses: 2 }],
    [{ ip: '10.1.0.0/16' }, { ip: ['192.0.2.0/24', '10.0.0.0/8'] }],
    [{ ip: '2001:db8::1' }, { ip: ['2001:db8::/32'] }],
    [{ origins: 'https://a.example' }, { origins: ['https://a.example'] }],
    [{ headers: ['x-team: blue', 'x-more: 1'] }, { headers: { 'X-Team': 'blue' } }],
    [{ attachment: true }, { respond: { 'content-disposition': 'attachment' } }],
    [{ respond: { expires: '0' } }, { respond: { 'cache-control': 'no-cache' } }],
    [{ ttl: '1d' }, { ttl: 86_400 }],
    [{ overwrite: true, tls: true, subject: 'x', match: '*', id: 'y' }, {}],
    [{ overwrite: false }, { create: true }],
  ])('nothing: %j under %j', (options, held) => {
    expect(widened(options, held)).toBeUndefined()
  })
})
