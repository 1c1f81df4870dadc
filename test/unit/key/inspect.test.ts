import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block } from '../../../key/claims.ts'
import { clear } from '../../../key/clear.ts'
import { inspectKey, describe as inWords, scopesOfAll } from '../../../key/inspect.ts'
import { nodeMac } from '../../../key/node-mac.ts'
import { covers, type ObjectPath } from '../../../key/object-path.ts'
import { mintKey, narrowKey, readKey, verifyKey } from '../../../key/sign.ts'
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

const now = NOW as UnixSeconds

test('a key in plain words, block by block', () => {
  const first = {
    jti: 'k-1',
    sub: 'the app',
    iat: NOW - 60,
    exp: NOW + 3600,
    path: 'reports/',
    methods: ['GET', 'LIST'],
  } as const
  const later = {
    path: ['reports/2026/', 'images/'],
    exp: NOW + 840,
    methods: ['GET', 'PUT'] as const,
  }
  const minted = mintKey({ ...first, methods: [...first.methods] }, SIGNING_KEY, nodeMac)
  const key = narrowKey(minted, { ...later, methods: [...later.methods] }, nodeMac)
  expect(inspectKey(key, now)).toEqual({
    id: 'k-1',
    kid: 'example',
    expires: NOW + 840,
    scopes: ['reports/2026/'],
    methods: ['GET'],
    blocks: [
      {
        claims: { kid: 'example', ...first },
        says: [
          'signed with the signing key example',
          'its id is k-1',
          'minted at 2027-01-15T07:59:00Z (1m ago)',
          'for "the app"',
          'until 2027-01-15T09:00:00Z (in 1h)',
          'only files beneath reports/',
          'may download and list',
        ],
      },
      {
        claims: later,
        says: [
          'until 2027-01-15T08:14:00Z (in 14m)',
          'only files beneath reports/2026/ or files beneath images/',
          'may download and upload',
        ],
      },
    ],
  })
})

test.each<[Block, string]>([
  [{ path: '/' }, 'only files anywhere'],
  [{ path: 'reports/a b.pdf' }, 'only the file "reports/a b.pdf"'],
  [{ match: '**/*.pdf' }, 'only names that match **/*.pdf'],
  [{ nbf: NOW }, 'from 2027-01-15T08:00:00Z (now) on'],
  [{ size: [0, 10_485_760] }, 'uploads of at most 10 MiB'],
  [{ size: [0, 10_485_761] }, 'uploads of at most 10485761 bytes'],
  [{ size: [5, 5] }, 'uploads of exactly 5 B'],
  [
    { size: [1024, Number.MAX_SAFE_INTEGER] },
    'uploads of at least 1 KiB and at most 9007199254740991 bytes',
  ],
  [{ types: ['image/*', 'application/pdf'] }, 'uploads only of type image/* or application/pdf'],
  [{ sha256: 'AB'.repeat(32) }, `uploads only the content with SHA-256 ${'ab'.repeat(32)}`],
  [{ create: true }, 'uploads never replace what is there'],
  [{ ttl: 3600 }, 'uploads are deleted after 1h'],
  [{ ttl: 3661 }, 'uploads are deleted after 3661 seconds'],
  [{ uses: 1 }, 'works once'],
  [{ uses: 7 }, 'works 7 times'],
  [{ ip: ['10.0.0.0/8', '::1/128'] }, 'only from 10.0.0.0/8 or ::1/128'],
  [
    { origins: ['https://app.example.com'] },
    'in browsers only from pages of https://app.example.com',
  ],
  [
    { headers: { 'X-Team': 'blue', 'X-A': 'b c' } },
    'only with the header X-Team: blue and the header X-A: "b c"',
  ],
  [{ tls: true }, 'only over TLS'],
  [{ respond: { expires: '0' } }, 'answers with expires: 0'],
])('%j is: %s', (block, sentence) => {
  expect(inWords(block, now)).toEqual([sentence])
})

test('text of a stranger can not pose as ours, nor steer a terminal', () => {
  const [sentence = ''] = inWords({ sub: 'a\u001b[2J\n\u0085\u202e\u200b"b' }, now)
  expect(sentence).toBe('for "a\\u001b[2J\\n\\u0085\\u202e\\u200b\\"b"')
})

describe('what all blocks have in common', () => {
  const chain = fc.tuple(anyFirstBlock, fc.array(anyLaterBlock, { maxLength: 3 }))

  test('is told of any key, without a secret', () => {
    fc.assert(
      fc.property(chain, ([first, later]) => {
        const minted = mintKey(first, SIGNING_KEY, nodeMac)
        const key = later.reduce((sofar, block) => narrowKey(sofar, block, nodeMac), minted)
        const inspected = inspectKey(key, now)
        expect(inspected.blocks.map(({ claims }) => claims)).toEqual([first, ...later])
        for (const { claims, says } of inspected.blocks) {
          expect(says).toHaveLength(Object.keys(claims).length)
        }
      }),
    )
  })

  test('holds every request that is allowed', () => {
    fc.assert(
      fc.property(chain, anyAttempt, ([first, later], attempt) => {
        const minted = mintKey(first, SIGNING_KEY, nodeMac)
        const key = later.reduce((sofar, block) => narrowKey(sofar, block, nodeMac), minted)
        const { scopes, methods, expires } = inspectKey(key, now)
        const allowed = clear(verifyKey(readKey(key), signerOf(SIGNING_KEY), nodeMac), attempt)
        if (allowed !== undefined) return
        expect(methods).toContain(attempt.method)
        expect(scopes.some((scope) => covers(scope, attempt.path))).toBe(true)
        expect(attempt.now).toBeLessThan(expires)
      }),
      { numRuns: 2000 },
    )
  })

  test.each<[Block['path'][], string[]]>([
    [[], ['/']],
    [['/', 'reports/'], ['reports/']],
    [['reports/', 'reports/a'], ['reports/a']],
    [['reports/a', 'reports/'], ['reports/a']],
    [['reports/a', 'reports/ab'], []],
    [['reports/', 'images/'], []],
    [
      [
        ['reports/', 'images/'],
        ['images/a/', 'images/b', 'reports/'],
      ],
      ['reports/', 'images/a/', 'images/b'],
    ],
  ])('scopes %j: %j', (paths, expected) => {
    const found = scopesOfAll(paths.map((path) => (path === undefined ? {} : { path })))
    expect([...found].sort()).toEqual([...expected].sort())
  })

  test('a scope in common is one that all cover', () => {
    fc.assert(
      fc.property(fc.array(anyLaterBlock, { maxLength: 4 }), anyAttempt, (blocks, { path }) => {
        const every = blocks.every(
          (block) =>
            block.path === undefined || [block.path].flat().some((scope) => covers(scope, path)),
        )
        expect(scopesOfAll(blocks).some((scope) => covers(scope, path as ObjectPath))).toBe(every)
      }),
      { numRuns: 2000 },
    )
  })
})

test('what is no key is malformed', () => {
  expect(codeOf(() => inspectKey('vk1.e30.', now))).toBe('key_malformed')
})
