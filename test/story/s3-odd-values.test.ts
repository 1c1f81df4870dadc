/** Whatever signed requests state, no header breaks, no answer is an error of ours. */
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { s3Client, s3Key } from '../support/s3.ts'

let house: House
let client: S3Client
const Bucket = 'odd-values'

beforeAll(async () => {
  house = await openHouse()
  client = s3Client(house, await s3Key(house))
  await client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'content' }))
})
afterAll(async () => {
  client.destroy()
  await house.close()
})

test.each([
  ['a line feed', 'a\nb'],
  ['control characters', '\u0001\u0002\u007f'],
  ['an escape sequence', '\u001b[31m'],
  ['only a slash', '/'],
  ['a slash last', 'folder/'],
  ['a quote last', 'say "hello"'],
  ['a C1 control character', 'a\u0085b'],
  ['a right-to-left override', 'a\u202egnp.exe'],
  ['U+FFFF', 'a\uffffb'],
])('a key with %s is read, and listed', async (_, Key) => {
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'content' }))
  const got = await client.send(new GetObjectCommand({ Bucket, Key }))
  expect(await got.Body?.transformToString()).toBe('content')
  const list = await client.send(
    new ListObjectsV2Command({ Bucket, Prefix: Key, EncodingType: 'url' }),
  )
  expect(list.Contents?.map((one) => decodeURIComponent(one.Key ?? ''))).toContain(Key)
})

test.each([
  ['a/..', '__'],
  ['..\\..\\x', '.._.._x'],
  ['C:x.txt', 'C_x.txt'],
])('what is called %j is saved as %j', async (Key, name) => {
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'content' }))
  const { ContentDisposition } = await client.send(new HeadObjectCommand({ Bucket, Key }))
  expect(ContentDisposition?.replaceAll('"', '')).toBe(`attachment; filename=${name}`)
})

describe('overrides of the response', () => {
  const overridden = async (ResponseContentDisposition: string) => {
    const command = new GetObjectCommand({ Bucket, Key: 'x', ResponseContentDisposition })
    return ask(await getSignedUrl(client, command as never))
  }

  test.each([
    ['a line break', 'attachment\r\nSet-Cookie: a=b'],
    ['a control character', 'attachment; filename="\u0001"'],
    ['what Latin-1 can not hold', 'attachment; filename="日本.txt"'],
  ])('with %s are refused', async (_, value) => {
    const answer = await overridden(value)
    expect([answer.status, answer.headers['set-cookie']]).toEqual([400, undefined])
  })

  test.each([
    ['Latin-1', 'attachment; filename="é.txt"'],
    ['a star', "attachment; filename*=UTF-8''%E6%97%A5*.txt"],
  ])('with %s arrive', async (_, value) => {
    const answer = await overridden(value)
    expect([answer.status, answer.headers['content-disposition']]).toEqual([200, value])
  })
})

describe('metadata', () => {
  const presigned = async (Metadata: Record<string, string>) => {
    const command = new PutObjectCommand({ Bucket, Key: 'meta', Metadata })
    return ask(await getSignedUrl(client, command as never), { method: 'PUT', body: 'x' })
  }

  test.each(['日本 é', 'é', 'Ã', 'a,b;c', '  '])('%j comes back', async (value) => {
    expect((await presigned({ value })).status).toBe(200)
    const { Metadata } = await client.send(new HeadObjectCommand({ Bucket, Key: 'meta' }))
    const found = Buffer.from(Metadata?.value ?? '', 'latin1').toString()
    expect(found).toBe(value.trim())
  })

  test('with a line break, or a name that is none, is refused', async () => {
    expect((await presigned({ value: 'a\r\nb' })).status).toBe(400)
    expect((await presigned({ 'a b': 'x' })).status).toBe(400)
    expect((await presigned({ value: 'x'.repeat(2100) })).status).toBe(400)
  })

  test('of a form is held to the same', async () => {
    const odd: Record<string, string> = {
      'x-amz-meta-a': 'a\nb',
      'Content-Type': 'text/plain\nX: y',
      'Content-Disposition': 'attachment\r\nX: y',
      'Cache-Control': 'max-age=1\u0000',
    }
    for (const [name, value] of Object.entries(odd)) {
      const { url, fields } = await createPresignedPost(client, {
        Bucket,
        Key: 'form',
        Fields: { [name]: value },
      })
      const parts = [...Object.entries(fields), ['file', 'content']].map(
        ([field, text]) =>
          `--B\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${text}\r\n`,
      )
      const answer = await ask(url, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=B' },
        body: `${parts.join('')}--B--\r\n`,
      })
      expect([name, answer.status]).toEqual([name, 400])
    }
    expect(await house.store.head('odd-values/form' as never)).toBeUndefined()
  })
})
