/** `[scan]` of `valetkey.toml`. */
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { listenSetting } from '../../listener/address.ts'
import { durationSetting, sizeSetting } from '../config.ts'
import type { ClamdAddress } from './clamd.ts'

const clamdSetting = z.string().transform((text, context): ClamdAddress => {
  if (isAbsolute(text)) return { path: text }
  const { data } = listenSetting.safeParse(text)
  if (data !== undefined) return data
  context.addIssue({
    code: 'custom',
    message: 'expected the absolute path of a socket, or HOST:PORT such as 127.0.0.1:3310',
  })
  return z.NEVER
})

/** `[scan]` */
export const scanSection = z.strictObject({
  /** where clamd listens: the path of its socket, or `127.0.0.1:3310` */
  clamd: clamdSetting.optional(),
  /** a program and its arguments: exit code 0 passes, 1 refuses */
  command: z
    .array(z.string())
    .default([])
    .refine(([program]) => program === undefined || isAbsolute(program), {
      error: 'expected the absolute path of a program, and its arguments',
    }),
  /** uploads to these buckets are looked at; none named: to all */
  buckets: z.array(z.string()).default([]),
  /** for each scanner, waiting for others included */
  timeout: durationSetting.prefault('60s'),
  /** what is larger is not looked at, see `tooLarge`; clamd has a limit of its own */
  maxSize: sizeSetting.prefault('100MiB'),
  /** what becomes of an upload larger than that */
  tooLarge: z.enum(['refuse', 'accept']).default('refuse'),
  /** what becomes of an upload where a scanner comes to no verdict */
  onFailure: z.enum(['refuse', 'accept']).default('refuse'),
  /** uploads that are looked at at one time; the others wait */
  atOnce: z.int().min(1).max(1000).default(8),
})

export type ScanSettings = z.output<typeof scanSection>
/** The same as somebody writes it. */
export type ScanSettingsText = z.input<typeof scanSection>
