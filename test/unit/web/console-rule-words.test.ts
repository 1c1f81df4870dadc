/** Policies and plans are said in every language that the console has, each claim of them. */
import { describe, expect, it } from 'vitest'
import type { Block } from '../../../key/claims.ts'
import { describePlan, type Plan } from '../../../key/plan.ts'
import { rules as de } from '../../../web/client/console/texts/rules-de.ts'
import { rules as en } from '../../../web/client/console/texts/rules-en.ts'
import { rules as zh } from '../../../web/client/console/texts/rules-zh.ts'

const POLICY: Block = {
  nbf: 1_800_000_000,
  exp: 1_900_000_001,
  path: ['docs/', 'logs/b'],
  match: '*.csv',
  methods: ['GET', 'PUT'],
  size: [1024, 10 * 2 ** 20],
  types: ['image/*', 'text/plain'],
  sha256: 'A'.repeat(64),
  create: true,
  rate: 2 ** 20,
  plan: 'free',
  ip: ['10.0.0.0/8', '2001:db8::/32'],
  origins: ['https://app.example.com'],
  headers: { 'x-team': 'blue' },
  tls: true,
  respond: { 'cache-control': 'no-cache' },
  ttl: 90,
}
const PLAN: Plan = {
  rate: { requests: 10, seconds: 1 },
  burst: 20,
  quota: { requests: 1000, bytes: 2 ** 30, period: 'month' },
  per: 'subject',
}
const SHOWN = { moment: (time: number) => `<${time}>`, duration: (time: number) => `[${time}]` }

describe.each(Object.entries({ en, de, zh }))('in %s', (language, { policy, plan }) => {
  it('a policy has a sentence for each of its claims', () => {
    const said = policy(POLICY, SHOWN)
    expect(said).toHaveLength(Object.keys(POLICY).length)
    expect(said.join('\n')).not.toMatch(/undefined|\[object|[{}]/)
    if (language !== 'en') expect(said.join('\n')).toMatch(/<1800000000>[\s\S]*<1900000001>/)
    for (const word of ['*.csv', '10 MiB', 'free', '10.0.0.0/8', 'x-team: blue', 'no-cache']) {
      expect(said.join('\n')).toContain(word)
    }
    expect(policy({}, SHOWN)).toEqual([])
  })

  it('a size has its ends, one or both', () => {
    const [most] = policy({ size: [0, 2 ** 20] }, SHOWN)
    const [least] = policy({ size: [2 ** 20, Number.MAX_SAFE_INTEGER] }, SHOWN)
    expect(most).toContain('1 MiB')
    expect(least).toContain('1 MiB')
    expect(most).not.toBe(least)
  })

  it('a plan has a sentence for each thing that it counts', () => {
    expect(plan(PLAN)).toHaveLength(5)
    expect(plan(PLAN).join()).toContain('1 GiB')
    expect(plan({ per: 'key' })).toHaveLength(1)
  })
})

it('in English as the command line says it', () => {
  expect(en.plan(PLAN)).toEqual(describePlan(PLAN))
  expect(describePlan(PLAN)).toEqual([
    '10 requests in 1 s',
    '20 at once',
    '1000 requests a month',
    '1 GiB a month',
    'per subject',
  ])
})
