import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block } from '../../../key/claims.ts'
import {
  type Attempt,
  clear,
  grantsOrigin,
  isListed,
  overrides,
  uploadLimits,
} from '../../../key/clear.ts'
import { countedUses } from '../../../key/counters.ts'
import { nodeMac } from '../../../key/node-mac.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import { type Grant, mintKey, narrowKey, readKey, verifyKey } from '../../../key/sign.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import {
  anyAttempt,
  anyFirstBlock,
  anyLaterBlock,
  NOW,
  SIGNING_KEY,
  signerOf,
} from './arbitraries.ts'

// Single claims against single attempts are vectors: test/vectors/requests.json.

function granted(first: Block, later: readonly Block[] = [], ceiling?: Block): Grant {
  const claims = { jti: 'k-1', exp: NOW + 60, path: '/', methods: ['GET', 'PUT', 'LIST'], ...first }
  const minted = mintKey(claims as never, SIGNING_KEY, nodeMac)
  const key = later.reduce((sofar, block) => narrowKey(sofar, block, nodeMac), minted)
  return verifyKey(readKey(key), signerOf(SIGNING_KEY, ceiling), nodeMac)
}

const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  now: NOW as UnixSeconds,
  method: 'GET',
  path: 'reports/q3.pdf' as ObjectPath,
  address: '192.0.2.1',
  tls: true,
  header: () => undefined,
  ...more,
})

describe('clear', () => {
  test('allows what every block allows when asked alone, and nothing else', () => {
    // a block asked alone is beside a block that allows everything; `match` reads an earlier scope
    const wide = { exp: NOW + 10_000, methods: ['GET', 'PUT', 'DELETE', 'LIST'] } as Block
    const scoped = anyLaterBlock.map((block) => ({ path: '/', ...block }))
    fc.assert(
      fc.property(
        anyFirstBlock,
        fc.array(scoped, { maxLength: 3 }),
        anyAttempt,
        (first, later, asked) => {
          const alone = [first, ...later].map((block) =>
            clear(granted(wide, [strip(block)]), asked),
          )
          const together = clear(granted(first, later), asked)
          expect(together === undefined).toBe(alone.every((refusal) => refusal === undefined))
          if (together !== undefined) {
            expect(alone.flatMap((refusal) => refusal?.code ?? [])).toContain(together.code)
          }
        },
      ),
      { numRuns: 1500 },
    )
  })

  test('asks the ceiling as well', () => {
    const ceiling = { path: 'tenants/a/' }
    expect(clear(granted({}, [], ceiling), attempt())?.code).toBe('path_not_granted')
    const inside = attempt({ path: 'tenants/a/x' as ObjectPath })
    expect(clear(granted({}, [], ceiling), inside)).toBeUndefined()
  })

  test('names the refusal that comes first in the table, whichever block states it', () => {
    const grant = granted({ ip: ['10.0.0.0/8'] }, [{ exp: NOW }])
    expect(clear(grant, attempt())?.code).toBe('key_expired')
  })

  test('never repeats the value of a header that the key requires', () => {
    const refusal = clear(granted({ headers: { 'X-Secret': 'hunter2' } }), attempt())
    expect(refusal?.code).toBe('header_not_granted')
    expect(refusal?.message).not.toContain('hunter2')
  })
})

const strip = ({ kid: _, iat: __, uses: ___, ...rest }: Block): Block => rest

describe('match', () => {
  test('hides from a listing what it does not match, and does not refuse the listing', () => {
    const grant = granted({ path: 'reports/', match: '*.pdf' }, [{ match: 'q?.*' }])
    expect(
      clear(grant, attempt({ method: 'LIST', path: 'reports/' as ObjectPath })),
    ).toBeUndefined()
    const listed = [
      'reports/q3.pdf',
      'reports/q33.pdf',
      'reports/q3.txt',
      'reports/a/q3.pdf',
      'images/q3.pdf',
    ]
    expect(listed.filter((path) => isListed(grant, path as ObjectPath))).toEqual(['reports/q3.pdf'])
  })

  test('of a narrowing block is asked beneath its own scope', () => {
    const grant = granted({ path: 'reports/' }, [{ path: 'reports/2026/', match: '*.pdf' }])
    expect(clear(grant, attempt({ path: 'reports/2026/a.pdf' as ObjectPath }))).toBeUndefined()
    expect(clear(grant, attempt())?.code).toBe('path_not_granted')
  })
})

describe('counters', () => {
  test('of block 0 and of a ceiling are their own id', () => {
    const grant = granted({ uses: 3 }, [], { jti: 'tenant', uses: 100 })
    expect(countedUses(grant)).toEqual([
      { id: 'tenant', most: 100 },
      { id: 'k-1', most: 3 },
    ])
  })

  test('of a narrowing block can not be reached from another key', () => {
    const victim = countedUses(granted({ jti: 'a', uses: 2 }, [{ jti: 'b', uses: 1 }]))
    expect(victim.map(({ id }) => id)).toEqual(['a', 'a/b'])
    const stranger = countedUses(
      granted({ jti: 'z' }, [
        { jti: 'a', uses: 9 },
        { jti: 'b', uses: 9 },
      ]),
    )
    const sibling = countedUses(granted({ jti: 'a' }, [{ jti: 'c' }, { jti: 'b', uses: 9 }]))
    const twice = countedUses(granted({ jti: 'a', uses: 2 }, [{ jti: 'a', uses: 9 }]))
    expect(stranger.map(({ id }) => id)).toEqual(['z/a', 'z/a/b'])
    expect(sibling.map(({ id }) => id)).toEqual(['a/c/b'])
    expect(twice.map(({ id }) => id)).toEqual(['a', 'a/a'])
  })

  test('are none where nothing is counted', () => {
    expect(countedUses(granted({}, [{ jti: 'b' }], { jti: 'c' }))).toEqual([])
  })
})

describe('over all blocks', () => {
  test('an upload meets every limit', () => {
    const grant = granted(
      { size: [5, 100], types: ['image/*'], sha256: 'AB'.repeat(32), ttl: 60 },
      [{ size: [10, 200], types: ['image/png'], create: true, ttl: 30 }],
    )
    expect(uploadLimits(grant)).toEqual({
      least: 10,
      most: 100,
      types: [['image/*'], ['image/png']],
      sha256: ['ab'.repeat(32)],
      create: true,
      ttl: 30,
    })
    expect(uploadLimits(granted({}))).toEqual({
      least: 0,
      most: Number.MAX_SAFE_INTEGER,
      types: [],
      sha256: [],
      create: false,
    })
  })

  test('the first block that overrides a response header wins', () => {
    const grant = granted({ respond: { 'content-type': 'text/plain' } }, [
      { respond: { 'content-type': 'text/html', expires: '0' } },
    ])
    expect(overrides(grant)).toEqual({ 'content-type': 'text/plain', expires: '0' })
    const under = granted({ respond: { expires: '0' } }, [], { respond: { expires: '1' } })
    expect(overrides(under)).toEqual({ expires: '1' })
  })

  test('CORS is granted by the origins that all lists hold, and by no list at all to nobody', () => {
    const [app, dev] = ['https://app.example.com', 'http://localhost:5173']
    const grant = granted({ origins: [app, dev] }, [{ origins: [app] }])
    expect(grantsOrigin(grant, app)).toBe(true)
    expect(grantsOrigin(grant, 'https://APP.example.com')).toBe(true)
    expect(grantsOrigin(grant, dev)).toBe(false)
    expect(grantsOrigin(granted({}), app)).toBe(false)
  })
})
