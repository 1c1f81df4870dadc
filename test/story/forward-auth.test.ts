/** `/-/auth`: a key in front of any service. A real nginx and a real Caddy ask where there is one. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, type Question, ask as request } from '../support/http.ts'
import {
  type Front,
  hasCaddy,
  hasNginx,
  REPORTS,
  startCaddyExample,
  startNginxExample,
} from '../support/proxy.ts'

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

  it.each([
    '/grafana/..;/other/x',
    '/grafana/..;a=b/other/x',
    '/grafana/.;/x',
    '/grafana/%2e%2e;/other/x',
    '/grafana/..%3B/other/x',
    '/grafana/..%253b/other/x',
    '/grafana/%252e%252e/other/x',
    '/grafana/%25252E/x',
    '/grafana/a%2f..%2fother',
    '/grafana/a%252Fb',
    '/grafana/a%5cb',
    '/grafana/a%255Cb',
  ])('%s has a second reading, and is refused to any key', async (uri) => {
    const answer = await ask(forwarded('GET', `${uri}?vk=${house.mint({ path: '/' })}`))
    expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'path_malformed' }])
  })

  it.each(['/grafana/a;b=c/d', '/grafana/a..;/b', '/grafana/100%25', '/grafana/...;/x'])(
    '%s has one',
    async (uri) => {
      const answer = await ask(forwarded('GET', `${uri}?vk=${house.mint({ path: 'grafana/' })}`))
      expect(answer.status).toBe(204)
    },
  )

  it.each(['/a.txt', '/API/v1', '/grafana//x'])(
    '%s is no path of a key, and the answer says what to do',
    async (uri) => {
      const answer = await ask(forwarded('GET', `${uri}?vk=${house.mint({ path: '/' })}`))
      expect([answer.status, await answer.json()]).toMatchObject([
        403,
        { code: 'path_malformed', detail: expect.stringContaining('below a name such as') },
      ])
    },
  )

  it('whom a key is for, says whoever made it, and nobody who narrows it', async () => {
    const toldOf = async (key: string) =>
      (await ask(forwarded('GET', `/grafana/d/1?vk=${key}`))).headers.get('x-valetkey-subject')
    expect(await toldOf(house.narrow(house.mint({}), { sub: 'admin' }))).toBe('')
    expect(await toldOf(house.narrow(house.mint({ sub: 'ann' }), { sub: 'admin' }))).toBe('ann')
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

const FRONTS = [
  ['nginx', hasNginx, startNginxExample, 'x-user'],
  ['Caddy', hasCaddy, startCaddyExample, 'x-valetkey-subject'],
] as const

describe.each(FRONTS.filter(([, has]) => has()))(
  '%s in front of a service, as in its example',
  (_, _has, start, header) => {
    let front: Front
    let service: Server
    let served: string[]
    let subject: string | undefined

    beforeEach(async () => {
      service = createServer((request, response) => {
        served.push(`${request.method} ${request.url?.split('?')[0]}`)
        subject = request.headers[header]?.toString()
        response.end('the service')
      }).listen(0, '127.0.0.1')
      await once(service, 'listening')
      const { port } = service.address() as AddressInfo
      front = await start({ gateway: house.gateway.port, data: house.folder, service: port })
      served = []
    })
    afterEach(async () => {
      await front.close()
      service.closeAllConnections()
      service.close()
    })

    const through = (path: string, key?: string, more: Question = {}): Promise<Answer> =>
      request(`${front.url}${path}${key === undefined ? '' : `?vk=${key}`}`, {
        ...more,
        headers: { ...more.headers, host: REPORTS },
      })

    it('lets through what a key grants, and nothing else', async () => {
      const key = house.mint({ path: 'grafana/', methods: ['GET'] })
      expect((await through('/grafana/d/1', key)).text()).toBe('the service')
      expect((await through('/other/d/1', key)).status).toBe(403)
      expect((await through('/grafana/d/1')).status).toBe(401)
      expect((await through('/grafana/d/1', key, { method: 'POST', body: 'x' })).status).toBe(403)
      // a client that states another URI for itself gets no further
      const lies = {
        'x-forwarded-uri': '/grafana/d/1',
        'x-forwarded-method': 'GET',
        'x-original-uri': '/grafana/d/1',
        'x-original-method': 'GET',
      }
      expect((await through('/other/d/1', key, { headers: lies })).status).toBe(403)
      expect(served).toEqual(['GET /grafana/d/1'])
    })

    it('tells the service whose key it is, and never what a client says of itself', async () => {
      const lies = { 'x-user': 'root', 'x-valetkey-subject': 'root' }
      const of = (sub: { readonly sub?: string }): string =>
        house.mint({ path: 'grafana/', methods: ['GET'], ...sub })
      expect((await through('/grafana/d/1', of({ sub: 'ada' }), { headers: lies })).status).toBe(
        200,
      )
      expect(subject).toBe('ada')
      expect((await through('/grafana/d/1', of({}), { headers: lies })).status).toBe(200)
      expect(subject ?? '').toBe('')
    })
  },
)
