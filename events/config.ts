/** `[webhooks]`: who is told of what; parsed once, at the edge. */
import { z } from 'zod'
import { parseDuration, type Seconds, seconds } from '../key/units.ts'
import { EVENT_TYPES, type EventType } from './events.ts'

const timeoutSetting = z.union([z.string(), z.int()]).transform((value, context): Seconds => {
  try {
    const timeout = typeof value === 'number' ? seconds(value) : parseDuration(value)
    if (timeout >= 1 && timeout <= 300) return timeout
    context.addIssue({ code: 'custom', message: 'expected 1s to 5m' })
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
  return z.NEVER
})

const types = {
  events: z
    .array(z.enum(EVENT_TYPES))
    .min(1)
    .default([...EVENT_TYPES]),
}
const file = z.string().startsWith('/', 'expected an absolute path')
const variable = z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'expected the name of a variable')

const webhookTarget = z.strictObject({
  ...types,
  url: z.url({
    protocol: /^https?$/,
    error: 'expected a URL such as https://app.example.com/hook',
  }),
  /** a file with `whsec_` and 24 to 64 bytes as base64, that others can't read */
  secretFile: file.optional(),
  /** the name of an environment variable with the same */
  secretEnv: variable.optional(),
})

const commandTarget = z.strictObject({
  ...types,
  /** a program, by its absolute path, and its arguments */
  exec: z.tuple([file]).rest(z.string()),
})

const mailTarget = z.strictObject({
  ...types,
  mail: z.strictObject({
    /** without a password */
    server: z.url({ protocol: /^smtps?$/, error: 'expected a URL such as smtp://127.0.0.1:25' }),
    from: z.string().min(3),
    to: z.string().min(3),
    user: z.string().optional(),
    passwordFile: file.optional(),
    passwordEnv: variable.optional(),
  }),
})

export const webhooksSection = z.strictObject({
  /** whether webhooks may go to private networks and this machine, and over http */
  allowPrivate: z.boolean().default(false),
  /** how long a target may take */
  timeout: timeoutSetting.prefault('10s'),
  /** in the file only */
  targets: z
    .record(
      z.string().regex(/^[a-z0-9-]{1,32}$/, 'expected a name of a-z, 0-9 and -'),
      z.union([webhookTarget, commandTarget, mailTarget], {
        error: 'expected one of url, exec and mail, with what goes with it',
      }),
    )
    .default({}),
})

interface Named {
  readonly name: string
  readonly types: readonly EventType[]
}
export type WebhookTarget = Named & Omit<z.output<typeof webhookTarget>, 'events'>
export type CommandTarget = Named & Omit<z.output<typeof commandTarget>, 'events'>
export type MailTarget = Named & Omit<z.output<typeof mailTarget>, 'events'>
export type WebhooksSettings = z.output<typeof webhooksSection>
