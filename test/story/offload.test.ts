/** A server in front sends the file once the gateway has decided; a real nginx where there is one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { type Front, hasNginx, startNginx } from '../support/proxy.ts'

const CONTENT = Buffer.alloc(600_000, 'offloaded bytes ')

let house: House
beforeEach(async () => {
  house = await openHouse({
    gateway: { trustedProxies: ['127.0.0.1'], offload: 'x-accel-redirect' },
  })
  const put = house.mint({ methods: ['PUT'] })
  const headers = { 'content-type': 'application/x-thing' }
  for (const [path, body] of [
    ['docs/large.bin', CONTENT],
    ['docs/small.txt', 'small'],
  ] as const) {
    const answer = await fetch(house.url(path, put), { method: 'PUT', body, headers })
    expect(answer.status).toBe(201)
  }
})
afterEach(() => house.close())

describe('what the gateway tells the server in front', () => {
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

/** The locations of examples/nginx/nginx.conf, for the store of this house. */
const locations = (folder: string): string => `
  location / {
    proxy_pass http://127.0.0.1:PORT;
    proxy_set_header X-Forwarded-For $remote_addr;
  }
  location /valetkey-files${folder}/store/blobs/ {
    internal;
    alias ${folder}/store/blobs/;
    open_file_cache max=1000 inactive=20s;
    open_file_cache_valid 20s;
    etag off;
    add_header ETag $upstream_http_etag;
    add_header Content-Security-Policy $upstream_http_content_security_policy;
    add_header X-Content-Type-Options $upstream_http_x_content_type_options;
  }`

const fronts: readonly [string, (house: House) => Promise<Front>][] = hasNginx()
  ? [['nginx', ({ gateway, folder }) => startNginx(gateway.port, locations(folder))]]
  : []

describe.each(fronts)('%s in front', (_, start) => {
  let front: Front
  beforeEach(async () => {
    front = await start(house)
  })
  afterEach(() => front.close())

  const through = (path: string, key: string): string =>
    house.url(path, key).replace(house.gateway.url, front.url)

  it('sends the bytes, ranges too, with our headers', async () => {
    const link = through('docs/large.bin', house.mint({}))
    const whole = await fetch(link)
    expect(Buffer.from(await whole.arrayBuffer()).equals(CONTENT)).toBe(true)
    expect(whole.headers.get('content-type')).toBe('application/x-thing')
    expect(whole.headers.get('content-security-policy')).toContain('sandbox')
    expect(whole.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/)
    const part = await fetch(link, { headers: { range: 'bytes=299990-300009' } })
    expect(part.status).toBe(206)
    const bytes = Buffer.from(await part.arrayBuffer())
    expect(bytes.equals(CONTENT.subarray(299_990, 300_010))).toBe(true)
  })

  it('hands out nothing by itself', async () => {
    const direct = `${front.url}/valetkey-files${house.folder}/store/index.db`
    expect((await fetch(direct)).status).not.toBe(200)
    const refused = await fetch(through('docs/large.bin', house.mint({ path: 'other/' })))
    expect(await refused.json()).toMatchObject({ code: 'path_not_granted' })
  })
})
