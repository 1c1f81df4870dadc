/** The gateway's sections of `valetkey.toml`: parsed once, at the edge, into frozen values. */
import { z } from 'zod'
import { parseAddress, parseCidr } from '../key/address.ts'
import { isPathTemplate } from '../key/dialects/web-identity.ts'
import {
  type Bytes,
  bytes,
  parseBytes,
  parseDuration,
  type Seconds,
  seconds,
} from '../key/units.ts'
import { listenSetting } from '../listener/address.ts'

/** `10MiB`, or whole bytes. */
export const sizeSetting = z.union([z.string(), z.int()]).transform((value, context): Bytes => {
  try {
    return typeof value === 'number' ? bytes(value) : parseBytes(value)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
    return z.NEVER
  }
})

/** `15m`, or whole seconds. */
export const durationSetting = z
  .union([z.string(), z.int()])
  .transform((value, context): Seconds => {
    try {
      return typeof value === 'number' ? seconds(value) : parseDuration(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })

const network = z.string().transform((value, context) => {
  if (parseCidr(value) !== undefined) return value
  if (parseAddress(value) !== undefined) return `${value}/${value.includes(':') ? 128 : 32}`
  context.addIssue({
    code: 'custom',
    message: 'expected an address or a network, such as 10.0.0.0/8',
  })
  return z.NEVER
})

const origin = z
  .string()
  .regex(/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/, 'expected an origin such as https://app.example.com')

/** `[gateway]` */
export const gatewaySection = z.strictObject({
  listen: listenSetting.prefault('127.0.0.1:8080'),
  /** peers whose X-Forwarded-For and X-Forwarded-Proto are believed */
  trustedProxies: z.array(network).default([]),
  /** a path that a proxy leaves in front of ours, such as `/files` */
  basePath: z
    .string()
    .regex(/^(?:\/[A-Za-z0-9._~-]+)*$/, 'expected nothing, or a path such as /files')
    .default(''),
  /** the largest upload, whatever a key says */
  maxObjectSize: sizeSetting.prefault('5GiB'),
  /** processes that share the port */
  workers: z.int().min(1).max(256).default(1),
  maxConnections: z.int().min(1).default(1000),
  /** uploads at one time; further ones are asked to come back */
  maxUploads: z.int().min(1).default(64),
  /** uploads that are begun under one key and not at their end */
  maxOpenUploads: z.int().min(1).default(1000),
  /** an upload slower than this, in bytes a second over 30 seconds, is cut */
  minUploadRate: sizeSetting.prefault('1KiB'),
  /** a download that takes no byte for this long is cut */
  downloadStall: durationSetting.prefault('60s'),
  /** no transfer takes longer */
  maxTransferTime: durationSetting.prefault('24h'),
  /** lets a trusted proxy send files itself: nginx by X-Accel-Redirect, others by X-Sendfile */
  offload: z.enum(['none', 'x-accel-redirect', 'x-sendfile']).default('none'),
  /** what stands before a file's path in X-Accel-Redirect: an internal location of nginx */
  offloadPrefix: z
    .string()
    .regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, 'expected a path such as /valetkey-files')
    .default('/valetkey-files'),
  /** whether each request is logged as well; the audit has it in any case */
  accessLog: z.boolean().default(false),
  /** how long transfers may go on after SIGTERM */
  drain: durationSetting.prefault('30s'),
})

/** `[cors]` */
export const corsSection = z.strictObject({
  /** pages of these origins may use any key that does not itself name origins */
  origins: z.array(origin).default([]),
})

/** `[store]` */
export const storeSection = z.strictObject({
  kind: z.enum(['disk']).default('disk'),
  /** free space that uploads leave alone; absent: the larger of 5 % and 1 GiB */
  reserve: sizeSetting.optional(),
})

/** `[s3.providers.NAME]`: an OpenID Connect provider whose tokens STS takes */
const providerSection = z.strictObject({
  /** exactly as its tokens state it */
  issuer: z.url('expected a URL such as https://login.example.com'),
  /** of which a token names one */
  audiences: z.array(z.string().min(1)).min(1),
  /** its public keys: an https URL, or an absolute path of a file with a JWK set */
  jwks: z.string().transform((text) => (text.startsWith('/') ? { file: text } : { url: text })),
  /** what its people may use, such as `users/${sub}/` */
  path: z
    .string()
    // biome-ignore lint/suspicious/noTemplateCurlyInString: so it is written in the file
    .refine(isPathTemplate, 'expected a path with claims of the token, such as users/${sub}/'),
})

/** `[s3]` */
export const s3Section = z.strictObject({
  /** whether S3 clients are answered at all */
  enabled: z.boolean().default(true),
  /** the one region that is answered for; absent: whatever region a client signs for */
  region: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected a region such as us-east-1')
    .optional(),
  /** lets a URL presigned for GET be asked with HEAD as well, which S3 itself refuses */
  headWithGet: z.boolean().default(false),
  /** where a form upload may send the browser afterwards */
  redirectOrigins: z.array(origin).default([]),
  /** in the file only */
  providers: z.record(z.string(), providerSection).default({}),
})

export type GatewaySettings = z.output<typeof gatewaySection>
export type CorsSettings = z.output<typeof corsSection>
export type StoreSettings = z.output<typeof storeSection>
export type S3Settings = z.output<typeof s3Section>

/** The same as somebody writes them: every setting may be left out. */
export type GatewaySettingsText = z.input<typeof gatewaySection>
export type CorsSettingsText = z.input<typeof corsSection>
export type StoreSettingsText = z.input<typeof storeSection>
export type S3SettingsText = z.input<typeof s3Section>
