/** Who may keep a response: what an uploader stored with an object lends a key out to nobody. */
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FirstBlock } from '../../key/claims.ts'
import { hashPin } from '../../key/node-pin.ts'
import { secondsOf } from '../../key/units.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { s3Client, s3Key } from '../support/s3.ts'

let house: House
let client: S3Client
const now = secondsOf(Date.now())
const LIFE = 900
const Bucket = 'cached'
const dateIn = (seconds: number) => new Date((now + seconds) * 1000).toUTCString()
const FAR = dateIn(31_536_000)

beforeAll(async () => {
  house = await openHouse({ clock: { now: () => now } })
  client = s3Client(house, await s3Key(house))
  const CacheControl = 'public, max-age=31536000, immutable'
  await put('public', { CacheControl, Expires: new Date(FAR) })
})
afterAll(async () => {
  client.destroy()
  await house.close()
})

const put = (Key: string, more: { CacheControl?: string; Expires?: Date }) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: 'secret', ...more }))

const mint = (claims: Partial<FirstBlock> = {}) => house.mint({ exp: now + LIFE, ...claims })

interface Caching {
  readonly control: string | undefined
  readonly expires: string | undefined
  readonly vary: string | undefined
}

async function cachingAt(url: string, headers: Record<string, string> = {}): Promise<Caching> {
  const answer = await ask(url, { headers })
  expect(answer.status).toBe(200)
  const { 'cache-control': control, expires, vary } = answer.headers
  return { control, expires, vary }
}

const nothing = { control: 'private, no-store', expires: undefined, vary: undefined }

describe('what an uploader said of caches', () => {
  test('holds for the browser of whoever has the URL, for as long as it lives', async () => {
    expect(await cachingAt(house.url(`${Bucket}/public`, mint()))).toEqual({
      control: `private, max-age=${LIFE}, immutable`,
      expires: dateIn(LIFE),
      vary: undefined,
    })
  })

  test.each([
    ['s-maxage=500', `private, max-age=${LIFE}`],
    ['max-age=60, stale-while-revalidate=86400', 'private, max-age=60'],
    ['no-cache, proxy-revalidate, public', `private, no-cache, max-age=${LIFE}`],
    ['no-cache="x, public", S-MAXAGE = 9', `private, max-age=${LIFE}`],
    ['no-store, no-transform', 'private, no-store, no-transform'],
    ['public=1, max-age=1', 'private, max-age=1'],
  ])('and never for a cache that many share: %s', async (CacheControl, sent) => {
    await put('stated', { CacheControl })
    const { control } = await cachingAt(house.url(`${Bucket}/stated`, mint()))
    expect(control).toBe(sent)
  })

  test('is nothing to a key outside the URL', async () => {
    const url = house.url(`${Bucket}/public`)
    const key = mint()
    expect(await cachingAt(url, { authorization: `Bearer ${key}` })).toEqual(nothing)
    expect(await cachingAt(url, { cookie: `vk=${key}` })).toEqual(nothing)
  })

  interface Limit {
    readonly what: string
    readonly claims: Partial<FirstBlock>
    readonly headers?: Record<string, string>
  }
  const limits: readonly Limit[] = [
    { what: 'uses', claims: { jti: 'cached-uses', uses: 9 } },
    { what: 'bytes', claims: { jti: 'cached-bytes', bytes: 900 } },
    { what: 'ip', claims: { ip: ['127.0.0.0/8'] } },
    { what: 'headers', claims: { headers: { 'X-Team': 'blue' } }, headers: { 'x-team': 'blue' } },
    { what: 'origins', claims: { origins: ['https://app.example.com'] } },
    { what: 'plan', claims: { plan: 'cached' } },
    { what: 'pin', claims: { jti: 'cached-pin', pin: true }, headers: { 'valetkey-pin': '4711' } },
  ]
  test.each(limits)('is nothing where a cache would pass by $what', async ({ claims, headers }) => {
    await house.ledger.keepNotes([{ id: 'cached-pin', pin: await hashPin('4711') }])
    const plan = { kind: 'plan', name: 'cached', plan: { per: 'key' }, changedAt: now } as const
    await house.ledger.setRule(plan)
    const key = mint({ ...claims, jti: claims.jti ?? 'cached' })
    const { control, expires } = await cachingAt(house.url(`${Bucket}/public`, key), headers)
    expect([control, expires]).toEqual([nothing.control, nothing.expires])
  })

  test('nor where the limit is in a block that was added', async () => {
    const key = house.narrow(mint(), { ip: ['127.0.0.1/32'] })
    expect(await cachingAt(house.url(`${Bucket}/public`, key))).toEqual(nothing)
  })
})

describe('what the key says of caches', () => {
  const stated = { 'cache-control': 'public, max-age=31536000', expires: FAR }

  test('counts for as long as it lives, whatever it limits', async () => {
    const key = mint({ jti: 'cached-by-key', uses: 9, respond: stated })
    expect(await cachingAt(house.url(`${Bucket}/public`, key))).toEqual({
      control: `public, max-age=${LIFE}`,
      expires: dateIn(LIFE),
      vary: undefined,
    })
  })

  test('and in a cookie for whoever sends that cookie', async () => {
    const cookie = `vk=${mint({ respond: stated })}`
    const { control, vary } = await cachingAt(house.url(`${Bucket}/public`), { cookie })
    expect([control, vary]).toEqual([`public, max-age=${LIFE}`, 'Cookie'])
  })

  test('a date that can not be read is one that has been', async () => {
    const key = mint({ respond: { expires: 'next summer' } })
    expect((await cachingAt(house.url(`${Bucket}/public`, key))).expires).toBe('0')
  })
})

describe('to clients of S3', () => {
  const presigned = (s3: S3Client) =>
    getSignedUrl(
      s3,
      new GetObjectCommand({ Bucket, Key: 'public' }) as never,
      {
        expiresIn: 60,
        signingDate: new Date(now * 1000),
      } as never,
    )

  test('a presigned URL says what was stored, for as long as it lives', async () => {
    expect(await cachingAt(await presigned(client))).toEqual({
      control: 'public, max-age=60, immutable',
      expires: dateIn(60),
      vary: undefined,
    })
  })

  test('but nothing where the credential is for some addresses only', async () => {
    const bound = s3Client(house, await s3Key(house, { ip: ['127.0.0.0/8'] }))
    expect(await cachingAt(await presigned(bound))).toEqual(nothing)
    bound.destroy()
  })

  test('a signed request gets what was stored, for itself alone', async () => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'public' }))
    expect(got.CacheControl).toBe('private, max-age=31536000, immutable')
    expect(got.ExpiresString).toBe(FAR)
  })
})
