/** The shapes of what is asked of the audit, and of what it answers. */
import { z } from '@hono/zod-openapi'
import { parseAddress, parseCidr } from '../../key/address.ts'
import { id, limit } from './schemas.ts'

const isAddressOrNetwork = (value: string): boolean =>
  parseAddress(value) !== undefined || parseCidr(value) !== undefined

const auditFilter = {
  id: id.optional().openapi({ description: 'of a key' }),
  kid: id.optional().openapi({ description: 'of a signing key' }),
  subject: z.string().optional(),
  path: z
    .string()
    .optional()
    .openapi({ description: 'an object, or with a slash at its end, all beneath' }),
  code: z.string().optional().openapi({ description: 'of a refusal' }),
  refused: z.stringbool().optional().openapi({ type: 'boolean', description: 'only refusals' }),
  address: z
    .string()
    .refine(
      isAddressOrNetwork,
      'must be an address such as 192.0.2.7, or a network such as 10.0.0.0/8',
    )
    .optional()
    .openapi({ type: 'string', description: 'an address, or a network: 10.0.0.0/8' }),
}
const moment = z
  .string()
  .optional()
  .openapi({ description: '"2026-11-24T18:00:00Z", or "24h" for a day ago' })

export const LiveAuditQuery = z.strictObject(auditFilter)
export const AuditQuery = z.strictObject({
  ...auditFilter,
  since: moment,
  until: moment,
  cursor: z.string().max(7000).optional().openapi({ description: '"next" of the page before' }),
  limit,
})

const AuditEntry = z
  .object({
    time: z.string(),
    kind: z.enum(['request', 'change', 'act', 'note']),
    by: z.enum(['gateway', 'issuer', 'cli', 'audit']),
    id: z.string().optional().openapi({ description: 'of the request' }),
    act: z.string(),
    path: z.string().optional(),
    keys: z.array(z.string()).optional(),
    kid: z.string().optional(),
    subjects: z.array(z.string()).optional(),
    narrowedFor: z
      .array(z.string())
      .optional()
      .openapi({ description: 'whom those who narrowed the key say that it is for' }),
    who: z.string().optional(),
    address: z.string().optional(),
    status: z.int().optional(),
    code: z.string().optional(),
    in: z.int().optional(),
    out: z.int().optional(),
    ms: z.number().optional(),
    broken: z.literal(true).optional(),
    trace: z.string().optional(),
    about: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('AuditRecord')

export const AuditPage = z
  .object({
    records: z.array(AuditEntry),
    next: z.string().nullable().openapi({ description: 'the cursor of the page after this one' }),
  })
  .openapi('AuditPage')
