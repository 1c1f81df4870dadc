import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inspect, mint, narrow, OptionsError, Refusal } from '../../../index.ts'
import { mint as mintWith, randomId } from '../../../issuer/mint.ts'
import { keyOf } from '../../../key/link.ts'
import { beginOnNode, nodeMac } from '../../../key/node-mac.ts'
import { readKey, verifyKey } from '../../../key/sign.ts'
import { formatSigningKey, type Signer } from '../../../key/signer.ts'
import type { Seconds, UnixSeconds } from '../../../key/units.ts'

const key = { kid: 'k1', secret: randomBytes(32) }
const signer: Signer = { kid: 'k1', status: 'active', begin: beginOnNode(key.secret) }
const signingKey = formatSigningKey(key)
const context = {
  signingKey: key,
  now: 1_780_000_000 as UnixSeconds,
  publicUrl: 'https://files.example/base/',
  defaultLife: 900 as Seconds,
  maxLife: 604_800 as Seconds,
  randomId: () => 'fresh',
}

const verified = (text: string) => verifyKey(readKey(text), signer, nodeMac)

describe('minting', () => {
  it('makes a key that verifies, and the link to its first path', () => {
    const minted = mintWith({ path: ['bkt/a b.txt', 'bkt/dir/'], methods: 'GET,LIST' }, context)
    expect(minted.url).toBe(`https://files.example/base/bkt/a%20b.txt?vk=${minted.key}`)
    expect(minted).toMatchObject({
      id: 'fresh',
      path: ['bkt/a b.txt', 'bkt/dir/'],
      methods: ['GET', 'LIST'],
      expires: 1_780_000_900,
    })
    expect(verified(minted.key).blocks).toEqual([minted.claims])
  })

  it('refuses with every mistake', () => {
    expect(() => mintWith({ path: '', uses: 0 }, context)).toThrow(OptionsError)
  })

  it('refuses a key that would be too long', () => {
    const path = Array.from({ length: 16 }, (_, i) => `bkt/${'x'.repeat(300)}${i}`)
    expect(() => mintWith({ path }, context)).toThrow(
      expect.objectContaining({ code: 'key_malformed' }),
    )
  })

  it('makes ids that can stand on a command line, none twice', () => {
    const ids = Array.from({ length: 5000 }, randomId)
    expect(new Set(ids).size).toBe(5000)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
  })
})

describe('the library', () => {
  it('mints, narrows and inspects', () => {
    const { url } = mint({ path: 'bkt/dir/', signingKey, publicUrl: 'https://files.example' })
    const link = narrow(`${url}&utm_source=mail`, { once: true, expiresIn: '10s' })
    const told = inspect(link)
    expect(new URL(link).searchParams.get('utm_source')).toBe('mail')
    expect(told.methods).toEqual(['GET'])
    expect(told.scopes).toEqual(['bkt/dir/'])
    expect(told.blocks[1]?.claims).toMatchObject({ uses: 1 })
    expect(verified(keyOf(link).key).blocks).toHaveLength(2)
  })

  it('gives a key for a key', () => {
    const minted = mint({ path: 'bkt/a', signingKey })
    expect(minted.url).toMatch(/^http:\/\/127\.0\.0\.1:8080\/bkt\/a\?vk=/)
    expect(verified(narrow(minted.key, { tls: true })).blocks[1]).toEqual({ tls: true })
  })

  it('allows a longer life only where told to', () => {
    expect(() => mint({ path: 'bkt/a', signingKey, expiresIn: '8d' })).toThrow(/longest life/)
    mint({ path: 'bkt/a', signingKey, expiresIn: '8d', maxExpires: '30d' })
  })

  it('never repeats a secret that it was given wrongly', () => {
    const wrong = `${signingKey}x`
    for (const work of [
      () => mint({ path: 'bkt/a', signingKey: wrong }),
      () => narrow(signingKey, {}),
      () => inspect(wrong),
    ]) {
      expect(work).toThrow(expect.objectContaining({ message: expect.not.stringContaining(wrong) }))
    }
  })

  it.each([
    ['', 'key_malformed'],
    ['https://files.example/bkt/a', 'key_missing'],
    ['https://files.example/bkt/a?vk=a&vk=b', 'key_ambiguous'],
    ['https://files.example/bkt/a?vk=a', 'key_malformed'],
    ['vk1.e30.x', 'key_malformed'],
  ])('refuses to narrow or inspect %j', (text, code) => {
    expect(() => narrow(text, {})).toThrow(expect.objectContaining({ code }))
    expect(() => inspect(text)).toThrow(expect.objectContaining({ code }))
  })

  it('refuses, and nothing else, whatever text it is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `vk1.${text}`),
          fc.webUrl({ withQueryParameters: true }),
        ),
        (text) => {
          expect(() => inspect(text)).toThrow(Refusal)
        },
      ),
    )
  })
})

describe('the link of a narrower key', () => {
  const { url } = mint({ path: 'bkt/dir/', signingKey, publicUrl: 'https://files.example/base' })
  const at = (path: string) => url.replace('/bkt/dir/?', `/bkt/dir/${path}?`)

  it.each([
    [url, {}, '/base/bkt/dir/'],
    [url, { path: 'bkt/dir/a b.txt' }, '/base/bkt/dir/a%20b.txt'],
    [url, { path: ['bkt/dir/b', 'bkt/dir/a'] }, '/base/bkt/dir/b'],
    [at('sub/x.txt'), { path: 'bkt/dir/sub/' }, '/base/bkt/dir/sub/x.txt'],
    [at('sub/x.txt'), { path: 'bkt/dir/other/' }, '/base/bkt/dir/other/'],
    [at('x.txt'), { path: 'bkt/dir/x.txt' }, '/base/bkt/dir/x.txt'],
    [at('bkt/dir/x'), { path: 'bkt/dir/bkt/dir/x' }, '/base/bkt/dir/bkt/dir/x'],
  ])('%#', (link, options, pathname) => {
    const narrowed = new URL(narrow(link, options))
    expect(narrowed.pathname).toBe(pathname)
    expect(narrowed.host).toBe('files.example')
  })
})
