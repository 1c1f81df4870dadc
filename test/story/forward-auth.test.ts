/** `/-/auth`: a key in front of any service. A real nginx and a real Caddy ask where there is one. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { type Front, hasNginx, onFreePort, startNginx } from '../support/proxy.ts'

let house: House
beforeEach(async () => {
  house = await openHouse({ gateway: { trustedProxies: ['127.0.0.1'] } })
})
afterEach(() => house.close())

const ask = (headers: Record<string, string>): Promise<Response> =>
  fetch(`${house.gateway.url}/-/auth`, { headers })

const forwarded = (method: string, uri: string) => ({
  'x-forwarded-method': method,
  'x-forwarded-uri': uri,
})

describe('what a proxy is told', () => {
  it.each([
    ['GET', '/grafana/d/1', 204],
    ['HEAD', '/grafana/d/1', 204],
    ['GET', '/grafana/', 204],
    ['POST', '/grafana/api/x', 403],
    ['DELETE', '/grafana/d/1', 403],
    ['BREW', '/grafana/d/1', 403],
    ['GET', '/other/d/1', 403],
    ['GET', '/grafana/%2e%2e/other/x', 403],
    ['GET', '/grafana/../other/x', 403],
  ])('%s %s is answered with %i', async (method, uri, status) => {
    const key = house.mint({ path: 'grafana/', methods: ['GET'], sub: 'ada ☃' })
    const answer = await ask(forwarded(method, `${uri}?vk=${key}`))
    expect(answer.status).toBe(status)
    const subject = answer.headers.get('x-valetkey-subject')
    expect(subject).toBe(status === 204 ? encodeURIComponent('ada ☃') : null)
  })

  it('a missing key is 401, a bad one 403, both with the code', async () => {
    const missing = await ask(forwarded('GET', '/grafana/d/1'))
    expect([missing.status, await missing.json()]).toMatchObject([401, { code: 'key_missing' }])
    const stranger = house.mint({}).slice(0, -3)
    const bad = await ask({
      ...forwarded('GET', '/grafana/d/1'),
      authorization: `Bearer ${stranger}AAA`,
    })
    expect(bad.status).toBe(403)
  })

  it('both pairs of headers at once are refused: one of them could be the client’s', async () => {
    const key = house.mint({ path: 'grafana/' })
    const both = {
      ...forwarded('GET', `/grafana/d/1?vk=${key}`),
      'x-original-method': 'GET',
      'x-original-uri': '/admin/secret',
    }
    expect(await (await ask(both)).json()).toMatchObject({ code: 'request_malformed' })
  })

  it('each request that is let through is one use', async () => {
    const key = house.mint({ path: 'grafana/', jti: 'twice', uses: 2 })
    const uri = forwarded('GET', `/grafana/d/1?vk=${key}`)
    expect((await ask(uri)).status).toBe(204)
    expect((await ask(forwarded('GET', `/other/d/1?vk=${key}`))).status).toBe(403)
    expect((await ask(uri)).status).toBe(204)
    expect(await (await ask(uri)).json()).toMatchObject({ code: 'uses_exhausted' })
  })

  it('whoever is not a trusted proxy may not ask', async () => {
    const other = await openHouse()
    try {
      const headers = forwarded('GET', `/grafana/d/1?vk=${other.mint({})}`)
      const answer = await fetch(`${other.gateway.url}/-/auth`, { headers })
      expect(await answer.json()).toMatchObject({ code: 'address_not_granted' })
    } finally {
      await other.close()
    }
  })
})

const nginx = (gateway: number, service: number): Promise<Front> =>
  startNginx(
    gateway,
    `location / { auth_request /-/auth; proxy_pass http://127.0.0.1:${service}; }
     location = /-/auth {
       internal;
       proxy_pass http://127.0.0.1:PORT;
       proxy_pass_request_body off;
       proxy_set_header Content-Length "";
       proxy_set_header X-Original-Method $request_method;
       proxy_set_header X-Original-URI $request_uri;
       proxy_set_header X-Forwarded-Method "";
       proxy_set_header X-Forwarded-Uri "";
     }`,
  )

async function caddy(gateway: number, service: number): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), 'valetkey-caddy-'))
  const conf = (port: number): string => `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  forward_auth 127.0.0.1:${gateway} {
    uri /-/auth
    header_up -X-Original-Method
    header_up -X-Original-Uri
  }
  reverse_proxy 127.0.0.1:${service}
}
`
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const file = join(folder, 'Caddyfile')
  const { port, child, exited } = await onFreePort((free) => {
    writeFileSync(file, conf(free))
    return spawn('caddy', ['run', '--config', file], { stdio: 'ignore', env })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const hasCaddy = (): boolean => spawnSync('caddy', ['version']).error === undefined

const fronts: readonly [string, typeof nginx][] = [
  ...(hasNginx() ? [['nginx', nginx] as [string, typeof nginx]] : []),
  ...(hasCaddy() ? [['Caddy', caddy] as [string, typeof nginx]] : []),
]

describe.each(fronts)('%s in front of a service', (_, start) => {
  let front: Front
  let service: Server
  let served: string[]

  beforeEach(async () => {
    served = []
    service = createServer((request, response) => {
      served.push(`${request.method} ${request.url?.split('?')[0]}`)
      response.end('the service')
    }).listen(0, '127.0.0.1')
    await once(service, 'listening')
    front = await start(house.gateway.port, (service.address() as AddressInfo).port)
    served = []
  })
  afterEach(async () => {
    await front.close()
    service.closeAllConnections()
    service.close()
  })

  it('lets through what a key grants, and nothing else', async () => {
    const key = house.mint({ path: 'grafana/', methods: ['GET'] })
    const get = (path: string, headers = {}) => fetch(`${front.url}${path}?vk=${key}`, { headers })
    expect(await (await get('/grafana/d/1')).text()).toBe('the service')
    expect((await get('/other/d/1')).status).toBe(403)
    expect((await fetch(`${front.url}/grafana/d/1`)).status).toBe(401)
    const posted = await fetch(`${front.url}/grafana/d/1?vk=${key}`, { method: 'POST', body: 'x' })
    expect(posted.status).toBe(403)
    // a client that states another URI for itself gets no further
    const lies = {
      'x-forwarded-uri': '/grafana/d/1',
      'x-forwarded-method': 'GET',
      'x-original-uri': '/grafana/d/1',
      'x-original-method': 'GET',
    }
    expect((await get('/other/d/1', lies)).status).toBe(403)
    expect(served).toEqual(['GET /grafana/d/1'])
  })
})
