/** The issuer's section of `valetkey.toml`: parsed once, at the edge, into a frozen value. */
import { z } from 'zod'
import { parseDuration, type Seconds, seconds } from '../key/units.ts'
import { listenSetting } from '../listener/address.ts'

/** `15m`, or whole seconds; a key that never lives is of no use. */
const lifeSetting = z.union([z.string(), z.int()]).transform((value, context): Seconds => {
  try {
    const life = typeof value === 'number' ? seconds(value) : parseDuration(value)
    if (life >= 1) return life
    context.addIssue({ code: 'custom', message: 'expected at least one second' })
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
  return z.NEVER
})

/** `[issuer]` */
export const issuerSection = z.strictObject({
  /** private: whoever reaches it and knows the admin token can mint any key */
  listen: listenSetting.prefault('127.0.0.1:8081'),
  /** the life of a key that states none; the longest life, where that is shorter */
  defaultExpires: lifeSetting.prefault('15m'),
  /** the longest life that may be asked for */
  maxExpires: lifeSetting.prefault('7d'),
})

/** `[metrics]` */
export const metricsSection = z.strictObject({
  /** whether `/metrics` answers everybody who reaches the issuer */
  public: z.boolean().default(false),
})

export type MetricsSettings = z.output<typeof metricsSection>
export type IssuerSettings = z.output<typeof issuerSection>
