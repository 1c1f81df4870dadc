/** By whichever door: the type of an object is one media type, also as a browser reads it. */
import { CreateMultipartUploadCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ObjectPath } from '../../key/object-path.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask } from '../support/http.ts'
import { s3Client, s3Key } from '../support/s3.ts'
import { put } from '../support/store.ts'
import { Tus } from '../support/tus.ts'

/** Browsers go by the last of these. */
const TWO = 'text/plain;a=b, text/html'
const ONE = 'text/plain;a="b, text/html"; charset=utf-8;'

let house: House
let client: S3Client
let key: string
beforeAll(async () => {
  house = await openHouse()
  client = s3Client(house, await s3Key(house))
  key = house.mint({ methods: ['GET', 'PUT'] })
})
afterAll(async () => {
  client.destroy()
  await house.close()
})

const form = (url: string, fields: readonly (readonly [string, string])[]) => {
  const parts = [
    ...fields.map(([name, value]) => [`name="${name}"`, value]),
    ['name="file"; filename="x"', 'content'],
  ].map(([head, content]) => `--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`)
  return ask(url, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=B' },
    body: `${parts.join('')}--B--\r\n`,
  })
}

const at = (path: string) => `${house.gateway.url}/${path}`
const bearer = () => ({ authorization: `Bearer ${key}` })

const DOORS: Readonly<Record<string, (type: string) => Promise<Answer>>> = {
  PUT: (type) =>
    ask(at('bucket/x'), {
      method: 'PUT',
      headers: { ...bearer(), 'content-type': type },
      body: 'content',
    }),
  'a form': (type) =>
    form(at('bucket/'), [
      ['vk', key],
      ['content-type', type],
    ]),
  tus: (type) => new Tus(house, key).create({ path: 'bucket/x', type, length: 3 }),
  'a resumable upload': (type) =>
    ask(at('-/uploads/bucket/x'), {
      method: 'POST',
      headers: { ...bearer(), 'content-type': type, 'upload-complete': '?0', 'upload-length': '9' },
      body: 'content',
    }),
  S3: async (ContentType) => {
    const command = new PutObjectCommand({ Bucket: 'bucket', Key: 'x', ContentType })
    const signed = { signableHeaders: new Set(['content-type']) }
    const url = await getSignedUrl(client, command as never, signed)
    return ask(url, { method: 'PUT', headers: { 'content-type': ContentType }, body: 'content' })
  },
  'multipart of S3': async (ContentType) => {
    const command = new CreateMultipartUploadCommand({ Bucket: 'bucket', Key: 'x', ContentType })
    const signed = { signableHeaders: new Set(['content-type']) }
    const url = await getSignedUrl(client, command as never, signed)
    return ask(url, { method: 'POST', headers: { 'content-type': ContentType } })
  },
  'a form of S3': async (type) => {
    const Fields = { 'Content-Type': type }
    const { url, fields } = await createPresignedPost(client, {
      Bucket: 'bucket',
      Key: 'x',
      Fields,
    })
    return form(url, Object.entries(fields))
  },
}

test.each(Object.keys(DOORS))(
  '%s takes one media type, with parameters of any sort',
  async (door) => {
    const send = DOORS[door] as (type: string) => Promise<Answer>
    expect((await send(ONE)).status).toBeLessThan(300)
    for (const type of [TWO, 'text/plain;a', 'text/plain;charset=utf-8, text/html']) {
      expect([type, (await send(type)).status]).toEqual([type, 400])
    }
  },
)

test('an object that has more of them already is as it was, and never shown', async () => {
  await put(house.store, 'bucket/old' as ObjectPath, Buffer.from('<h1>hello</h1>'), {
    as: { type: TWO },
  })
  for (const respond of [undefined, { 'content-disposition': 'inline' }]) {
    const url = house.url('bucket/old', house.mint(respond === undefined ? {} : { respond }))
    const { status, headers } = await ask(url)
    expect([status, headers['content-type']]).toEqual([200, TWO])
    expect(headers['content-disposition']).toBe('attachment; filename=old')
  }
})

test('nor is one shown for a key that states them', async () => {
  await put(house.store, 'bucket/page' as ObjectPath, Buffer.from('<h1>hello</h1>'))
  const respond = { 'content-type': TWO, 'content-disposition': 'inline' }
  const { headers } = await ask(house.url('bucket/page', house.mint({ respond })))
  expect(headers['content-disposition']).toBe('attachment; filename=page')
})
