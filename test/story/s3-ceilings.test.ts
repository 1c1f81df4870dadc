/** Everything that a native key enforces holds for S3 credentials too, whatever the operation. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Block } from '../../key/claims.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { PNG } from '../support/media.ts'
import { type S3Credentials, s3Client, s3Key, temporary } from '../support/s3.ts'
import { Tus } from '../support/tus.ts'

let house: House
let root: S3Client
const clients: S3Client[] = []
const Bucket = 'tenants'
const FIVE = 5 << 20

beforeAll(async () => {
  house = await openHouse()
  root = await clientWith()
  for (const Key of ['a/x', 'a/y', 'a/secret', 'b/x', 'ax', 'top']) await put(root, Key)
  await root.send(new PutObjectCommand({ Bucket: 'others', Key: 'x', Body: 'x' }))
})
afterAll(async () => {
  for (const client of clients) client.destroy()
  await house.close()
})

async function clientWith(ceiling?: Block): Promise<S3Client> {
  const client = s3Client(house, await s3Key(house, ceiling))
  clients.push(client)
  return client
}

/** What STS gives to whoever has these credentials. */
async function assumed(parent: S3Credentials): Promise<S3Credentials> {
  const client = new STSClient({
    endpoint: house.gateway.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: parent,
  })
  try {
    const { Credentials } = await client.send(
      new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::0:role/any', RoleSessionName: 'child' }),
    )
    return {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    }
  } finally {
    client.destroy()
  }
}

const put = (
  client: S3Client,
  Key: string,
  Body: string | Uint8Array = Key,
  ContentType = 'text/plain',
) => client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType }))
const get = (client: S3Client, Key: string) => client.send(new GetObjectCommand({ Bucket, Key }))
const copy = (client: S3Client, Key: string, from: string, more = {}) =>
  client.send(new CopyObjectCommand({ Bucket, Key, CopySource: from, ...more }))
const there = (Key: string) => house.store.head(`${Bucket}/${Key}` as never)

const refused = (name: string, httpStatusCode: number) => ({ name, $metadata: { httpStatusCode } })
const DENIED = refused('AccessDenied', 403)

async function begin(client: S3Client, Key: string, ContentType = 'text/plain') {
  const target = { Bucket, Key }
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...target, ContentType }),
  )
  return { ...target, UploadId }
}

type Target = Awaited<ReturnType<typeof begin>>
const part = (client: S3Client, target: Target, PartNumber: number, Body: string | Uint8Array) =>
  client.send(new UploadPartCommand({ ...target, PartNumber, Body }))

const complete = (client: S3Client, target: Target, etags: readonly (string | undefined)[]) =>
  client.send(
    new CompleteMultipartUploadCommand({
      ...target,
      MultipartUpload: { Parts: etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 })) },
    }),
  )

describe('a key for one folder', () => {
  let own: S3Client
  beforeAll(async () => {
    own = await clientWith({ path: 'tenants/a/' })
  })

  test('reaches what lies in it, and nothing beside it', async () => {
    await get(own, 'a/x')
    for (const Key of ['b/x', 'ax', 'top', 'a', 'nothing']) {
      await expect(get(own, Key)).rejects.toMatchObject(DENIED)
      await expect(put(own, Key)).rejects.toMatchObject(DENIED)
    }
    // a name, and no way out
    await put(own, 'a/../b/x', 'odd')
    expect((await there('b/x'))?.size).toBe(3)
    await own.send(new DeleteObjectCommand({ Bucket, Key: 'a/../b/x' }))
  })

  test('lists it, and nothing above it', async () => {
    const list = (Prefix?: string) =>
      own.send(new ListObjectsV2Command({ Bucket, ...(Prefix !== undefined && { Prefix }) }))
    expect((await list('a/')).KeyCount).toBe(3)
    expect((await list('a/se')).Contents?.map(({ Key }) => Key)).toEqual(['a/secret'])
    for (const prefix of [undefined, '', 'a', 'b/', '/']) {
      await expect(list(prefix)).rejects.toMatchObject(DENIED)
    }
    await expect(own.send(new ListMultipartUploadsCommand({ Bucket }))).rejects.toMatchObject(
      DENIED,
    )
  })

  test('copies within it only, at both ends', async () => {
    await copy(own, 'a/copied', `${Bucket}/a/x`)
    await expect(copy(own, 'a/stolen', `${Bucket}/b/x`)).rejects.toMatchObject(DENIED)
    await expect(copy(own, 'a/stolen', `${Bucket}/nothing`)).rejects.toMatchObject(DENIED)
    await expect(copy(own, 'b/planted', `${Bucket}/a/x`)).rejects.toMatchObject(DENIED)
    const target = await begin(own, 'a/parts')
    const CopySource = `${Bucket}/b/x`
    await expect(
      own.send(new UploadPartCopyCommand({ ...target, PartNumber: 1, CopySource })),
    ).rejects.toMatchObject(DENIED)
    await own.send(new DeleteObjectCommand({ Bucket, Key: 'a/copied' }))
  })

  test('deletes several, each by itself', async () => {
    await put(own, 'a/gone')
    const Objects = [{ Key: 'a/gone' }, { Key: 'b/x' }]
    const { Deleted, Errors } = await own.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
    )
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['a/gone'])
    expect(Errors?.map(({ Key, Code }) => [Key, Code])).toEqual([['b/x', 'AccessDenied']])
    expect(await there('b/x')).toBeDefined()
  })

  test('is shown its bucket, and may go on as if it had made it', async () => {
    const { Buckets } = await own.send(new ListBucketsCommand({}))
    expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket])
    await own.send(new HeadBucketCommand({ Bucket }))
    await expect(own.send(new CreateBucketCommand({ Bucket }))).rejects.toMatchObject(
      refused('BucketAlreadyOwnedByYou', 409),
    )
    await expect(own.send(new HeadBucketCommand({ Bucket: 'others' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    })
    await expect(own.send(new CreateBucketCommand({ Bucket: 'new-one' }))).rejects.toMatchObject(
      DENIED,
    )
  })

  test('does not reach the tags or the uploads of others', async () => {
    const target = await begin(root, 'b/upload')
    await expect(part(own, target, 1, 'x')).rejects.toMatchObject(DENIED)
    await expect(complete(own, target, ['"x"'])).rejects.toMatchObject(DENIED)
    // with a path of its own, there is no such upload
    await expect(part(own, { ...target, Key: 'a/upload' }, 1, 'x')).rejects.toMatchObject(
      refused('NoSuchUpload', 404),
    )
    const tags = { Bucket, Key: 'b/x' }
    await expect(own.send(new GetObjectTaggingCommand(tags))).rejects.toMatchObject(DENIED)
    await expect(
      own.send(new PutObjectTaggingCommand({ ...tags, Tagging: { TagSet: [] } })),
    ).rejects.toMatchObject(DENIED)
  })
})

test('a key for one object lists nothing, also not by its name', async () => {
  const own = await clientWith({ path: 'tenants/a/x' })
  await get(own, 'a/x')
  await expect(own.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/x' }))).rejects.toMatchObject(
    DENIED,
  )
  expect((await own.send(new HeadBucketCommand({ Bucket }))).$metadata.httpStatusCode).toBe(200)
})

test('a glob hides names', async () => {
  const own = await clientWith({ path: 'tenants/a/', match: '?' })
  const { Contents } = await own.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/' }))
  expect(Contents?.map(({ Key }) => Key)).toEqual(['a/x', 'a/y'])
  await expect(get(own, 'a/secret')).rejects.toMatchObject(DENIED)
})

test('a key for some methods does nothing else', async () => {
  const reader = await clientWith({ methods: ['GET'] })
  await get(reader, 'a/x')
  await expect(put(reader, 'a/x')).rejects.toMatchObject(DENIED)
  await expect(copy(reader, 'a/z', `${Bucket}/a/x`)).rejects.toMatchObject(DENIED)
  await expect(begin(reader, 'a/z')).rejects.toMatchObject(DENIED)
  await expect(
    reader.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/' })),
  ).rejects.toMatchObject(DENIED)
  await expect(reader.send(new DeleteObjectCommand({ Bucket, Key: 'a/x' }))).rejects.toMatchObject(
    DENIED,
  )
  await expect(
    reader.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a/x' }] } })),
  ).rejects.toMatchObject(DENIED)
  const writer = await clientWith({ methods: ['PUT'] })
  await put(writer, 'w/x')
  await expect(get(writer, 'w/x')).rejects.toMatchObject(DENIED)
  // a copy reads its source
  await expect(copy(writer, 'w/y', `${Bucket}/w/x`)).rejects.toMatchObject(DENIED)
  await expect(writer.send(new HeadObjectCommand({ Bucket, Key: 'w/x' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  })
})

describe('a key with a size', () => {
  test('holds uploads to it', async () => {
    const own = await clientWith({ size: [2, 4] })
    await expect(put(own, 's/one', '1')).rejects.toMatchObject(refused('EntityTooSmall', 400))
    await expect(put(own, 's/five', '12345')).rejects.toMatchObject(refused('EntityTooLarge', 400))
    await put(own, 's/four', '1234')
    expect([await there('s/one'), await there('s/five')]).toEqual([undefined, undefined])
    await put(root, 's/source', '12345')
    await expect(copy(own, 's/copy', `${Bucket}/s/source`)).rejects.toMatchObject(
      refused('EntityTooLarge', 400),
    )
  })

  test('holds parts to it together', async () => {
    const own = await clientWith({ size: [10, FIVE + 4] })
    const target = await begin(own, 's/parts')
    const first = await part(own, target, 1, Buffer.alloc(FIVE))
    await expect(part(own, target, 2, '12345')).rejects.toMatchObject(
      refused('EntityTooLarge', 400),
    )
    const small = await part(own, target, 2, '1234')
    await expect(part(own, target, 3, '1')).rejects.toMatchObject(refused('EntityTooLarge', 400))
    const copied = { ...target, PartNumber: 3, CopySource: `${Bucket}/a/x` }
    await expect(own.send(new UploadPartCopyCommand(copied))).rejects.toMatchObject(
      refused('EntityTooLarge', 400),
    )
    await complete(own, target, [first.ETag, small.ETag])
    const little = await begin(own, 's/little')
    const only = await part(own, little, 1, 'x')
    await expect(complete(own, little, [only.ETag])).rejects.toMatchObject(
      refused('EntityTooSmall', 400),
    )
  })
})

describe('a key for media types', () => {
  let own: S3Client
  beforeAll(async () => {
    own = await clientWith({ types: ['image/png'] })
  })

  test('takes what is declared and looks like it', async () => {
    await put(own, 't/a.png', PNG, 'image/png')
    await expect(put(own, 't/a', PNG, 'text/html')).rejects.toMatchObject(DENIED)
    await expect(put(own, 't/b', '<script>', 'image/png')).rejects.toMatchObject(
      refused('InvalidRequest', 400),
    )
  })

  test('by copy too', async () => {
    await put(root, 't/page', '<script>', 'text/html')
    await expect(copy(own, 't/c', `${Bucket}/t/page`)).rejects.toMatchObject(DENIED)
    const lie = { MetadataDirective: 'REPLACE', ContentType: 'image/png' }
    await expect(copy(own, 't/c', `${Bucket}/t/page`, lie)).rejects.toMatchObject(
      refused('InvalidRequest', 400),
    )
    await copy(own, 't/c', `${Bucket}/t/a.png`)
  })

  test('and in parts', async () => {
    await expect(begin(own, 't/d', 'text/html')).rejects.toMatchObject(DENIED)
    const target = await begin(own, 't/d', 'image/png')
    await expect(part(own, target, 1, '<script>')).rejects.toMatchObject(
      refused('InvalidRequest', 400),
    )
    const second = await part(own, target, 2, '<script>')
    const Parts = [{ PartNumber: 2, ETag: second.ETag }]
    await expect(
      own.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } })),
    ).rejects.toMatchObject(refused('InvalidRequest', 400))
    const first = await part(own, target, 1, PNG)
    await complete(own, target, [first.ETag])
  })
})

test('a key that only creates replaces nothing, and changes nothing', async () => {
  const own = await clientWith({ create: true })
  await put(root, 'c/there', 'first')
  const EXISTS = refused('PreconditionFailed', 412)
  await expect(put(own, 'c/there')).rejects.toMatchObject(EXISTS)
  await expect(copy(own, 'c/there', `${Bucket}/a/x`)).rejects.toMatchObject(EXISTS)
  await expect(begin(own, 'c/there')).rejects.toMatchObject(EXISTS)
  await expect(
    own.send(
      new PutObjectTaggingCommand({
        Bucket,
        Key: 'c/there',
        Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] },
      }),
    ),
  ).rejects.toMatchObject(EXISTS)
  const target = await begin(own, 'c/late')
  const only = await part(own, target, 1, 'x')
  await put(root, 'c/late', 'sooner')
  await expect(complete(own, target, [only.ETag])).rejects.toMatchObject(EXISTS)
  expect([(await there('c/there'))?.size, (await there('c/late'))?.size]).toEqual([5, 6])
})

test('a key for one content takes it whole only', async () => {
  const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const own = await clientWith({ sha256 })
  await put(own, 'h/abc', 'abc')
  await expect(put(own, 'h/abd', 'abd')).rejects.toMatchObject(refused('BadDigest', 400))
  await expect(begin(own, 'h/parts')).rejects.toMatchObject(DENIED)
  await copy(own, 'h/copy', `${Bucket}/h/abc`)
  await expect(copy(own, 'h/other', `${Bucket}/a/x`)).rejects.toMatchObject(
    refused('BadDigest', 400),
  )
})

test('a key for another address, or for TLS, is refused', async () => {
  await expect(get(await clientWith({ ip: ['192.0.2.0/24'] }), 'a/x')).rejects.toMatchObject(DENIED)
  await expect(get(await clientWith({ tls: true }), 'a/x')).rejects.toMatchObject(DENIED)
  await get(await clientWith({ ip: ['127.0.0.0/8'] }), 'a/x')
})

test('a key for a while is refused before and after', async () => {
  await expect(get(await clientWith({ exp: house.now() - 1 }), 'a/x')).rejects.toMatchObject(DENIED)
  await expect(get(await clientWith({ nbf: house.now() + 999 }), 'a/x')).rejects.toMatchObject(
    DENIED,
  )
})

test('an object of a key with a lifetime ends', async () => {
  const own = await clientWith({ ttl: 60 })
  await put(own, 'e/put')
  await copy(own, 'e/copy', `${Bucket}/a/x`)
  const target = await begin(own, 'e/parts')
  await complete(own, target, [(await part(own, target, 1, 'x')).ETag])
  for (const key of ['e/put', 'e/copy', 'e/parts']) {
    expect((await there(key))?.expires).toBeGreaterThan(house.now())
  }
})

describe('a key with uses', () => {
  test('is used up, whatever for', async () => {
    const own = await clientWith({ jti: 'three', uses: 3 })
    await get(own, 'a/x')
    await put(own, 'u/x')
    await copy(own, 'u/y', `${Bucket}/a/x`)
    await expect(get(own, 'a/x')).rejects.toMatchObject(DENIED)
    await expect(put(own, 'u/z')).rejects.toMatchObject(DENIED)
    await expect(begin(own, 'u/z')).rejects.toMatchObject(DENIED)
  })

  test('makes one object in parts with one use', async () => {
    const own = await clientWith({ jti: 'once', uses: 1 })
    const one = await begin(own, 'u/one')
    await expect(begin(own, 'u/other')).rejects.toMatchObject(DENIED)
    const { ETag } = await part(own, one, 1, 'x')
    await complete(own, one, [ETag])
    await expect(begin(own, 'u/other')).rejects.toMatchObject(DENIED)
  })

  test('takes no parts when its use was taken elsewhere', async () => {
    const own = await clientWith({ jti: 'elsewhere', uses: 1 })
    const one = await begin(own, 'u/parts')
    const { ETag } = await part(own, one, 1, 'x')
    await put(own, 'u/whole')
    await expect(complete(own, one, [ETag])).rejects.toMatchObject(DENIED)
    await expect(part(own, one, 2, 'x')).rejects.toMatchObject(DENIED)
  })

  test('keeps its use where an upload failed', async () => {
    const own = await clientWith({ jti: 'failing', uses: 1, size: [0, 2] })
    await expect(put(own, 'u/f', '123')).rejects.toMatchObject(refused('EntityTooLarge', 400))
    await put(own, 'u/f', '12')
  })

  test('is counted for presigned URLs that it made', async () => {
    const own = await clientWith({ jti: 'presigned', uses: 1 })
    const url = await getSignedUrl(own, new GetObjectCommand({ Bucket, Key: 'a/x' }))
    expect((await ask(url)).status).toBe(200)
    expect((await ask(url)).status).toBe(403)
  })
})

describe('a key with a usage plan', () => {
  const daily = (name: string, per: 'key' | 'subject') =>
    house.ledger.setRule({
      kind: 'plan',
      name,
      plan: { quota: { requests: 2, period: 'day' }, per },
      changedAt: house.now(),
    })

  test.each(['key', 'subject'] as const)('per %s, counts what it presigned', async (per) => {
    await daily(`two-per-${per}`, per)
    const own = await clientWith({ plan: `two-per-${per}` })
    for (const status of [200, 200, 503]) {
      const url = await getSignedUrl(own, new GetObjectCommand({ Bucket, Key: 'a/x' }))
      expect((await ask(url)).status).toBe(status)
    }
  })

  test('counts what temporary credentials made of it do', async () => {
    await daily('two', 'key')
    const parent = await s3Key(house, { plan: 'two' })
    const child = s3Client(house, await assumed(parent))
    clients.push(child)
    await get(child, 'a/x')
    await expect(get(child, 'a/x')).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } })
  })
})

describe('what was revoked is refused at once:', () => {
  const revoke = (kind: 'id' | 'subject' | 'path', value: string) =>
    house.ledger.revoke([{ kind, value, revokedAt: house.now() }])
  const presigned = (client: S3Client, Key: string) =>
    getSignedUrl(client, new GetObjectCommand({ Bucket, Key }))

  test('an access key, with all that it presigned', async () => {
    const credentials = await s3Key(house)
    const client = s3Client(house, credentials)
    clients.push(client)
    const url = await presigned(client, 'a/x')
    expect((await ask(url)).status).toBe(200)
    await house.ledger.setSigningKeyStatus(credentials.accessKeyId, 'revoked')
    expect((await ask(url)).status).toBe(403)
    await expect(get(client, 'a/x')).rejects.toMatchObject(DENIED)
  })

  test('an access key by its id', async () => {
    const credentials = await s3Key(house)
    const client = s3Client(house, credentials)
    clients.push(client)
    await get(client, 'a/x')
    await revoke('id', credentials.accessKeyId)
    await expect(get(client, 'a/x')).rejects.toMatchObject(DENIED)
  })

  test('an access key by its id, and what STS made of it', async () => {
    const parent = await s3Key(house)
    const client = s3Client(house, await assumed(parent))
    clients.push(client)
    await get(client, 'a/x')
    const rule = {
      kind: 'key',
      name: parent.accessKeyId,
      claims: {},
      changedAt: house.now(),
    } as const
    await house.ledger.setRule({ ...rule, paused: true })
    await expect(get(client, 'a/x')).rejects.toMatchObject(DENIED)
    await house.ledger.setRule({ ...rule, paused: false })
    await get(client, 'a/x')
    await revoke('id', parent.accessKeyId)
    await expect(get(client, 'a/x')).rejects.toMatchObject(DENIED)
  })

  test('the id of a session token', async () => {
    const credentials = temporary(house, { jti: 'session-one' })
    const client = s3Client(house, credentials)
    clients.push(client)
    const url = await presigned(client, 'a/x')
    await get(client, 'a/x')
    await revoke('id', 'session-one')
    await expect(get(client, 'a/x')).rejects.toMatchObject(DENIED)
    expect((await ask(url)).status).toBe(403)
  })

  test('a subject', async () => {
    const client = s3Client(house, temporary(house, { sub: 'mallory' }))
    clients.push(client)
    await get(client, 'a/x')
    await revoke('subject', 'mallory')
    await expect(get(client, 'a/x')).rejects.toMatchObject(DENIED)
  })

  test('a path, whoever asks for it', async () => {
    await put(root, 'revoked/x')
    await revoke('path', 'tenants/revoked/')
    await expect(get(root, 'revoked/x')).rejects.toMatchObject(DENIED)
    await expect(copy(root, 'a/taken', `${Bucket}/revoked/x`)).rejects.toMatchObject(DENIED)
    await get(root, 'a/x')
  })
})

test('a session token is no key by itself', async () => {
  const { sessionToken } = temporary(house)
  const answer = await ask(`${house.gateway.url}/tenants/a/x?vk=${sessionToken}`)
  expect([answer.status, answer.code]).toEqual([400, 'key_malformed'])
})

describe('an upload of tus', () => {
  const Key = 'tus/file'
  const Parts = [{ PartNumber: 1, ETag: '"1-5"' }]
  const MultipartUpload = { Parts }
  const OPERATIONS = {
    AbortMultipartUpload: (ref) => new AbortMultipartUploadCommand(ref),
    ListParts: (ref) => new ListPartsCommand(ref),
    UploadPart: (ref) => new UploadPartCommand({ ...ref, PartNumber: 2, Body: 'x' }),
    UploadPartCopy: (ref) =>
      new UploadPartCopyCommand({ ...ref, PartNumber: 2, CopySource: `${Bucket}/a/x` }),
    CompleteMultipartUpload: (ref) =>
      new CompleteMultipartUploadCommand({ ...ref, MultipartUpload }),
  } satisfies Record<string, (ref: Reference) => unknown>
  interface Reference {
    readonly Bucket: string
    readonly Key: string
    readonly UploadId: string
  }

  test.each(Object.entries(OPERATIONS))('is none to %s of S3', async (_, command) => {
    const tus = new Tus(house, house.mint({ methods: ['PUT'] }))
    const location = await tus.begun({ path: `${Bucket}/${Key}`, length: 10 })
    await tus.patch(location, 0, 'first')
    const UploadId = /[0-9a-f]{32}/.exec(location)?.[0] ?? ''
    await expect(root.send(command({ Bucket, Key, UploadId }) as never)).rejects.toMatchObject({
      name: 'NoSuchUpload',
    })
    await expect(root.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
      name: 'NotFound',
    })
    expect(await tus.offset(location)).toBe(5)
    await tus.patch(location, 5, 'other')
    const { Body } = await root.send(new GetObjectCommand({ Bucket, Key }))
    expect(await Body?.transformToString()).toBe('firstother')
    await root.send(new DeleteObjectCommand({ Bucket, Key }))
  })
})
