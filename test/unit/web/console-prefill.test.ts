/** A policy or a plan that is opened to be changed says in its form all that it says. */
import { expect, it } from 'vitest'
import { restrictionsFrom } from '../../../issuer/options.ts'
import { planFrom } from '../../../issuer/rules.ts'
import { CLAIM_NAMES } from '../../../key/claims.ts'
import { parsePolicy } from '../../../key/policy.ts'
import { unixSeconds } from '../../../key/units.ts'
import { READERS } from '../../../web/client/console/options.ts'
import { type Plan, prefilledPlan, prefilledPolicy } from '../../../web/client/console/prefill.ts'

const EVERY_CLAIM = {
  nbf: 1_800_000_000,
  exp: 1_900_000_001,
  path: ['docs/', 'logs/b'],
  match: '*.csv',
  methods: ['GET', 'PUT'],
  size: [1000, 10 * 2 ** 20],
  types: ['image/*', 'text/plain'],
  sha256: 'a'.repeat(64),
  create: true,
  rate: 2 ** 20,
  plan: 'free',
  ip: ['10.0.0.0/8', '2001:db8::1/128'],
  origins: ['https://app.example.com'],
  headers: { 'x-team': 'blue', 'x-more': 'a: b' },
  tls: true,
  respond: { 'cache-control': 'no-cache' },
  ttl: 90,
}
/** Of a whole key, or counted on its id; no policy has them. */
const OF_KEYS = ['kid', 'jti', 'iat', 'aud', 'sub', 'uses', 'pin', 'bytes', 'files', 'policy']
const LISTS = ['path', 'methods', 'types', 'ip', 'origins']

it('is a policy with every claim', () => {
  expect([...Object.keys(EVERY_CLAIM), ...OF_KEYS].sort()).toEqual([...CLAIM_NAMES].sort())
  const { fields, kept } = prefilledPolicy(EVERY_CLAIM)
  const stated = Object.entries(fields).map(([name, value]) => {
    if (value === true) return [name, true]
    const kind = LISTS.includes(name) ? 'list' : name === 'headers' ? 'lines' : 'text'
    return [name, READERS[kind](value)]
  })
  const options = { ...kept, ...Object.fromEntries(stated) }
  const again = parsePolicy(
    restrictionsFrom(options, { now: unixSeconds(1_700_000_000), id: 'some' }),
  )
  expect(again).toEqual(EVERY_CLAIM)
})

it.each([
  { rate: '600/m', burst: 9, per: 'subject' },
  { rate: '7/h' },
  { requests: 1000, bytes: '1.5GiB', period: 'month', per: 'signing-key' },
])('is the plan %o', (written) => {
  const plan = planFrom(written)
  const { fields } = prefilledPlan(plan as Plan)
  expect(planFrom(fields)).toEqual(plan)
})
