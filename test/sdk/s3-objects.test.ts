/** AWS's own client puts, gets, lists and deletes, with every kind of name, body and credential. */
import { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { s3Client, s3Key, temporary } from '../support/s3.ts'

let house: House
let clients: Record<'access key' | 'temporary', S3Client>

beforeAll(async () => {
  house = await openHouse()
  clients = {
    'access key': s3Client(house, await s3Key(house)),
    temporary: s3Client(house, temporary(house)),
  }
})
afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy()
  await house.close()
})

const Bucket = 'bucket'

describe.each(['access key', 'temporary'] as const)('with %s credentials', (kind) => {
  test.each([
    ['plain', 'plain.txt'],
    ['double slashes', 'a//b///c'],
    ['dots', './../a/./b/..'],
    ['a slash first', '/first'],
    ['a slash last', 'folder/'],
    ['a plus', 'a+b c'],
    ['a star and quotes', `*'"!()&$@=;:,?#<>`],
    ['spaces', ' a  b '],
    ['percent signs', '100%2Fsure%'],
    ['UTF-8', 'été/日本語/🎉'],
    ['a backslash', 'a\\b'],
    ['1,024 bytes', 'é'.repeat(512)],
  ])('a key with %s is put, read, listed and deleted', async (_, key) => {
    const client = clients[kind]
    const Key = `${kind}/${key}`.slice(0, key.length === 512 ? 512 - kind.length : undefined)
    await client.send(new PutObjectCommand({ Bucket, Key, Body: `of ${key}` }))
    const got = await client.send(new GetObjectCommand({ Bucket, Key }))
    expect(await got.Body?.transformToString()).toBe(`of ${key}`)
    const listed = await client.send(new ListObjectsV2Command({ Bucket, Prefix: Key }))
    expect(listed.Contents?.map((one) => one.Key)).toEqual([Key])
    await client.send(new DeleteObjectCommand({ Bucket, Key }))
    await expect(client.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    })
  })

  test('a stream arrives whole', async () => {
    const chunks = Array.from({ length: 40 }, (_, i) => Buffer.alloc(70_000, i))
    const Body = Readable.from(chunks)
    const ContentLength = 40 * 70_000
    await clients[kind].send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength }))
    const got = await clients[kind].send(new GetObjectCommand({ Bucket, Key: 'stream' }))
    const bytes = await got.Body?.transformToByteArray()
    expect(Buffer.concat(chunks).equals(bytes ?? Buffer.alloc(0))).toBe(true)
  })
})
