import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block } from '../../../key/claims.ts'
import { clear, uploadLimits } from '../../../key/clear.ts'
import { countedUses } from '../../../key/counters.ts'
import { MAX_BLOCKS, MAX_KEY_LENGTH } from '../../../key/format.ts'
import { beginOnNode, nodeMac } from '../../../key/node-mac.ts'
import {
  beginWith,
  checkSigner,
  type Grant,
  mintKey,
  narrowKey,
  readKey,
  verifyKey,
} from '../../../key/sign.ts'
import type { SigningKey } from '../../../key/signer.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import {
  anyAttempt,
  anyFirstBlock,
  anyLaterBlock,
  NOW,
  SIGNING_KEY,
  signerOf,
} from './arbitraries.ts'
import { codeOf } from './refusals.ts'

const FIRST = { jti: 'k-1', exp: NOW + 60, path: 'reports/', methods: ['GET' as const] }
const signer = signerOf(SIGNING_KEY)

const minted = (more: Block = {}): string =>
  mintKey({ ...FIRST, ...more } as never, SIGNING_KEY, nodeMac)
const verified = (key: string, by = signer): Grant => verifyKey(readKey(key), by, nodeMac)
const narrowedBy = (key: string, blocks: readonly Block[]): string =>
  blocks.reduce((sofar, block) => narrowKey(sofar, block, nodeMac), key)

describe('mint, narrow, verify', () => {
  test('give back what was said', () => {
    fc.assert(
      fc.property(anyFirstBlock, fc.array(anyLaterBlock, { maxLength: 3 }), (first, later) => {
        const grant = verified(narrowedBy(mintKey(first, SIGNING_KEY, nodeMac), later))
        expect(grant.blocks).toEqual([first, ...later])
        expect(grant.id).toBe(first.jti)
        expect(grant.kid).toBe(SIGNING_KEY.kid)
        expect(grant.ids).toEqual([...new Set([first, ...later].flatMap(({ jti }) => jti ?? []))])
        expect(grant.issuedAt).toBe(first.iat ?? 0)
        expect(grant.expires).toBe(Math.min(...[first, ...later].map(({ exp }) => exp ?? Infinity)))
      }),
    )
  })

  test('narrowing can only remove permission', () => {
    let [allowed, removed] = [0, 0]
    fc.assert(
      fc.property(
        anyFirstBlock,
        fc.array(anyLaterBlock, { maxLength: 2 }),
        anyLaterBlock,
        anyAttempt,
        (first, between, last, attempt) => {
          const parent = narrowedBy(mintKey(first, SIGNING_KEY, nodeMac), between)
          const mayParent = clear(verified(parent), attempt) === undefined
          const mayNarrowed =
            clear(verified(narrowKey(parent, last, nodeMac)), attempt) === undefined
          allowed += Number(mayNarrowed)
          removed += Number(mayParent && !mayNarrowed)
          if (mayNarrowed) expect(mayParent).toBe(true)
        },
      ),
      { numRuns: 4000 },
    )
    expect(allowed).toBeGreaterThan(50)
    expect(removed).toBeGreaterThan(50)
  })

  test('narrowing can only tighten what is counted and what holds of bytes', () => {
    fc.assert(
      fc.property(anyFirstBlock, anyLaterBlock, (first, last) => {
        const parent = verified(mintKey(first, SIGNING_KEY, nodeMac))
        const narrowed = verified(narrowedBy(mintKey(first, SIGNING_KEY, nodeMac), [last]))
        expect(countedUses(narrowed)).toEqual(expect.arrayContaining([...countedUses(parent)]))
        const [before, after] = [uploadLimits(parent), uploadLimits(narrowed)]
        expect(after.least).toBeGreaterThanOrEqual(before.least)
        expect(after.most).toBeLessThanOrEqual(before.most)
        expect(after.sha256).toEqual(expect.arrayContaining([...before.sha256]))
        expect(after.types).toEqual(expect.arrayContaining([...before.types]))
        expect(Number(after.create)).toBeGreaterThanOrEqual(Number(before.create))
        expect(after.ttl ?? Infinity).toBeLessThanOrEqual(before.ttl ?? Infinity)
        expect(narrowed.expires).toBeLessThanOrEqual(parent.expires)
      }),
    )
  })

  test('a key with any one character changed does not verify', () => {
    const key = narrowedBy(minted(), [{ path: 'reports/2026/' }, { uses: 1, jti: 'k-2' }])
    expect(codeOf(() => verified(key))).toBeUndefined()
    const others = 'Aa0-_.=+/ \u00e9'
    for (let index = 0; index < key.length; index += 1) {
      for (const other of others) {
        if (other === key[index]) continue
        const mutant = key.slice(0, index) + other + key.slice(index + 1)
        expect(['key_malformed', 'signature_invalid'], mutant).toContain(
          codeOf(() => verified(mutant)),
        )
      }
    }
  })

  test('a key with characters added, removed or swapped does not verify', () => {
    const key = narrowedBy(minted(), [{ tls: true }])
    const character = fc.constantFrom(...'ABab01-_.= ')
    fc.assert(
      fc.property(
        fc.nat(key.length),
        fc.nat(5),
        fc.array(character, { maxLength: 5 }),
        (at, cut, added) => {
          const mutant = key.slice(0, at) + added.join('') + key.slice(at + cut)
          fc.pre(mutant !== key)
          expect(['key_malformed', 'signature_invalid']).toContain(codeOf(() => verified(mutant)))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('neither another secret nor another kid verifies', () => {
    const other: SigningKey = { kid: 'example', secret: SIGNING_KEY.secret.map((byte) => byte ^ 1) }
    expect(codeOf(() => verified(minted(), signerOf(other)))).toBe('signature_invalid')
    expect(codeOf(() => verifyKey(readKey(minted()), undefined, nodeMac))).toBe('signature_invalid')
  })

  test('an unknown signing key and a wrong signature are told apart by nothing', () => {
    const seen = [undefined, signerOf({ kid: 'example', secret: new Uint8Array(32) })].map((by) => {
      try {
        return verifyKey(readKey(minted()), by, nodeMac)
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(seen[0]).toMatch(/^signature_invalid/)
    expect(seen[0]).toBe(seen[1])
  })

  test('a MAC prepared once begins the same chain', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.base64String(),
        (secret, block) => {
          expect(beginOnNode(secret)(block)).toEqual(beginWith(secret, nodeMac)(block))
        },
      ),
    )
  })
})

describe('minting', () => {
  test('names its own signing key, whatever the claims say', () => {
    expect(readKey(minted({ kid: 'other' })).kid).toBe('example')
  })

  test('refuses what could not be verified', () => {
    for (const wrong of [
      { exp: 1.5 },
      { path: '../x' },
      { methods: [] },
      { sub: '\ud800' },
      { admin: true },
    ]) {
      expect(
        codeOf(() => minted(wrong as never)),
        JSON.stringify(wrong),
      ).toBe('key_malformed')
    }
    const nested = JSON.parse('{"headers":{"__proto__":"blue"}}') as Block
    expect(codeOf(() => minted(nested))).toBe('key_malformed')
  })

  test('refuses a key that is too long to be read again', () => {
    const paths = Array.from({ length: 4 }, (_, index) => `reports/${index}${'r'.repeat(800)}`)
    expect(codeOf(() => minted({ path: paths }))).toBe('key_malformed')
    const long = minted({ path: paths.slice(0, 3) })
    expect(long.length).toBeLessThanOrEqual(MAX_KEY_LENGTH)
    expect(codeOf(() => narrowKey(long, { path: paths.slice(0, 1) }, nodeMac))).toBe(
      'key_malformed',
    )
  })
})

describe('narrowing', () => {
  test('ends after eight blocks', () => {
    const most = narrowedBy(
      minted(),
      Array.from({ length: MAX_BLOCKS - 1 }, () => ({})),
    )
    expect(verified(most).blocks).toHaveLength(MAX_BLOCKS)
    expect(codeOf(() => narrowKey(most, {}, nodeMac))).toBe('key_malformed')
  })

  test('refuses what belongs into block 0, and what is no key', () => {
    for (const wrong of [{ kid: 'example' }, { iat: 1 }, { uses: 1 }, { bytes: 1 }]) {
      expect(codeOf(() => narrowKey(minted(), wrong as Block, nodeMac))).toBe('key_malformed')
    }
    expect(codeOf(() => narrowKey('vk1.', {}, nodeMac))).toBe('key_malformed')
  })
})

describe('a signing key', () => {
  test('has a ceiling, which every request must pass as well', () => {
    const grant = verified(minted(), signerOf(SIGNING_KEY, { path: 'reports/2026/', exp: NOW + 5 }))
    expect(grant.blocks).toHaveLength(2)
    expect(grant.expires).toBe(NOW + 5)
    expect(grant.id).toBe('k-1')
  })

  test('speaks for us until it is revoked, or its grace has ended', () => {
    const at = (now: number) => now as UnixSeconds
    const retiring = { ...signer, status: 'retiring' as const, graceEnds: at(NOW) }
    expect(codeOf(() => checkSigner(signer, at(NOW)))).toBeUndefined()
    expect(codeOf(() => checkSigner({ ...signer, status: 'revoked' }, at(NOW)))).toBe('key_revoked')
    expect(codeOf(() => checkSigner(retiring, at(NOW - 1)))).toBeUndefined()
    expect(codeOf(() => checkSigner(retiring, at(NOW)))).toBe('key_revoked')
    expect(codeOf(() => checkSigner({ ...signer, status: 'retiring' }, at(NOW)))).toBeUndefined()
  })
})
