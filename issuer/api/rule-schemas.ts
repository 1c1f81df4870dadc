/** The shapes of what is kept beside keys, and changed while they are in use. */
import { z } from '@hono/zod-openapi'
import { COUNTED_PER, PERIODS } from '../../key/plan.ts'
import {
  claims,
  countIn,
  id,
  KeyRequest,
  lifeIn,
  sizeIn,
  text,
  texts,
  time,
  timeIn,
} from './schemas.ts'

/** What may be written of a change; what of it belongs into the key alone is refused by its name. */
export const WrittenChange = KeyRequest.omit({ path: true, renewable: true, id: true })
  .partial()
  .extend({
    path: texts.optional(),
    paused: z.boolean().optional().openapi({ description: 'refused until it is resumed' }),
  })

/** What can be changed of a key that is in use: what a narrower key may state, and whether it rests. */
export const KeyChange = WrittenChange.omit({
  subject: true,
  uses: true,
  once: true,
  bytes: true,
  files: true,
  policy: true,
}).openapi('KeyChange')

export const ReplaceRequest = z
  .strictObject({ expires: timeIn.optional(), expiresIn: lifeIn.optional() })
  .openapi('ReplaceRequest')

export const KeyRule = z.strictObject({ id, claims, paused: z.boolean() }).openapi('KeyRule')

export const PolicyRequest = KeyChange.omit({ paused: true }).openapi('PolicyRequest')
export const Policy = z
  .strictObject({ kind: z.literal('policy'), name: id, claims, changedAt: time })
  .openapi('Policy')
export const PolicyList = z.strictObject({ policies: z.array(Policy) }).openapi('Policies')

export const PlanRequest = z
  .strictObject({
    rate: text
      .optional()
      .openapi({ description: '10/s, 600/m, 1000/h', pattern: '^[1-9]\\d{0,8}/[smh]$' }),
    burst: countIn.optional(),
    requests: countIn.optional(),
    bytes: sizeIn.optional(),
    period: z.enum(PERIODS).optional().openapi({ description: 'day unless stated; in UTC' }),
    per: z.enum(COUNTED_PER).optional().openapi({ description: 'key unless stated' }),
  })
  .openapi('PlanRequest')
export const Plan = z
  .strictObject({
    kind: z.literal('plan'),
    name: id,
    plan: z.strictObject({
      rate: z.strictObject({ requests: z.int(), seconds: z.int() }).optional(),
      burst: z.int().optional(),
      quota: z
        .strictObject({
          requests: z.int().optional(),
          bytes: z.int().optional(),
          period: z.enum(PERIODS),
        })
        .optional(),
      per: z.enum(COUNTED_PER),
    }),
    changedAt: time,
  })
  .openapi('Plan')
export const PlanList = z.strictObject({ plans: z.array(Plan) }).openapi('Plans')
export const RuleParams = z.strictObject({ name: id })
