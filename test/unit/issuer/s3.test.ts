import { describe, expect, it } from 'vitest'
import { OptionsError } from '../../../issuer/options.ts'
import {
  presignedPost,
  presignedUrl,
  type S3MintContext,
  s3Credentials,
} from '../../../issuer/s3.ts'
import { nodeHashing } from '../../../key/dialects/node-sigv4.ts'
import { claimPost, verifyPost } from '../../../key/dialects/post-policy.ts'
import { readBlocks, readKey } from '../../../key/sign.ts'
import type { Seconds, UnixSeconds } from '../../../key/units.ts'
import { lookupVector, vectorKey, vectors, verified } from '../../support/sigv4.ts'

const NOW = 1_800_000_000 as UnixSeconds
const context: S3MintContext = {
  credential: { accessKeyId: vectors.accessKeyId, dateKey: vectorKey },
  region: 'us-east-1',
  now: NOW,
  publicUrl: 'https://h/files/',
  defaultLife: 900 as Seconds,
  maxLife: 30_000_000 as Seconds,
}

/** As the gateway sees a URL that was made. */
function seen(url: string, method: string, headers: readonly string[] = []) {
  const target = url.slice('https://h'.length)
  return verified({ method, target, rawHeaders: ['Host', 'h', ...headers] })
}
const optionsRefused = (make: () => unknown): readonly string[] => {
  try {
    make()
  } catch (error) {
    if (error instanceof OptionsError) return error.mistakes.map(({ option }) => option)
    throw error
  }
  return []
}

describe('a presigned URL', () => {
  it('is for one object, one method, until it expires', () => {
    const made = presignedUrl(
      { path: 'bucket/a b*.txt', expires: '1h', attachment: 'x.txt' },
      context,
    )
    expect(made).toMatchObject({ method: 'GET', path: 'bucket/a b*.txt', expires: NOW + 3600 })
    expect(made.url).toMatch(/^https:\/\/h\/files\/bucket\/a%20b%2A\.txt\?X-Amz-Algorithm=/)
    const { grant } = seen(made.url, 'GET') ?? {}
    expect(grant?.blocks[0]).toMatchObject({
      exp: NOW + 3600,
      respond: { 'content-disposition': expect.stringContaining('x.txt') },
    })
  })

  it('lists a prefix', () => {
    const { url } = presignedUrl({ path: 'bucket/a/', methods: 'LIST' }, context)
    expect(url).toMatch(/^https:\/\/h\/files\/bucket\?.*&list-type=2&prefix=a%2F&/)
    expect(seen(url, 'GET')?.grant.kid).toBe(vectors.accessKeyId)
  })

  it('makes the request carry what was stated', () => {
    const options = {
      path: 'bucket/a',
      methods: 'PUT',
      types: 'image/png',
      headers: 'X-Team: blue',
      sha256: 'AB'.repeat(32),
    }
    const { url } = presignedUrl(options, context)
    const found = seen(url, 'PUT', ['Content-Type', 'image/png', 'X-Team', 'blue'])
    expect(found?.payload).toEqual({ kind: 'sha256', sha256: 'ab'.repeat(32) })
    expect(() => seen(url, 'PUT', ['Content-Type', 'text/html', 'X-Team', 'blue'])).toThrow()
    expect(() => seen(url, 'PUT')).toThrow()
  })

  it('refuses what it can not say, and all of it at once', () => {
    const options = { path: 'bucket/a', uses: 1, ip: '10.0.0.1', maxSize: 5, id: 'x', ttl: 5 }
    expect(optionsRefused(() => presignedUrl(options, context)).toSorted()).toEqual([
      'id',
      'ip',
      'maxSize',
      'ttl',
      'uses',
    ])
  })

  it.each([
    [{ path: 'bucket/a', expires: '8d' }, 'expires'],
    [{ path: 'bucket/a/' }, 'path'],
    [{ path: '/' }, 'path'],
    [{ path: ['bucket/a', 'bucket/b'] }, 'path'],
    [{ path: 'bucket/a', methods: 'GET,PUT' }, 'methods'],
    [{ path: 'bucket/a', methods: 'PUT', types: 'image/*' }, 'types'],
  ])('refuses %j', (options, option) => {
    expect(optionsRefused(() => presignedUrl(options, context))).toEqual([option])
  })
})

describe('a form', () => {
  const upload = (fields: Readonly<Record<string, string>>, more: Record<string, string> = {}) => {
    const claimed = claimPost(Object.entries({ ...fields, ...more }))
    if (claimed === undefined) throw new Error('the form has no policy')
    const options = { lookup: lookupVector, hashing: nodeHashing }
    return verifyPost(claimed, { bucket: 'bucket', fileName: 'cat.png' }, options)
  }

  it('uploads beneath a prefix, what was stated', () => {
    const made = presignedPost({ path: 'bucket/up/', maxSize: '1KiB', types: 'image/*' }, context)
    expect(made.url).toBe('https://h/files/bucket')
    const { key, grant } = upload(made.fields, { 'Content-Type': 'image/png' })
    expect(key).toBe('up/cat.png')
    expect(grant.blocks[0]).toMatchObject({ size: [0, 1024], types: ['image/*'], exp: NOW + 900 })
    expect(() => upload(made.fields, { 'Content-Type': 'text/html' })).toThrow(/type_not_granted/)
    expect(() => upload(made.fields, { key: 'other/a' })).toThrow(/path_not_granted/)
  })

  it('uploads one object, of one type', () => {
    const { fields } = presignedPost({ path: 'bucket/a', types: 'image/png' }, context)
    expect(fields['Content-Type']).toBe('image/png')
    expect(upload(fields).key).toBe('a')
    expect(() => upload(fields, { key: 'b' })).toThrow(/path_not_granted/)
  })

  it('takes any type where none was stated', () => {
    const { fields } = presignedPost({ path: 'bucket/a' }, context)
    expect(upload(fields).key).toBe('a')
    expect(upload(fields, { 'Content-Type': 'text/plain' }).key).toBe('a')
  })

  it.each([
    [{ path: 'bucket/a', methods: 'GET' }, 'methods'],
    [{ path: 'bucket/a', types: ['image/png', 'image/gif'] }, 'types'],
    [{ path: 'bucket/a', uses: 1 }, 'uses'],
  ])('refuses %j', (options, option) => {
    expect(optionsRefused(() => presignedPost(options, context))).toEqual([option])
  })
})

it('temporary credentials say all that a key can', () => {
  const signingKey = { kid: 'k1', secret: new Uint8Array(32).fill(7) }
  const options = { path: 'bucket/', methods: 'GET,PUT', uses: 3, ip: '10.0.0.0/8', id: 'mine' }
  const made = s3Credentials(options, { ...context, signingKey })
  expect(made.credentials).toMatchObject({ accessKeyId: 'mine', expires: NOW + 900 })
  expect(readBlocks(readKey(made.credentials.sessionToken))).toEqual([made.claims])
  expect(made.claims).toMatchObject({
    kid: 'k1',
    aud: 'sigv4',
    uses: 3,
    create: true,
    methods: ['GET', 'PUT'],
  })
})
