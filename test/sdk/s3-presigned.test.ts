/** URLs and forms presigned by AWS's own presigners, with nothing but an endpoint and two credentials changed. */
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeHashing } from '../../key/dialects/node-sigv4.ts'
import { dateKeyOf } from '../../key/dialects/sigv4.ts'
import { presign } from '../../key/dialects/sigv4-presign.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import { PNG } from '../support/media.ts'
import { type Front, startProxy } from '../support/proxy.ts'
import { s3Client, s3Key, temporary } from '../support/s3.ts'

/** The SDK's own types do not agree with exactOptionalPropertyTypes. */
type Presignable = Parameters<typeof getSignedUrl>[1]

let house: House
let clients: Record<'access key' | 'temporary', S3Client>
const Bucket = 'presigned'

beforeAll(async () => {
  house = await openHouse({
    cors: { origins: ['https://app.example.com'] },
    s3: { redirectOrigins: ['https://app.example.com'] },
  })
  clients = {
    'access key': s3Client(house, await s3Key(house)),
    temporary: s3Client(house, temporary(house)),
  }
})
afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy()
  await house.close()
})

const ODD = ['plain', 'a//b', '.hidden..', 'a+b c', `*'"!()`, '100%2F', 'été/日本', ' x '] as const

describe.each(['access key', 'temporary'] as const)('with %s credentials', (kind) => {
  test.each(ODD)('URLs to put and to get %j work', async (name) => {
    const Key = `${kind}/${name}`
    const put = await getSignedUrl(clients[kind], new PutObjectCommand({ Bucket, Key }))
    expect((await ask(put, { method: 'PUT', body: `of ${name}` })).status).toBe(200)
    const get = await getSignedUrl(clients[kind], new GetObjectCommand({ Bucket, Key }))
    expect((await ask(get)).text()).toBe(`of ${name}`)
    expect((await ask(get, { headers: { range: 'bytes=0-1' } })).text()).toBe('of')
  })

  test('a form puts a file', async () => {
    const { url, fields } = await createPresignedPost(clients[kind], {
      Bucket,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: so forms write it
      Key: 'forms/${filename}',
      Conditions: [['content-length-range', 1, 100]],
    } as PresignedPostOptions)
    const answer = await submit(url, fields, 'content', 'é ü.txt')
    expect(answer.status).toBe(204)
    expect(await read(kind, 'forms/é ü.txt')).toBe('content')
  })
})

async function submit(
  url: string,
  fields: Readonly<Record<string, string>>,
  content: string | Uint8Array<ArrayBuffer>,
  name = 'file.txt',
  after: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.append(field, value)
  form.append('file', new Blob([content], { type: 'text/x-form' }), name)
  for (const [field, value] of Object.entries(after)) form.append(field, value)
  return fetch(url, { method: 'POST', body: form, redirect: 'manual' })
}

const read = async (kind: keyof typeof clients, Key: string) =>
  (await clients[kind].send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()

describe('a presigned URL', () => {
  const presign = (command: unknown, options = {}) =>
    getSignedUrl(clients['access key'], command as Presignable, options)

  test('carries metadata in its query', async () => {
    const command = new PutObjectCommand({
      Bucket,
      Key: 'meta',
      Metadata: { team: 'blue' },
      ContentType: 'text/plain',
    })
    const url = await presign(command, { signableHeaders: new Set(['content-type', 'host']) })
    expect(url).toContain('x-amz-meta-team=blue')
    const headers = { 'content-type': 'text/plain' }
    expect((await ask(url, { method: 'PUT', body: 'x', headers })).status).toBe(200)
    const other = { 'content-type': 'text/html' }
    expect((await ask(url, { method: 'PUT', body: 'x', headers: other })).status).toBe(403)
    const head = await clients['access key'].send(new HeadObjectCommand({ Bucket, Key: 'meta' }))
    expect(head).toMatchObject({ Metadata: { team: 'blue' }, ContentType: 'text/plain' })
  })

  test('overrides headers of the response, safely', async () => {
    await ask(await presign(new PutObjectCommand({ Bucket, Key: 'o' })), {
      method: 'PUT',
      body: 'x',
    })
    const command = new GetObjectCommand({
      Bucket,
      Key: 'o',
      ResponseContentType: 'text/html',
      ResponseContentDisposition: 'inline; filename="ä*.html"',
      ResponseCacheControl: 'public, max-age=31536000',
    })
    const { headers } = await ask(await presign(command, { expiresIn: 60 }))
    expect(headers['content-type']).toBe('text/html')
    expect(headers['content-disposition']).toMatch(/^attachment/)
    expect(headers['cache-control']).toMatch(/^public, max-age=(?:5\d|60)$/)
    expect(headers['content-security-policy']).toContain('sandbox')
  })

  test('is for its method only, unless the settings say that HEAD goes with GET', async () => {
    const url = await presign(new GetObjectCommand({ Bucket, Key: 'o' }))
    expect((await ask(url, { method: 'HEAD' })).status).toBe(403)
    expect((await ask(url, { method: 'DELETE' })).status).toBe(403)
    const lenient = await openHouse({ s3: { headWithGet: true } })
    try {
      const client = s3Client(lenient, await s3Key(lenient))
      const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'o' }))
      await ask(put, { method: 'PUT', body: 'content' })
      const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'o' }))
      const head = await ask(get, { method: 'HEAD' })
      expect([head.status, head.headers['content-length']]).toEqual([200, '7'])
      expect((await ask(put, { method: 'HEAD' })).status).toBe(403)
      client.destroy()
    } finally {
      await lenient.close()
    }
  })

  test('expires', async () => {
    const past = { signingDate: new Date(Date.now() - 120_000), expiresIn: 60 }
    const answer = await ask(await presign(new GetObjectCommand({ Bucket, Key: 'o' }), past))
    expect([answer.status, answer.text()]).toEqual([403, expect.stringContaining('AccessDenied')])
    const future = { signingDate: new Date(Date.now() + 1_000_000) }
    const early = await ask(await presign(new GetObjectCommand({ Bucket, Key: 'o' }), future))
    expect(early.status).toBe(403)
    // no skew is held against a URL that is old, and still good
    const old = { signingDate: new Date(Date.now() - 3_600_000), expiresIn: 7200 }
    expect((await ask(await presign(new GetObjectCommand({ Bucket, Key: 'o' }), old))).status).toBe(
      200,
    )
  })

  test('takes no header of S3 beside those signed', async () => {
    const url = await presign(new PutObjectCommand({ Bucket, Key: 'copied' }))
    const headers = { 'x-amz-copy-source': `/${Bucket}/o` }
    expect((await ask(url, { method: 'PUT', headers, body: '' })).status).toBe(403)
    expect(await house.store.head('presigned/copied' as never)).toBeUndefined()
  })

  test('lists, and uploads a part', async () => {
    const list = await ask(await presign(new ListObjectsV2Command({ Bucket, Prefix: 'o' })))
    expect(list.text()).toContain('<Key>o</Key>')
    const part = new UploadPartCommand({ Bucket, Key: 'p', UploadId: 'none', PartNumber: 1 })
    const answer = await ask(await presign(part), { method: 'PUT', body: 'x' })
    expect([answer.status, answer.text()]).toEqual([404, expect.stringContaining('NoSuchUpload')])
  })

  test('goes with one credential only', async () => {
    const url = await presign(new GetObjectCommand({ Bucket, Key: 'o' }))
    const both = await ask(`${url}&vk=${house.mint({ path: '/' })}`)
    expect([both.status, both.code]).toEqual([400, 'key_ambiguous'])
  })

  test('is asked by the pages that the configuration names, and whose headers they may read', async () => {
    const url = await presign(new GetObjectCommand({ Bucket, Key: 'meta' }))
    const origin = 'https://app.example.com'
    const preflight = await ask(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    })
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([
      204,
      origin,
    ])
    const { headers } = await ask(url, { headers: { origin } })
    expect(headers['access-control-expose-headers']).toMatch(/x-amz-meta-team/)
    const other = await ask(url, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
    })
    expect(other.status).toBe(403)
  })

  test('of a key for certain pages is for those', async () => {
    const own = s3Client(house, await s3Key(house, { origins: ['https://own.example'] }))
    const url = await getSignedUrl(own, new GetObjectCommand({ Bucket, Key: 'o' }))
    const from = (origin: string) =>
      ask(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } })
    expect((await from('https://own.example')).status).toBe(204)
    expect((await from('https://app.example.com')).status).toBe(403)
    own.destroy()
  })
})

describe('a presigned form', () => {
  const present = (options: object) =>
    createPresignedPost(clients['access key'], { Bucket, ...options } as PresignedPostOptions)

  test('is held to its size, and stores nothing beyond it', async () => {
    const { url, fields } = await present({
      Key: 'sized',
      Conditions: [['content-length-range', 2, 4]],
    })
    expect((await submit(url, fields, 'x')).status).toBe(400)
    expect((await submit(url, fields, '12345')).status).toBe(400)
    expect(await house.store.head('presigned/sized' as never)).toBeUndefined()
    expect((await submit(url, fields, '1234')).status).toBe(204)
  })

  test('is held to its conditions', async () => {
    const { url, fields } = await present({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: so forms write it
      Key: 'cond/${filename}',
      Conditions: [['starts-with', '$Content-Type', 'image/']],
    })
    expect((await submit(url, { ...fields, 'Content-Type': 'text/html' }, 'x')).status).toBe(403)
    expect((await submit(url, { ...fields, key: 'elsewhere' }, 'x')).status).toBe(403)
    expect((await submit(url, { ...fields, 'x-amz-meta-a': 'b' }, 'x')).status).toBe(403)
    const image = { ...fields, 'Content-Type': 'image/png' }
    // stricter than S3: the content must look like the type that the policy asks for
    expect((await submit(url, image, '<script>', 'a.png')).status).toBe(400)
    expect((await submit(url, image, Uint8Array.from(PNG), 'a.png')).status).toBe(204)
  })

  test('answers as it says', async () => {
    const answers = async (Fields: Record<string, string>) => {
      const { url, fields } = await present({ Key: 'answered', Fields })
      return submit(url, fields, 'x', 'x', { submit: 'Upload' })
    }
    expect((await answers({ success_action_status: '200' })).status).toBe(200)
    const created = await answers({ success_action_status: '201' })
    expect([created.status, await created.text()]).toEqual([
      201,
      expect.stringMatching(/<PostResponse.*<Bucket>presigned<.*<Key>answered</s),
    ])
    const to = 'https://app.example.com/done?a=b'
    const redirected = await answers({ success_action_redirect: to })
    expect(redirected.status).toBe(303)
    expect(redirected.headers.get('location')).toMatch(
      /^https:\/\/app\.example\.com\/done\?a=b&bucket=presigned&key=answered&etag=/,
    )
    for (const elsewhere of [
      'https://evil.example/',
      '//app.example.com/',
      '/.//evil.example/',
      'blob:https://app.example.com/x',
      'https://app.example.com:x@evil.example/',
    ]) {
      expect((await answers({ success_action_redirect: elsewhere })).status).toBe(400)
    }
  })

  test('is refused with too much beside its file, cut short, or without one', async () => {
    const { url, fields } = await present({
      Key: 'whole',
      Conditions: [['starts-with', '$x-ignore-a', '']],
    })
    expect((await submit(url, { ...fields, 'x-ignore-a': 'x'.repeat(30_000) }, 'x')).status).toBe(
      400,
    )
    const boundary = 'B'
    const parts = Object.entries(fields).map(
      ([name, value]) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    )
    const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\ncontent`
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    for (const end of ['', '\r\n--B', '\r\n--B\r\nContent-Disp']) {
      const body = `${parts.join('')}${file}${end}`
      expect((await ask(url, { method: 'POST', headers, body })).status).toBe(400)
    }
    const noFile = `${parts.join('')}--B--\r\n`
    expect((await ask(url, { method: 'POST', headers, body: noFile })).status).toBe(400)
    expect(await house.store.head('presigned/whole' as never)).toBeUndefined()
    const good = `${parts.join('')}${file}\r\n--B--\r\n`
    expect((await ask(url, { method: 'POST', headers, body: good })).status).toBe(204)
  })
})

describe('behind a proxy that changes host and port', () => {
  let behind: House
  let proxy: Front

  beforeAll(async () => {
    const publicUrl = 'https://files.example.com'
    behind = await openHouse({ publicUrls: [publicUrl] })
    proxy = await startProxy({
      to: behind.gateway.port,
      headers: { host: 'upstream.internal:9' },
    })
  })
  afterAll(async () => {
    await proxy.close()
    await behind.close()
  })

  test('what was signed for the public URL works', async () => {
    const credentials = await s3Key(behind)
    const client = s3Client(behind, credentials, { endpoint: 'https://files.example.com' })
    const through = (url: string) => url.replace('https://files.example.com', proxy.url)
    const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'a b' }))
    expect((await ask(through(put), { method: 'PUT', body: 'x' })).status).toBe(200)
    const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a b' }))
    expect((await ask(through(get))).text()).toBe('x')
    const foreign = s3Client(behind, credentials, { endpoint: 'https://other.example.com' })
    const url = await getSignedUrl(foreign, new GetObjectCommand({ Bucket, Key: 'a b' }))
    const answer = await ask(url.replace('https://other.example.com', proxy.url))
    expect(answer.status).toBe(403)
    client.destroy()
    foreign.destroy()
  })

  test('a bucket may stand in front of the host', async () => {
    const config = { endpoint: 'https://files.example.com', forcePathStyle: false }
    const client = s3Client(behind, await s3Key(behind), config)
    const put = new URL(await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'v//h' })))
    expect(put.host).toBe('presigned.files.example.com')
    const to = (url: URL) => `${behind.gateway.url}${url.pathname}${url.search}`
    const headers = { host: put.host }
    expect((await ask(to(put), { method: 'PUT', body: 'x', headers })).status).toBe(200)
    expect((await behind.store.head('presigned/v//h' as never))?.size).toBe(1)
    // the same signature for another bucket
    const elsewhere = { host: 'other.files.example.com' }
    expect((await ask(to(put), { method: 'PUT', body: 'x', headers: elsewhere })).status).toBe(403)
    const list = new URL(await getSignedUrl(client, new ListObjectsV2Command({ Bucket })))
    expect((await ask(to(list), { headers })).text()).toContain('<Key>v//h</Key>')
    client.destroy()
  })
})

describe('as version 2 of the SDK for JavaScript presigns an upload', () => {
  const stated = [
    ['Content-Type', 'image/png'],
    ['Cache-Control', 'max-age=60'],
    ['x-amz-meta-a', 'b'],
    ['x-amz-acl', 'private'],
  ] as const
  const named = Object.fromEntries(stated.map(([name, value]) => [name.toLowerCase(), value]))
  const { 'content-type': _, ...signedToo } = named

  const send = async (path: string, headers: Record<string, string>) => {
    const { accessKeyId, secretAccessKey } = await s3Key(house)
    const url = presign(
      {
        method: 'PUT',
        publicUrl: house.gateway.url,
        target: `/${Bucket}/${path}`,
        credential: { accessKeyId, dateKey: dateKeyOf(secretAccessKey, nodeMac) },
        region: 'us-east-1',
        now: house.now(),
        expires: 60,
        query: stated,
        headers: signedToo,
      },
      nodeHashing,
    )
    return (await ask(url, { method: 'PUT', body: 'content', headers })).status
  }

  test.each([
    ['without its headers', {}],
    ['with its headers', named],
  ])('it is taken %s', async (name, headers) => {
    expect(await send(name.replaceAll(' ', '-'), headers)).toBe(200)
    const info = await house.store.head(`${Bucket}/${name.replaceAll(' ', '-')}` as never)
    expect(info).toMatchObject({
      type: 'image/png',
      meta: { cacheControl: 'max-age=60', user: { a: 'b' } },
    })
  })

  test.each(Object.keys(named))('it is refused with another %s', async (name) => {
    expect(await send('other', { ...named, [name]: 'text/html' })).toBeGreaterThanOrEqual(400)
    expect(await house.store.head(`${Bucket}/other` as never)).toBeUndefined()
  })
})
