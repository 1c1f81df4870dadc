/** AWS's own client in every operation that is served, as its users call them. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  paginateListBuckets,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { s3Client, s3Key } from '../support/s3.ts'
import { Tus } from '../support/tus.ts'

let house: House
let client: S3Client
const Bucket = 'operations'

beforeAll(async () => {
  house = await openHouse()
  client = s3Client(house, await s3Key(house))
})
afterAll(async () => {
  client.destroy()
  await house.close()
})

const put = (
  Key: string,
  Body: string | Uint8Array = Key,
  more: Partial<PutObjectCommandInput> = {},
) => client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const textOf = async (Key: string, more = {}): Promise<string | undefined> =>
  (await client.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body?.transformToString()
const md5 = (content: string | Uint8Array): string =>
  createHash('md5').update(content).digest('hex')

/** Name and status of a refusal. */
const refused = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } })

describe('an object', () => {
  test('has the MD5 of its content as ETag', async () => {
    const { ETag } = await put('etag', 'content')
    expect(ETag).toBe(`"${md5('content')}"`)
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'etag' }))).ETag).toBe(ETag)
  })

  test('keeps what was stated of it', async () => {
    await put('stated', 'content', {
      ContentType: 'text/plain',
      ContentLanguage: 'de',
      ContentEncoding: 'identity',
      ContentDisposition: 'inline; filename="a.txt"',
      CacheControl: 'max-age=60, public',
      Expires: new Date('2030-01-01T00:00:00Z'),
      Metadata: { team: 'blue', UPPER: 'Case' },
      Tagging: 'a=1&b=two%20words',
    })
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'stated' }))
    await got.Body?.transformToString()
    expect(got).toMatchObject({
      ContentType: 'text/plain',
      ContentLanguage: 'de',
      ContentEncoding: 'identity',
      ContentDisposition: 'inline; filename="a.txt"',
      CacheControl: 'private, max-age=60',
      ExpiresString: 'Tue, 01 Jan 2030 00:00:00 GMT',
      Metadata: { team: 'blue', upper: 'Case' },
      TagCount: 2,
    })
  })

  test('is read in ranges and under conditions', async () => {
    const { ETag } = await put('read', '0123456789')
    const get = (more: object) =>
      client.send(new GetObjectCommand({ Bucket, Key: 'read', ...more }))
    const part = await get({ Range: 'bytes=2-4' })
    expect([await part.Body?.transformToString(), part.ContentRange]).toEqual([
      '234',
      'bytes 2-4/10',
    ])
    await expect(get({ Range: 'bytes=10-' })).rejects.toMatchObject(refused('InvalidRange', 416))
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject(
      refused('PreconditionFailed', 412),
    )
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    })
  })

  test('is served as the request says, and never as a page', async () => {
    await put('override', '<script>', { ContentType: 'text/plain' })
    const got = await client.send(
      new GetObjectCommand({
        Bucket,
        Key: 'override',
        ResponseContentType: 'text/html',
        ResponseContentDisposition: 'inline',
        ResponseCacheControl: 'no-cache',
        ResponseContentLanguage: 'fr',
      }),
    )
    await got.Body?.transformToString()
    expect(got.ContentType).toBe('text/html')
    expect(got.ContentDisposition).toMatch(/^attachment/)
    expect(got.ContentLanguage).toBe('fr')
  })

  test('is put only where the condition holds', async () => {
    const { ETag } = await put('conditional', 'one')
    await expect(put('conditional', 'two', { IfNoneMatch: '*' })).rejects.toMatchObject(
      refused('PreconditionFailed', 412),
    )
    await expect(put('conditional', 'two', { IfMatch: '"other"' })).rejects.toMatchObject(
      refused('PreconditionFailed', 412),
    )
    await put('conditional', 'two', { IfMatch: ETag ?? '' })
    expect(await textOf('conditional')).toBe('two')
  })

  test('is not kept where its MD5 is another', async () => {
    const ContentMD5 = createHash('md5').update('other').digest('base64')
    await expect(put('wrong', 'content', { ContentMD5 })).rejects.toMatchObject(
      refused('BadDigest', 400),
    )
    await expect(textOf('wrong')).rejects.toMatchObject(refused('NoSuchKey', 404))
  })

  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'tells its %s, which the client checks',
    async (ChecksumAlgorithm) => {
      const answer = await put(ChecksumAlgorithm, 'content', { ChecksumAlgorithm })
      const key = `Checksum${ChecksumAlgorithm}` as const
      expect(answer[key]).toBeTypeOf('string')
      const head = await client.send(
        new HeadObjectCommand({ Bucket, Key: ChecksumAlgorithm, ChecksumMode: 'ENABLED' }),
      )
      expect([head[key], head.ChecksumType]).toEqual([answer[key], 'FULL_OBJECT'])
      expect(await textOf(ChecksumAlgorithm, { ChecksumMode: 'ENABLED' })).toBe('content')
    },
  )

  test('has tags that change', async () => {
    await put('tagged')
    const tags = { Bucket, Key: 'tagged' }
    const TagSet = [{ Key: 'a', Value: '1' }]
    await client.send(new PutObjectTaggingCommand({ ...tags, Tagging: { TagSet } }))
    expect((await client.send(new GetObjectTaggingCommand(tags))).TagSet).toEqual(TagSet)
    await client.send(new DeleteObjectTaggingCommand(tags))
    expect((await client.send(new GetObjectTaggingCommand(tags))).TagSet).toEqual([])
    expect(await textOf('tagged')).toBe('tagged')
  })
})

describe('a copy', () => {
  const copy = (Key: string, CopySource: string, more = {}) =>
    client.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...more }))

  test('has content, type and metadata of its source', async () => {
    await put('source ä/+', 'content', { ContentType: 'text/plain', Metadata: { a: 'b' } })
    const { CopyObjectResult } = await copy(
      'copied',
      `${Bucket}/${encodeURIComponent('source ä/+')}`,
    )
    expect(CopyObjectResult?.ETag).toBe(`"${md5('content')}"`)
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'copied' }))
    expect(head).toMatchObject({ ContentType: 'text/plain', Metadata: { a: 'b' } })
    expect(await textOf('copied')).toBe('content')
  })

  test.each([
    ['plus+of', 'plus of'],
    ['plus%2Bof', 'plus+of'],
    ['plus%20of', 'plus of'],
  ])('of %s is of "%s", also as a part', async (stated, key) => {
    await put('plus of', 'plus of')
    await put('plus+of', 'plus+of')
    await copy('copy-of-plus', `${Bucket}/${stated}`)
    expect(await textOf('copy-of-plus')).toBe(key)
    const target = { Bucket, Key: 'part-of-plus' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({
        ...target,
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/${stated}`,
      }),
    )
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: CopyPartResult?.ETag }] }
    await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }))
    expect(await textOf('part-of-plus')).toBe(key)
  })

  test('onto itself changes what is stated of it, and nothing else', async () => {
    await put('self', 'content', { Metadata: { a: 'b' } })
    await expect(copy('self', `/${Bucket}/self`)).rejects.toMatchObject(
      refused('InvalidRequest', 400),
    )
    await copy('self', `/${Bucket}/self`, { MetadataDirective: 'REPLACE', Metadata: { c: 'd' } })
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'self' }))
    expect(head.Metadata).toEqual({ c: 'd' })
    expect(await textOf('self')).toBe('content')
  })

  test('onto itself for its storage class changes nothing else', async () => {
    const { ETag } = await put('tier', 'content', { ContentType: 'text/plain', Tagging: 'a=b' })
    const { CopyObjectResult } = await copy('tier', `/${Bucket}/tier`, { StorageClass: 'STANDARD' })
    expect(CopyObjectResult?.ETag).toBe(ETag)
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'tier' }))
    expect(await got.Body?.transformToString()).toBe('content')
    expect(got).toMatchObject({ ETag, ContentType: 'text/plain', TagCount: 1 })
    await expect(
      copy('tier', `/${Bucket}/tier`, { StorageClass: 'GLACIER' }),
    ).rejects.toMatchObject(refused('NotImplemented', 501))
  })

  test('is made of what is there, as the conditions say', async () => {
    await expect(copy('none', `${Bucket}/nowhere`)).rejects.toMatchObject(refused('NoSuchKey', 404))
    await put('conditions', 'x')
    await expect(
      copy('none', `${Bucket}/conditions`, { CopySourceIfMatch: '"other"' }),
    ).rejects.toMatchObject(refused('PreconditionFailed', 412))
  })
})

describe('a listing', () => {
  beforeAll(async () => {
    for (const key of ['l/a', 'l/b/1', 'l/b/2', 'l/c', 'l/d é+', 'list', 'l/e\u0001'])
      await put(key)
  })
  const list = (more = {}) => client.send(new ListObjectsV2Command({ Bucket, ...more }))
  const keys = (contents: readonly { Key?: string | undefined }[] = []) =>
    contents.map(({ Key }) => Key)

  test('groups by a delimiter', async () => {
    const found = await list({ Prefix: 'l/', Delimiter: '/' })
    expect(keys(found.Contents)).toEqual(['l/a', 'l/c', 'l/d é+', 'l/e\u0001'])
    expect(found.CommonPrefixes).toEqual([{ Prefix: 'l/b/' }])
    expect(found).toMatchObject({ KeyCount: 5, IsTruncated: false })
  })

  test('takes any prefix, and goes on where it ended', async () => {
    expect(keys((await list({ Prefix: 'li' })).Contents)).toEqual(['list'])
    const seen: (string | undefined)[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await list({ Prefix: 'l/', MaxKeys: 2, ContinuationToken })
      expect(page.KeyCount).toBeLessThanOrEqual(2)
      seen.push(...keys(page.Contents))
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    expect(seen).toEqual(['l/a', 'l/b/1', 'l/b/2', 'l/c', 'l/d é+', 'l/e\u0001'])
  })

  test('begins after a key, encodes names, tells owners, and can ask for nothing', async () => {
    const after = await list({ Prefix: 'l/', StartAfter: 'l/c', EncodingType: 'url' })
    expect(keys(after.Contents)).toEqual(['l/d%20%C3%A9%2B', 'l/e%01'])
    const owned = await list({ Prefix: 'l/a', FetchOwner: true })
    expect(owned.Contents?.[0]).toMatchObject({ Owner: { ID: 'valetkey' }, Size: 3 })
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false })
  })

  test('of the first version has markers', async () => {
    const first = await client.send(
      new ListObjectsCommand({ Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 2 }),
    )
    expect([keys(first.Contents), first.CommonPrefixes, first.NextMarker]).toEqual([
      ['l/a'],
      [{ Prefix: 'l/b/' }],
      'l/b/',
    ])
    const next = await client.send(
      new ListObjectsCommand({ Bucket, Prefix: 'l/', Delimiter: '/', Marker: first.NextMarker }),
    )
    expect(keys(next.Contents)).toEqual(['l/c', 'l/d é+', 'l/e\u0001'])
  })
})

describe('several objects', () => {
  test('are deleted at once', async () => {
    for (const key of ['m/1', 'm/2 &<>']) await put(key)
    const Objects = [{ Key: 'm/1' }, { Key: 'm/2 &<>' }, { Key: 'm/nothing' }]
    const { Deleted, Errors } = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
    )
    expect([Deleted?.map(({ Key }) => Key), Errors]).toEqual([
      ['m/1', 'm/2 &<>', 'm/nothing'],
      undefined,
    ])
    await expect(textOf('m/1')).rejects.toMatchObject(refused('NoSuchKey', 404))
    const quiet = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
    )
    expect(quiet.Deleted).toBeUndefined()
  })
})

describe('a bucket', () => {
  test('is made, found, listed and removed once it is empty', async () => {
    const own = { Bucket: 'fresh-bucket' }
    await expect(client.send(new HeadBucketCommand(own))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    })
    await expect(client.send(new ListObjectsV2Command(own))).rejects.toMatchObject(
      refused('NoSuchBucket', 404),
    )
    await client.send(new CreateBucketCommand(own))
    await expect(client.send(new CreateBucketCommand(own))).rejects.toMatchObject(
      refused('BucketAlreadyOwnedByYou', 409),
    )
    await client.send(new HeadBucketCommand(own))
    const { Buckets } = await client.send(new ListBucketsCommand({}))
    expect(Buckets?.map(({ Name }) => Name)).toContain('fresh-bucket')
    await client.send(new PutObjectCommand({ ...own, Key: 'x', Body: 'x' }))
    await expect(client.send(new DeleteBucketCommand(own))).rejects.toMatchObject(
      refused('BucketNotEmpty', 409),
    )
    await client.send(new DeleteObjectsCommand({ ...own, Delete: { Objects: [{ Key: 'x' }] } }))
    await client.send(new DeleteBucketCommand(own))
  })

  test('is listed page by page, by prefix and by region', async () => {
    const names = ['paged-a', 'paged-b', 'paged-c', 'paged-d', 'paged-e']
    for (const name of names) await client.send(new CreateBucketCommand({ Bucket: name }))
    const found: (string | undefined)[][] = []
    const pages = paginateListBuckets({ client, pageSize: 2 }, { Prefix: 'paged-' })
    for await (const { Buckets = [], Prefix } of pages) {
      found.push(Buckets.map(({ Name }) => Name))
      expect(Prefix).toBe('paged-')
    }
    expect(found).toEqual([['paged-a', 'paged-b'], ['paged-c', 'paged-d'], ['paged-e']])
    const inRegion = async (BucketRegion: string) =>
      (await client.send(new ListBucketsCommand({ Prefix: 'paged-', BucketRegion }))).Buckets ?? []
    expect((await inRegion('us-east-1')).map(({ Name }) => Name)).toEqual(names)
    expect((await inRegion('us-east-1'))[0]).toMatchObject({ BucketRegion: 'us-east-1' })
    expect(await inRegion('eu-central-1')).toEqual([])
    const odd = client.send(new ListBucketsCommand({ MaxBuckets: 10_001 }))
    await expect(odd).rejects.toMatchObject(refused('InvalidArgument', 400))
  })

  test('is listed to those who may see it, whatever the page', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'seen-a' }))
    await client.send(new CreateBucketCommand({ Bucket: 'seen-b' }))
    const one = s3Client(house, await s3Key(house, { path: 'seen-b/', methods: ['LIST'] }))
    const { Buckets, ContinuationToken } = await one.send(new ListBucketsCommand({ MaxBuckets: 1 }))
    expect([Buckets?.map(({ Name }) => Name), ContinuationToken]).toEqual([['seen-b'], undefined])
    one.destroy()
  })

  test('has a location, and no versions', async () => {
    await put('there')
    const { LocationConstraint } = await client.send(new GetBucketLocationCommand({ Bucket }))
    expect(LocationConstraint).toBeUndefined()
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket }))
    expect(Status).toBeUndefined()
  })

  test('refuses by name what is not served', async () => {
    await expect(client.send(new GetBucketAclCommand({ Bucket }))).rejects.toMatchObject({
      ...refused('NotImplemented', 501),
      message: expect.stringContaining('GetBucketAcl'),
    })
    await expect(put('acl', 'x', { ACL: 'public-read' })).rejects.toMatchObject({
      ...refused('NotImplemented', 501),
      message: expect.stringContaining('x-amz-acl'),
    })
  })
})

describe('an upload in parts', () => {
  const FIVE = 5 << 20
  const content = Buffer.alloc(FIVE * 2 + 1000, 'valetkey')

  test('by lib-storage becomes one object, which can be read by parts', async () => {
    const upload = new Upload({
      client,
      params: { Bucket, Key: 'large', Body: content, Metadata: { a: 'b' } },
      partSize: FIVE,
    })
    const { ETag } = await upload.done()
    expect(ETag).toMatch(/^"[0-9a-f]{32}-3"$/)
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'large' }))
    expect(content.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true)
    expect(got).toMatchObject({ ETag, Metadata: { a: 'b' }, ContentLength: content.length })
    const part = await client.send(
      new GetObjectCommand({ Bucket, Key: 'large', PartNumber: 3, ChecksumMode: 'ENABLED' }),
    )
    expect(part).toMatchObject({ ContentLength: 1000, PartsCount: 3 })
    expect((await part.Body?.transformToByteArray())?.length).toBe(1000)
  })

  test('of another protocol are none of S3', async () => {
    const tus = new Tus(house, house.mint({ methods: ['PUT'] }))
    const location = await tus.begun({ path: `${Bucket}/by-tus`, length: 10 })
    const UploadId = location.split('/')[3]
    const target = { Bucket, Key: 'by-tus', UploadId }
    const none = refused('NoSuchUpload', 404)
    await expect(client.send(new ListPartsCommand(target))).rejects.toMatchObject(none)
    const part = { ...target, PartNumber: 1, Body: 'x' }
    await expect(client.send(new UploadPartCommand(part))).rejects.toMatchObject(none)
    const listed = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'by-tus' }))
    expect(listed.Uploads ?? []).toEqual([])
    expect((await tus.patch(location, 0, '0123456789')).status).toBe(204)
  })

  test('is listed, completed of the parts named, and gone then', async () => {
    const target = { Bucket, Key: 'parts/one' }
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC64NVME' }),
    )
    const part = async (PartNumber: number, Body: Uint8Array) =>
      client.send(
        new UploadPartCommand({
          ...target,
          UploadId,
          PartNumber,
          Body,
          ChecksumAlgorithm: 'CRC64NVME',
        }),
      )
    const first = await part(1, content.subarray(0, FIVE))
    const second = await part(2, content.subarray(0, 10))
    expect(first.ETag).toBe(`"${md5(content.subarray(0, FIVE))}"`)
    const listed = await client.send(new ListPartsCommand({ ...target, UploadId }))
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, FIVE],
      [2, 10],
    ])
    const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'parts/' }))
    expect(uploads.Uploads?.map(({ Key }) => Key)).toEqual(['parts/one'])
    const complete = (Parts: object[]) =>
      client.send(
        new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
      )
    await expect(complete([{ PartNumber: 1, ETag: '"x"' }])).rejects.toMatchObject(
      refused('InvalidPart', 400),
    )
    await expect(
      complete([
        { PartNumber: 2, ETag: second.ETag },
        { PartNumber: 1, ETag: first.ETag },
      ]),
    ).rejects.toMatchObject(refused('InvalidPartOrder', 400))
    const parts = [
      { PartNumber: 1, ETag: first.ETag, ChecksumCRC64NVME: first.ChecksumCRC64NVME },
      { PartNumber: 2, ETag: second.ETag, ChecksumCRC64NVME: second.ChecksumCRC64NVME },
    ]
    const done = await complete(parts)
    // of all bytes: what one upload of them has
    const whole = Buffer.concat([content.subarray(0, FIVE), content.subarray(0, 10)])
    const once = await put('parts/whole', whole, { ChecksumAlgorithm: 'CRC64NVME' })
    expect(done.ChecksumCRC64NVME).toBe(once.ChecksumCRC64NVME)
    // a client that did not see the answer asks again
    expect((await complete(parts)).ETag).toBe(done.ETag)
    await expect(client.send(new ListPartsCommand({ ...target, UploadId }))).rejects.toMatchObject(
      refused('NoSuchUpload', 404),
    )
  })

  describe('is completed with a checksum of the object:', () => {
    const bodies = [content.subarray(0, FIVE), content.subarray(0, 10)]
    const whole = Buffer.concat(bodies)
    const base64 = (algorithm: 'sha256', data: Uint8Array) =>
      createHash(algorithm).update(data).digest('base64')
    const crc = (data: Uint8Array) => {
      const out = Buffer.alloc(4)
      out.writeUInt32BE(crc32(data))
      return out.toString('base64')
    }
    const sums = bodies.map((body) => Buffer.from(base64('sha256', body), 'base64'))
    const ofParts = base64('sha256', Buffer.concat(sums))

    /** Begins, uploads, and says how to complete. */
    async function begun(
      Key: string,
      ChecksumAlgorithm: 'CRC32' | 'SHA256',
      ChecksumType: 'FULL_OBJECT' | 'COMPOSITE',
    ) {
      const create = { Bucket, Key, ChecksumAlgorithm, ChecksumType }
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(create))
      const target = { Bucket, Key, UploadId }
      const sent = bodies.map(async (Body, index) => {
        const part = { ...target, PartNumber: index + 1, Body, ChecksumAlgorithm }
        const { ETag } = await client.send(new UploadPartCommand(part))
        return { ETag, PartNumber: index + 1 }
      })
      const MultipartUpload = { Parts: await Promise.all(sent) }
      return (stated: Partial<CompleteMultipartUploadCommandInput> = {}) =>
        client.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload, ...stated }))
    }

    test.each([
      ['of all its bytes', 'CRC32', 'FULL_OBJECT', { ChecksumCRC32: crc(whole) }],
      ['of its parts', 'SHA256', 'COMPOSITE', { ChecksumSHA256: `${ofParts}-2` }],
      ['of its parts, without their number', 'SHA256', 'COMPOSITE', { ChecksumSHA256: ofParts }],
    ] as const)('%s', async (name, algorithm, ChecksumType, stated) => {
      const complete = await begun(`parts/${name}`, algorithm, ChecksumType)
      const done = await complete({ ...stated, ChecksumType })
      expect(done.ChecksumType).toBe(ChecksumType)
      expect(done.ETag).toMatch(/-2"$/)
    })

    test('not one of another', async () => {
      const complete = await begun('parts/other', 'CRC32', 'FULL_OBJECT')
      const wrong = { ChecksumCRC32: crc(bodies[0] ?? content) }
      await expect(complete(wrong)).rejects.toMatchObject(refused('BadDigest', 400))
      await expect(textOf('parts/other')).rejects.toMatchObject(refused('NoSuchKey', 404))
      await complete({ ChecksumCRC32: crc(whole) })
    })

    test('several times at once, with one answer', async () => {
      const complete = await begun('parts/at-once', 'CRC32', 'FULL_OBJECT')
      const answers = await Promise.all(Array.from({ length: 8 }, () => complete()))
      expect(new Set(answers.map(({ ETag }) => ETag)).size).toBe(1)
    })
  })

  test('takes parts of other objects', async () => {
    await put('parts/source', content)
    const target = { Bucket, Key: 'parts/copied' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
    const copyPart = (PartNumber: number, CopySourceRange?: string) =>
      client.send(
        new UploadPartCopyCommand({
          ...target,
          UploadId,
          PartNumber,
          CopySource: `${Bucket}/parts/source`,
          CopySourceRange,
        }),
      )
    const first = await copyPart(1, `bytes=0-${FIVE - 1}`)
    const second = await copyPart(2, 'bytes=0-9')
    await expect(copyPart(3, `bytes=0-${content.length}`)).rejects.toMatchObject(
      refused('InvalidRange', 416),
    )
    const Parts = [first, second].map(({ CopyPartResult }, index) => ({
      PartNumber: index + 1,
      ETag: CopyPartResult?.ETag,
    }))
    await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    )
    expect(await textOf('parts/copied', { Range: `bytes=${FIVE - 2}-` })).toBe('eyvaletkeyva')
  })

  test('that is aborted leaves nothing', async () => {
    const target = { Bucket, Key: 'parts/aborted' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
    await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }))
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId }))
    await expect(
      client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' })),
    ).rejects.toMatchObject(refused('NoSuchUpload', 404))
    await expect(textOf('parts/aborted')).rejects.toMatchObject(refused('NoSuchKey', 404))
  })

  test('has parts of 5 MiB but for the last', async () => {
    const target = { Bucket, Key: 'parts/small' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
    const parts = [1, 2].map((PartNumber) =>
      client.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body: 'x' })),
    )
    const Parts = (await Promise.all(parts)).map(({ ETag }, i) => ({ PartNumber: i + 1, ETag }))
    await expect(
      client.send(
        new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
      ),
    ).rejects.toMatchObject(refused('EntityTooSmall', 400))
  })
})
