/** A server in front sends the file once the gateway has decided; a real nginx or Caddy where there is one. */

import { readFileSync } from 'node:fs'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NGINX_PASSES } from '../../gateway/offload.ts'
import { type House, openHouse } from '../support/house.ts'
import { ask } from '../support/http.ts'
import {
  FILES,
  type Front,
  hasCaddy,
  hasNginx,
  startCaddyExample,
  startNginxExample,
} from '../support/proxy.ts'
import { s3Client, s3Key } from '../support/s3.ts'

const CONTENT = Buffer.alloc(600_000, 'offloaded bytes ')

async function upload(house: House): Promise<void> {
  const put = house.mint({ methods: ['PUT'] })
  const headers = { 'content-type': 'application/x-thing' }
  for (const [path, body] of [
    ['docs/large.bin', CONTENT],
    ['docs/small.txt', 'small'],
  ] as const) {
    const answer = await fetch(house.url(path, put), { method: 'PUT', body, headers })
    expect(answer.status).toBe(201)
  }
}

describe('what the gateway tells the server in front', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse({
      gateway: { trustedProxies: ['127.0.0.1'], offload: 'x-accel-redirect' },
    })
    await upload(house)
  })
  afterEach(() => house.close())

  it('a large object is named, with the headers of a download and no bytes', async () => {
    const answer = await fetch(house.url('docs/large.bin', house.mint({})))
    expect(answer.status).toBe(200)
    const file = answer.headers.get('x-accel-redirect') ?? ''
    expect(file).toMatch(/^\/valetkey-files\/.+\/store\/blobs\/[0-9a-f]{2}\/[0-9a-f]{32}$/)
    expect(answer.headers.get('content-type')).toBe('application/x-thing')
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(await answer.text()).toBe('')
  })

  it('a small one, a HEAD and an answer without a body pass through', async () => {
    const key = house.mint({})
    const small = await fetch(house.url('docs/small.txt', key))
    expect([small.headers.get('x-accel-redirect'), await small.text()]).toEqual([null, 'small'])
    const head = await fetch(house.url('docs/large.bin', key), { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(CONTENT.length))
    const etag = head.headers.get('etag') ?? ''
    const same = await fetch(house.url('docs/large.bin', key), {
      headers: { 'if-none-match': etag },
    })
    expect([same.status, same.headers.get('x-accel-redirect')]).toEqual([304, null])
  })

  it('a request with a condition is answered by the gateway, which alone can judge it', async () => {
    const key = house.mint({})
    const link = house.url('docs/large.bin', key)
    const etag = (await fetch(link, { method: 'HEAD' })).headers.get('etag') ?? ''
    const answer = await fetch(link, { headers: { 'if-match': etag } })
    expect(answer.headers.get('x-accel-redirect')).toBeNull()
    expect(Buffer.from(await answer.arrayBuffer()).equals(CONTENT)).toBe(true)
  })

  it('what nginx would not pass on, such as the user metadata of S3, comes with the bytes', async () => {
    const client = s3Client(house, await s3Key(house))
    const at = { Bucket: 'docs', Key: 'large.bin' }
    await client.send(new PutObjectCommand({ ...at, Body: CONTENT, Metadata: { team: 'blue' } }))
    const { Body, Metadata } = await client.send(new GetObjectCommand(at))
    expect(Metadata).toEqual({ team: 'blue' })
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(CONTENT)).toBe(true)
    client.destroy()
    // of which the native protocol says nothing
    const native = await fetch(house.url('docs/large.bin', house.mint({})))
    expect(native.headers.get('x-accel-redirect')).not.toBeNull()
  })

  it('examples/nginx names all that nginx does not pass on by itself', () => {
    const named = readFileSync('examples/nginx/nginx.conf', 'utf8').toLowerCase()
    const itself = ['content-type', 'content-disposition', 'cache-control', 'expires']
    for (const name of NGINX_PASSES) {
      if (itself.includes(name)) continue
      expect(named).toMatch(
        new RegExp(`add_header ${name} +\\$upstream_http_${name.replaceAll('-', '_')};`),
      )
    }
  })

  it('a use counts as soon as the file is handed over', async () => {
    const key = house.mint({ jti: 'once', uses: 1 })
    expect((await fetch(house.url('docs/large.bin', key))).status).toBe(200)
    const again = await fetch(house.url('docs/large.bin', key))
    expect(await again.json()).toMatchObject({ code: 'uses_exhausted' })
  })
})

describe('whoever is not a trusted proxy', () => {
  it('gets the bytes, and learns of no file', async () => {
    const other = await openHouse({ gateway: { offload: 'x-sendfile' } })
    try {
      const put = other.mint({ methods: ['PUT'] })
      await fetch(other.url('docs/large.bin', put), { method: 'PUT', body: CONTENT })
      const answer = await fetch(other.url('docs/large.bin', other.mint({})))
      expect(answer.headers.get('x-sendfile')).toBeNull()
      expect(Buffer.from(await answer.arrayBuffer()).equals(CONTENT)).toBe(true)
    } finally {
      await other.close()
    }
  })
})

const FRONTS = [
  ['nginx', hasNginx, startNginxExample, 'x-accel-redirect'],
  ['Caddy', hasCaddy, startCaddyExample, 'x-sendfile'],
] as const

describe.each(FRONTS.filter(([, has]) => has()))(
  '%s in front, as in its example',
  (_, _has, start, offload) => {
    let house: House
    let front: Front
    beforeEach(async () => {
      house = await openHouse({ gateway: { trustedProxies: ['127.0.0.1'], offload } })
      await upload(house)
      front = await start({ gateway: house.gateway.port, data: house.folder })
    })
    afterEach(async () => {
      await front.close()
      await house.close()
    })

    const get = (key: string, headers = {}, path = 'docs/large.bin', method = 'GET') =>
      ask(house.url(path, key).replace(house.gateway.url, front.url), {
        method,
        headers: { ...headers, host: FILES },
      })

    it('sends the bytes, ranges too, with the headers of the object', async () => {
      const key = house.mint({ respond: { 'content-language': 'de' } })
      const head = await get(key, {}, undefined, 'HEAD')
      const whole = await get(key)
      expect(whole.body.equals(CONTENT)).toBe(true)
      for (const [name, value] of Object.entries(head.headers)) {
        if (!VARYING.has(name)) expect([name, whole.headers[name]]).toEqual([name, value])
      }
      const part = await get(key, { range: 'bytes=299990-300009' })
      expect(part.status).toBe(206)
      expect(part.body.equals(CONTENT.subarray(299_990, 300_010))).toBe(true)
      expect(part.headers.etag).toBe(head.headers.etag)
    })

    it('judges no condition anew: what the gateway has let pass is sent', async () => {
      const key = house.mint({})
      const { etag = '', 'last-modified': modified = '' } = (await get(key)).headers
      const range = 'bytes=10-19'
      const before = 'Sun, 06 Nov 1994 08:49:37 GMT'
      for (const [status, headers] of [
        [200, { 'if-match': etag }],
        [206, { 'if-match': etag, range }],
        [412, { 'if-match': '"other"' }],
        [200, { 'if-none-match': '"other"' }],
        [304, { 'if-none-match': etag }],
        [200, { 'if-modified-since': before }],
        [304, { 'if-modified-since': modified }],
        [200, { 'if-unmodified-since': modified }],
        [412, { 'if-unmodified-since': before }],
        [206, { 'if-range': etag, range }],
        [200, { 'if-range': '"other"', range }],
        [206, { 'if-range': modified, range }],
      ] as const) {
        const answer = await get(key, headers)
        expect([headers, answer.status]).toEqual([headers, status])
        if (status === 200) expect(answer.body.equals(CONTENT)).toBe(true)
        if (status === 206) expect(answer.body.equals(CONTENT.subarray(10, 20))).toBe(true)
      }
    })

    it('hands out nothing by itself', async () => {
      const direct = [`/valetkey-files${house.folder}/store/index.db`, `${house.folder}/ledger.db`]
      for (const path of direct) {
        const answer = await ask(`${front.url}${path}`, { headers: { host: FILES } })
        expect(answer.status).not.toBe(200)
      }
      const refused = await get(house.mint({ path: 'other/' }))
      expect(refused.code).toBe('path_not_granted')
    })
  },
)

/** What differs from one response to the next, or is the other server's own. */
const VARYING = new Set([
  'date',
  'x-request-id',
  'server',
  'connection',
  'accept-ranges',
  'keep-alive',
])
