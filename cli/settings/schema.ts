/** Every setting there is: the sections that gateway and issuer state, and what both share. */
import { z } from 'zod'
import { type AuditSettings, auditSection } from '../../audit/config.ts'
import { type WebhooksSettings, webhooksSection } from '../../events/config.ts'
import {
  type CorsSettings,
  corsSection,
  type GatewaySettings,
  gatewaySection,
  type S3Settings,
  type StoreSettings,
  s3Section,
  storeSection,
} from '../../gateway/config.ts'
import { type ScanSettings, scanSection } from '../../gateway/scan/config.ts'
import { type BucketsSettings, bucketsSection } from '../../gateway/store/folder/config.ts'
import {
  type IssuerSettings,
  issuerSection,
  type MetricsSettings,
  metricsSection,
} from '../../issuer/config.ts'
import { type TlsSettings, tlsSection } from '../../listener/tls.ts'

const publicUrl = z.string().transform((value, context): string => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  const plain =
    url && [url.search, url.hash, url.username, url.password].every((part) => part === '')
  if (url && plain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/$/, '')
  context.addIssue({
    code: 'custom',
    message: 'expected a URL such as https://files.example.com, without a query or fragment',
  })
  return z.NEVER
})

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const schema = z.strictObject({
  /** where clients reach the gateway; of several, minted URLs name the first */
  publicUrl: z.union([publicUrl.transform((url) => [url]), z.array(publicUrl).min(1)]).optional(),
  /** how much is logged */
  logLevel: z.enum(LOG_LEVELS).default('info'),
  gateway: gatewaySection.prefault({}),
  issuer: issuerSection.prefault({}),
  tls: tlsSection.prefault({}),
  cors: corsSection.prefault({}),
  store: storeSection.prefault({}),
  audit: auditSection.prefault({}),
  metrics: metricsSection.prefault({}),
  webhooks: webhooksSection.prefault({}),
  s3: s3Section.prefault({}),
  scan: scanSection.prefault({}),
  /** in the file only */
  buckets: bucketsSection.default({}),
})

/** What was stated, with defaults for the rest. */
interface StatedSettings {
  readonly publicUrl?: readonly string[] | undefined
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly gateway: GatewaySettings
  readonly issuer: IssuerSettings
  readonly tls: TlsSettings
  readonly cors: CorsSettings
  readonly store: StoreSettings
  readonly audit: AuditSettings
  readonly metrics: MetricsSettings
  readonly webhooks: WebhooksSettings
  readonly s3: S3Settings
  readonly scan: ScanSettings
  readonly buckets: BucketsSettings
}

/** Frozen. `publicUrl` is filled in from the gateway's own address where nobody stated one. */
export type Settings = Readonly<StatedSettings & { publicUrl: readonly string[] }>

export const settingsSchema: z.ZodType<StatedSettings> = schema

/** How a setting is written in an environment variable, which is always text. */
type SettingKind = 'text' | 'list' | 'number' | 'boolean'

export interface SettingName {
  /** `gateway.trustedProxies` */
  readonly name: string
  readonly path: readonly string[]
  /** `VALETKEY_GATEWAY_TRUSTED_PROXIES` */
  readonly variable: string
  readonly kind: SettingKind
  /** as it would be written in the file; undefined where there is none */
  readonly default: unknown
}

/** All settings, in the order of the schema. */
export const SETTINGS: readonly SettingName[] = namesOf(schema, [])

function namesOf(schema: z.ZodObject, above: readonly string[]): SettingName[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const path = [...above, key]
    const inner = unwrapped(field as z.ZodType)
    if (inner instanceof z.ZodObject) return namesOf(inner, path)
    if (inner instanceof z.ZodRecord) return []
    const variable = `VALETKEY_${path.map(snakeCase).join('_')}`
    const kind = kindOf(inner)
    return [{ name: path.join('.'), path, variable, kind, default: defaultOf(field as z.ZodType) }]
  })
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()
}

/** The schema of what is written, beneath defaults and transformations. */
function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional) return unwrapped(schema.unwrap() as z.ZodType)
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrapped(schema.unwrap() as z.ZodType)
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.in as z.ZodType) : schema
}

function kindOf(schema: z.ZodType): SettingKind {
  if (schema instanceof z.ZodArray) return 'list'
  if (schema instanceof z.ZodNumber) return 'number'
  if (schema instanceof z.ZodBoolean) return 'boolean'
  if (schema instanceof z.ZodUnion) {
    const kinds = schema.options.map((option) => kindOf(unwrapped(option as z.ZodType)))
    return kinds.includes('list') ? 'list' : 'text'
  }
  return 'text'
}

function defaultOf(schema: z.ZodType): unknown {
  const hasDefault = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
  return hasDefault ? schema.def.defaultValue : undefined
}
