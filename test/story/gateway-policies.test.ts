/** What is kept beside keys, and changed while they are in use: policies, plans, rules of single keys. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Block } from '../../key/claims.ts'
import type { Plan } from '../../key/plan.ts'
import { until } from '../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type House, openHouse } from '../support/house.ts'
import { type Answer, ask, type Question } from '../support/http.ts'
import { pattern } from '../support/store.ts'

let house: House
let other: GatewayProcess
let all: string

beforeAll(async () => {
  house = await openHouse()
  other = await startGatewayProcess(house)
  all = house.mint({ methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
  await ask(house.url('bucket/a', all), { method: 'PUT', body: pattern(100) })
  await ask(house.url('bucket/large', all), { method: 'PUT', body: pattern(24 << 20) })
})
afterAll(async () => {
  await other.kill()
  await house.close()
})

const said = ({ status, code }: Answer): string =>
  code === undefined ? String(status) : `${status} ${code}`
const outcome = async (url: string, question: Question = {}): Promise<string> =>
  said(await ask(url, question))
const there = (url: string): string => url.replace(house.gateway.url, other.url)

const policy = (name: string, claims: Block) =>
  house.ledger.setRule({ kind: 'policy', name, claims, changedAt: house.now() })
const plan = (name: string, stated: Plan) =>
  house.ledger.setRule({ kind: 'plan', name, plan: stated, changedAt: house.now() })
const rule = (name: string, claims: Block, paused = false) =>
  house.ledger.setRule({ kind: 'key', name, claims, paused, changedAt: house.now() })

const tally = (outcomes: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const each of outcomes) counts[each] = (counts[each] ?? 0) + 1
  return counts
}

describe('a stored policy', () => {
  test('holds like a further block, follows its changes in every process, and is needed', async () => {
    const key = house.mint({ methods: ['GET', 'PUT'], policy: 'partners' })
    const url = house.url('bucket/a', key)
    expect(await outcome(url)).toBe('403 policy_not_found')
    await policy('partners', { methods: ['GET'] })
    expect([await outcome(url), await outcome(there(url))]).toEqual(['200', '200'])
    expect(await outcome(url, { method: 'PUT', body: 'x' })).toBe('403 method_not_granted')
    await policy('partners', { path: 'bucket/b' })
    expect(await outcome(url)).toBe('403 path_not_granted')
    expect(await outcome(there(url))).toBe('403 path_not_granted')
    await policy('partners', { exp: house.now() - 1 })
    expect(await outcome(there(url))).toBe('403 key_expired')
    await house.ledger.removeRule('policy', 'partners')
    expect(await outcome(url)).toBe('403 policy_not_found')
  })

  test('can not widen a key, and holds for what is narrowed from it', async () => {
    await policy('wide', { path: '/', methods: ['GET', 'PUT', 'DELETE', 'LIST'] })
    const key = house.mint({ path: 'bucket/b', policy: 'wide' })
    expect(await outcome(house.url('bucket/a', key))).toBe('403 path_not_granted')
    await policy('writers', { methods: ['PUT'] })
    const narrowed = house.narrow(house.mint({ policy: 'writers' }), { exp: house.now() + 9 })
    expect(await outcome(house.url('bucket/a', narrowed))).toBe('403 method_not_granted')
  })

  test('matches beneath the scope of the block that names it, whatever was narrowed since', async () => {
    await policy('flat', { match: '*' })
    await rule('amended', { match: '*' })
    for (const named of [{ policy: 'flat' }, { jti: 'amended' }]) {
      const key = house.mint({ path: 'bucket/', ...named })
      const narrowed = house.narrow(key, { path: 'bucket/deep/' })
      expect(await outcome(house.url('bucket/a', key))).toBe('200')
      for (const each of [key, narrowed]) {
        expect(await outcome(house.url('bucket/deep/x', each))).toBe('403 path_not_granted')
      }
    }
    // of a block that was added, beneath that one's own
    const added = house.narrow(house.mint({}), { path: 'bucket/deep/', policy: 'flat' })
    expect(await outcome(house.url('bucket/deep/x', added))).toBe('404 object_not_found')
  })

  test('limits uploads as blocks do, and is told by /-/key', async () => {
    await policy('small', { size: [0, 5], types: ['text/plain'] })
    const key = house.mint({ methods: ['PUT'], policy: 'small' })
    const url = house.url('bucket/new', key)
    expect(await outcome(url, { method: 'PUT', body: 'abcdef' })).toBe('415 type_not_granted')
    const headers = { 'content-type': 'text/plain' }
    expect(await outcome(url, { method: 'PUT', body: 'abcdef', headers })).toBe('413 too_large')
    const told = (await ask(`${house.gateway.url}/-/key?vk=${key}`)).json()
    expect(told.size).toEqual({ min: 0, max: 5 })
  })
})

describe('the rule of a key', () => {
  test('pauses and resumes any key, in every process', async () => {
    const key = house.mint({ jti: 'pausing' })
    const url = house.url('bucket/a', key)
    expect(await outcome(url)).toBe('200')
    await rule('pausing', {}, true)
    expect([await outcome(url), await outcome(there(url))]).toEqual([
      '403 key_paused',
      '403 key_paused',
    ])
    await rule('pausing', {})
    expect([await outcome(url), await outcome(there(url))]).toEqual(['200', '200'])
    expect(await outcome(house.url('bucket/a', all))).toBe('200')
  })

  test('ends transfers that run when it pauses or ends the key', async () => {
    for (const [jti, end] of [
      ['cut-1', () => rule('cut-1', {}, true)],
      ['cut-2', () => rule('cut-2', { exp: house.now() - 1 })],
    ] as const) {
      const socket = connect(house.gateway.port, '127.0.0.1').on('error', () => {})
      socket.write(`GET /bucket/large?vk=${house.mint({ jti })} HTTP/1.1\r\nHost: a\r\n\r\n`)
      await once(socket, 'data')
      socket.pause()
      await end()
      await until(() => house.logged.some((line) => line.jti === jti && line.code !== undefined))
      socket.destroy()
    }
  })

  test('is needed by a key that names it: renewable keys end as it says', async () => {
    const key = house.mint({ jti: 'renewable', policy: 'renewable' })
    const url = house.url('bucket/a', key)
    expect(await outcome(url)).toBe('403 policy_not_found')
    await rule('renewable', { exp: house.now() - 5 })
    expect(await outcome(url)).toBe('403 key_expired')
    await rule('renewable', { exp: house.now() + 60 })
    expect([await outcome(url), await outcome(there(url))]).toEqual(['200', '200'])
  })
})

describe('a usage plan', () => {
  test('lets in as many requests of a day as it has, from two processes, and not one more', async () => {
    await plan('daily', { quota: { requests: 40, period: 'day' }, per: 'key' })
    const url = house.url('bucket/a', house.mint({ plan: 'daily' }))
    const asked: string[] = []
    // what one process has taken ahead comes back within moments
    await until(async () => {
      const urls = Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? url : there(url)))
      asked.push(...(await Promise.all(urls.map((each) => outcome(each)))))
      return (tally(asked)['200'] ?? 0) >= 40
    })
    expect(tally(asked)['200']).toBe(40)
    expect(await outcome(url)).toBe('429 rate_limited')
  })

  test('says when to come back', async () => {
    await plan('hourly', { rate: { requests: 2, seconds: 3600 }, per: 'key' })
    const url = house.url('bucket/a', house.mint({ plan: 'hourly' }))
    expect([await outcome(url), await outcome(url, { method: 'HEAD' })]).toEqual(['200', '200'])
    const { status, headers } = await ask(url)
    expect([status, headers['retry-after']]).toEqual([429, '1800'])
    expect(headers['ratelimit-policy']).toBe('"hourly-rate";q=2;w=3600')
    expect(headers.ratelimit).toBe('"hourly-rate";r=0;t=1800')
  })

  test('counts bytes exactly, both ways', async () => {
    await plan('bytes', { quota: { bytes: 250, period: 'month' }, per: 'key' })
    const key = house.mint({ methods: ['GET', 'PUT'], plan: 'bytes' })
    const url = house.url('bucket/a', key)
    expect([await outcome(url), await outcome(url), await outcome(url)]).toEqual([
      '200',
      '200',
      '429 rate_limited',
    ])
    const upload = { method: 'PUT', body: pattern(50) }
    expect(await outcome(house.url('bucket/planned', key), upload)).toBe('201')
    expect(await outcome(house.url('bucket/planned', key), upload)).toBe('429 rate_limited')
  })

  test("counts a subject together, and by nobody's word but the owner's", async () => {
    await plan('each', { quota: { requests: 2, period: 'week' }, per: 'subject' })
    const anns = [0, 1].map(() => house.mint({ sub: 'ann', plan: 'each' }))
    const [one, two] = anns.map((key) => house.url('bucket/a', key)) as [string, string]
    expect([await outcome(one), await outcome(two), await outcome(one)]).toEqual([
      '200',
      '200',
      '429 rate_limited',
    ])
    // whoever narrows a key uses up nothing of others, and escapes nothing of their own
    const bobs = house.mint({ sub: 'bob', plan: 'each' })
    const stranger = house.narrow(house.mint({}), { jti: 'x', sub: 'bob', plan: 'each' })
    for (const at of [200, 200, 429]) {
      expect((await ask(house.url('bucket/a', stranger))).status).toBe(at)
    }
    expect(await outcome(house.url('bucket/a', bobs))).toBe('200')
    const escaping = house.narrow(anns[0] ?? '', { sub: 'somebody' })
    expect(await outcome(house.url('bucket/a', escaping))).toBe('429 rate_limited')
  })

  test('that is not there refuses', async () => {
    const url = house.url('bucket/a', house.mint({ plan: 'nowhere' }))
    expect(await outcome(url)).toBe('403 policy_not_found')
  })
})
