/** `[audit]`: parsed once, at the edge. */
import { z } from 'zod'
import { parseDuration, type Seconds, seconds } from '../key/units.ts'

const LEAST = 86_400

/** Whole days are kept: a file holds one. */
const keepSetting = z.union([z.string(), z.int()]).transform((value, context): Seconds => {
  try {
    const keep = typeof value === 'number' ? seconds(value) : parseDuration(value)
    if (keep >= LEAST) return keep
    context.addIssue({ code: 'custom', message: 'expected at least one day, such as 90d' })
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
  return z.NEVER
})

export const auditSection = z.strictObject({
  /** whether records are kept at all */
  enabled: z.boolean().default(true),
  /** for how long */
  keep: keepSetting.prefault('90d'),
})

export type AuditSettingsText = z.input<typeof auditSection>
export type AuditSettings = z.output<typeof auditSection>
