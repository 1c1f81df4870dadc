/** What AWS's own SDK signs, this verifies: no request is sent. */
import { Readable } from 'node:stream'
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, test } from 'vitest'
import { nodeHashing } from '../../key/dialects/node-sigv4.ts'
import { claimPost, verifyPost } from '../../key/dialects/post-policy.ts'
import type { SigV4Request } from '../../key/dialects/sigv4-claim.ts'
import type { SigV4Verified } from '../../key/dialects/sigv4-verify.ts'
import { lookupVector, vectors, verified } from '../support/sigv4.ts'

const ENDPOINT = 'http://files.example.com:8080'
const { accessKeyId, secretAccessKey } = vectors

interface Sent {
  readonly method: string
  readonly path: string
  readonly query: Record<string, string | string[] | null>
  readonly headers: Record<string, string>
}
const sent: Sent[] = []

const client = new S3Client({
  region: 'eu-central-1',
  endpoint: ENDPOINT,
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
  maxAttempts: 1,
  requestHandler: {
    async handle(request: unknown) {
      sent.push(request as Sent)
      throw new Error('not sent')
    },
  } as never,
})

const KEYS = [
  'a',
  'a//b',
  '../a/./b',
  '.',
  "a b+c'd(é)*!.txt",
  'a%2Fb',
  'ü/日本/😀',
  'a?b#c&d=e',
  '/leading',
  'trailing/',
  'x'.repeat(1024),
]

const Bucket = 'bucket'

/** As the SDK would have sent it. */
async function signedBy(command: PutObjectCommand | GetObjectCommand | ListObjectsV2Command) {
  await client.send(command as GetObjectCommand).catch(() => undefined)
  const request = sent.pop()
  if (request === undefined) throw new Error('nothing was signed')
  const query = Object.entries(request.query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value ?? ''))}`,
  )
  const target = request.path + (query.length > 0 ? `?${query.join('&')}` : '')
  return { method: request.method, target, rawHeaders: Object.entries(request.headers).flat() }
}

const accepted = (request: SigV4Request): SigV4Verified => {
  const found = verified(request)
  if (found === undefined) throw new Error('the request carries no signature')
  return found
}

describe.each(KEYS)('the key %s', (Key) => {
  const ofUrl = (method: string, url: string, headers: readonly string[] = []) =>
    accepted({
      method,
      target: url.slice(ENDPOINT.length),
      rawHeaders: ['Host', 'files.example.com:8080', ...headers],
    })

  test('presigned', async () => {
    const get = new GetObjectCommand({ Bucket, Key, ResponseContentDisposition: 'inline; a="b"' })
    const { grant } = ofUrl('GET', await getSignedUrl(client, get, { expiresIn: 60 }))
    expect(grant.blocks[0]?.respond).toEqual({ 'content-disposition': 'inline; a="b"' })
    const put = new PutObjectCommand({
      Bucket,
      Key,
      Metadata: { colour: 'blue' },
      IfNoneMatch: '*',
    })
    const { hoisted } = ofUrl('PUT', await getSignedUrl(client, put), ['If-None-Match', '*'])
    expect(hoisted.get('x-amz-meta-colour')).toBe('blue')
    expect(hoisted.get('x-amz-checksum-crc32')).toBe('AAAAAA==')
    const part = new UploadPartCommand({ Bucket, Key, UploadId: 'u/+=', PartNumber: 7 })
    ofUrl('PUT', await getSignedUrl(client, part))
  })

  test('signed in the header', async () => {
    expect(accepted(await signedBy(new GetObjectCommand({ Bucket, Key }))).grant.kid).toBe(
      accessKeyId,
    )
    const buffer = await signedBy(new PutObjectCommand({ Bucket, Key, Body: 'hello' }))
    expect(accepted(buffer).payload).toMatchObject({ kind: 'sha256' })
    const Body = Readable.from([Buffer.from('hello')])
    const stream = await signedBy(new PutObjectCommand({ Bucket, Key, Body, ContentLength: 5 }))
    expect(accepted(stream).payload).toEqual({ kind: 'streaming', trailer: true })
  })

  test('in a form', async () => {
    const { fields } = await createPresignedPost(client, {
      Bucket,
      Key,
      Conditions: [['content-length-range', 1, 9]],
      Fields: { acl: 'private' },
    })
    const claimed = claimPost(Object.entries(fields))
    const found =
      claimed &&
      verifyPost(
        claimed,
        { bucket: Bucket, fileName: 'f' },
        { lookup: lookupVector, hashing: nodeHashing },
      )
    expect(found?.key).toBe(Key)
    expect(found?.grant.blocks[0]?.size).toEqual([1, 9])
  })
})

test('a listing, with everything in its query', async () => {
  const command = new ListObjectsV2Command({
    Bucket,
    Prefix: "a b/+&=é'",
    Delimiter: '/',
    StartAfter: '',
    EncodingType: 'url',
  })
  expect(accepted(await signedBy(command)).grant.kid).toBe(accessKeyId)
})
