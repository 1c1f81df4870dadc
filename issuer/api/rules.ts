/** `/v1/policies` and `/v1/plans`: what keys refer to by name, and what can be changed while they are in use. */
import type { RuleKind } from '../../ledger/ledger.ts'
import { removeRule, setPlan, setPolicy, showRule } from '../rules.ts'
import { asking } from './problem.ts'
import { type Route, route } from './route.ts'
import * as schemas from './rule-schemas.ts'

/** The mistakes of options are found where command line and library find them as well. */
const unread = (value: unknown = {}): unknown => value

const listPolicies = route({
  name: 'listPolicies',
  method: 'get',
  path: '/v1/policies',
  summary: 'Stored policies, by name',
  access: 'admin',
  success: { status: 200, description: 'all of them', schema: schemas.PolicyList },
  refusals: [],
  async answer({ issuer: { ledger } }) {
    return { status: 200, body: { policies: await asking(() => ledger.rules('policy')) } }
  },
})

const listPlans = route({
  name: 'listPlans',
  method: 'get',
  path: '/v1/plans',
  summary: 'Usage plans, by name',
  access: 'admin',
  success: { status: 200, description: 'all of them', schema: schemas.PlanList },
  refusals: [],
  async answer({ issuer: { ledger } }) {
    return { status: 200, body: { plans: await asking(() => ledger.rules('plan')) } }
  },
})

const putPolicy = route({
  name: 'putPolicy',
  method: 'put',
  path: '/v1/policies/{name}',
  summary: 'Store a policy, or change it: it holds at once for every key that names it',
  access: 'admin',
  params: schemas.RuleParams,
  body: { schema: schemas.PolicyRequest, read: unread },
  success: { status: 200, description: 'as it holds now', schema: schemas.Policy },
  refusals: ['key_malformed'],
  async answer({ params: { name = '' }, body, issuer: { ledger }, now }) {
    return { status: 200, body: await asking(() => setPolicy(name, body, { ledger, now })) }
  },
})

const putPlan = route({
  name: 'putPlan',
  method: 'put',
  path: '/v1/plans/{name}',
  summary: 'Store a usage plan, or change it',
  access: 'admin',
  params: schemas.RuleParams,
  body: { schema: schemas.PlanRequest, read: unread },
  success: { status: 200, description: 'as it holds now', schema: schemas.Plan },
  refusals: [],
  async answer({ params: { name = '' }, body, issuer: { ledger }, now }) {
    return { status: 200, body: await asking(() => setPlan(name, body, { ledger, now })) }
  },
})

const showing = (
  name: string,
  kind: 'policy' | 'plan',
  path: string,
  schema: Route['success']['schema'],
) =>
  route({
    name,
    method: 'get',
    path,
    summary: `One ${kind}`,
    access: 'admin',
    params: schemas.RuleParams,
    success: { status: 200, description: 'as it holds now', ...(schema && { schema }) },
    refusals: ['resource_not_found'],
    async answer({ params: { name = '' }, issuer }) {
      return { status: 200, body: await asking(() => showRule(kind, name, issuer)) }
    },
  })

const removing = (name: string, kind: RuleKind, path: string) =>
  route({
    name,
    method: 'delete',
    path,
    summary: `Remove a ${kind}: keys that name it are refused from then on`,
    access: 'admin',
    params: schemas.RuleParams,
    success: { status: 204, description: 'removed' },
    refusals: ['resource_not_found'],
    async answer({ params: { name = '' }, issuer }) {
      await asking(() => removeRule(kind, name, issuer))
      return { status: 204 }
    },
  })

export const ruleRoutes: readonly Route[] = [
  listPolicies,
  showing('showPolicy', 'policy', '/v1/policies/{name}', schemas.Policy),
  putPolicy,
  removing('removePolicy', 'policy', '/v1/policies/{name}'),
  listPlans,
  showing('showPlan', 'plan', '/v1/plans/{name}', schemas.Plan),
  putPlan,
  removing('removePlan', 'plan', '/v1/plans/{name}'),
]
