/** What property tests of this room draw from: few names, so that things meet. */
import fc from 'fast-check'
import type { Block, FirstBlock } from '../../../key/claims.ts'
import { METHODS } from '../../../key/claims.ts'
import type { Attempt } from '../../../key/clear.ts'
import { nodeMac } from '../../../key/node-mac.ts'
import { type ObjectPath, type Prefix, parsePath } from '../../../key/object-path.ts'
import { beginWith } from '../../../key/sign.ts'
import type { Signer, SigningKey } from '../../../key/signer.ts'
import type { Bytes, UnixSeconds } from '../../../key/units.ts'

export const NOW = 1_800_000_000

export const SIGNING_KEY: SigningKey = {
  kid: 'example',
  secret: Uint8Array.from({ length: 32 }, (_, index) => index),
}

export const signerOf = (signingKey: SigningKey, ceiling?: Block): Signer => ({
  kid: signingKey.kid,
  status: 'active',
  begin: beginWith(signingKey.secret, nodeMac),
  ...(ceiling !== undefined && { ceiling }),
})

const bucket = fc.constantFrom('reports', 'images', 'report')
const segment = fc.constantFrom(
  'a',
  'ab',
  'b.pdf',
  '2026',
  'q3 (1).txt',
  'Ü',
  "it's",
  '%2e',
  '日本',
)
const segments = fc.array(segment, { maxLength: 3 })

export const anyObject: fc.Arbitrary<ObjectPath> = fc
  .tuple(bucket, segments, segment)
  .map(([first, middle, last]) => [first, ...middle, last].join('/') as ObjectPath)

export const anyPrefix: fc.Arbitrary<Prefix> = fc.oneof(
  fc.constant('' as Prefix),
  fc.tuple(bucket, segments).map(([first, rest]) => `${[first, ...rest].join('/')}/` as Prefix),
)

export const anyScope: fc.Arbitrary<string> = fc.oneof(
  fc.constant('/'),
  anyObject,
  anyPrefix.map((prefix) => prefix || '/'),
)

const some = <T>(...values: readonly T[]) => fc.subarray([...values], { minLength: 1 })
const time = fc.integer({ min: NOW - 120, max: NOW + 120 })

/** Claims that any block may state. */
const claims = {
  sub: fc.constantFrom('alice', 'app 7', '日本'),
  nbf: time,
  exp: time,
  path: fc.oneof(anyScope, fc.array(anyScope, { minLength: 1, maxLength: 3 })),
  match: fc.constantFrom('*', '**', '*.pdf', '**/a', '?', 'a*'),
  methods: some(...METHODS),
  size: fc
    .tuple(fc.nat(20), fc.nat(40))
    .map(([least, more]): [number, number] => [least, least + more]),
  types: some('image/*', 'text/plain', '*/*', 'image/png'),
  sha256: fc.constantFrom('ab'.repeat(32), 'CD'.repeat(32)),
  create: fc.constant(true as const),
  ip: some('192.0.2.0/24', '2001:db8::/32', '0.0.0.0/0', '192.0.2.7/32'),
  origins: some('https://app.example.com', 'http://localhost:5173'),
  headers: fc.constantFrom(
    { 'X-Team': 'blue' },
    { 'x-team': 'red' },
    { 'X-Team': 'blue', via: 'me' },
  ),
  tls: fc.constant(true as const),
  respond: fc.constantFrom({ 'content-type': 'text/plain' }, { 'cache-control': 'no-cache' }),
  ttl: fc.integer({ min: 1, max: 100 }),
}

const jti = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const counted = fc.oneof(
  fc.constant({}),
  fc.record({ jti }),
  fc.record({ jti, uses: fc.integer({ min: 1, max: 5 }) }),
)

/** A few claims at once: with many, nearly every attempt would be refused. */
const few = fc
  .subarray(Object.keys(claims) as (keyof typeof claims)[], { maxLength: 3 })
  .chain((names) => {
    const chosen = names.map((name) => [name, claims[name]] as const)
    return fc.record(Object.fromEntries(chosen)) as fc.Arbitrary<Block>
  })

export const anyLaterBlock: fc.Arbitrary<Block> = fc
  .tuple(few, counted)
  .map(([stated, ids]) => ({ ...stated, ...ids }))

export const anyFirstBlock: fc.Arbitrary<FirstBlock> = fc
  .tuple(
    few,
    fc.record({ path: claims.path, methods: claims.methods, exp: claims.exp }),
    fc.record({ jti, iat: time, uses: fc.integer({ min: 1, max: 5 }) }, { requiredKeys: ['jti'] }),
  )
  .map(([stated, required, ids]) => ({ ...stated, kid: SIGNING_KEY.kid, ...required, ...ids }))

/** Likely to be allowed by a block now and then. */
export const anyAttempt: fc.Arbitrary<Attempt> = fc
  .record({
    now: time.map((at) => at as UnixSeconds),
    method: fc.constantFrom(...METHODS),
    path: fc.oneof(anyObject, anyPrefix).map((text) => parsePath(text).path),
    address: fc.constantFrom('192.0.2.7', '2001:db8::1', '203.0.113.1', ''),
    tls: fc.boolean(),
    origin: fc.constantFrom(undefined, 'https://app.example.com', 'https://evil.example'),
    team: fc.constantFrom(undefined, 'blue', 'red'),
    size: fc.option(fc.nat(60), { nil: undefined }),
    type: fc.constantFrom('image/png', 'text/plain; charset=utf-8', 'nonsense'),
  })
  .map(({ origin, team, size, type, ...rest }) => ({
    ...rest,
    ...(origin !== undefined && { origin }),
    header: (name: string) => (name === 'x-team' ? team : undefined),
    ...(rest.method === 'PUT' && {
      upload: { ...(size !== undefined && { size: size as Bytes }), type },
    }),
  }))
