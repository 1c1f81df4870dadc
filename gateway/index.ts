/** `valetkey/gateway`: the gateway as a Hono app, to mount in one's own server. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { type Logger, pino } from 'pino'
import { type AuditSettingsText, auditSection } from '../audit/config.ts'
import { openAudit } from '../audit/open.ts'
import { Instance } from '../database/instance.ts'
import { Keyring } from '../ledger/keyring.ts'
import { SqliteLedger } from '../ledger/sqlite/ledger.ts'
import { SteadyClock, systemClock } from './clock.ts'
import {
  type CorsSettingsText,
  corsSection,
  type GatewaySettingsText,
  gatewaySection,
  type S3SettingsText,
  type StoreSettingsText,
  s3Section,
  storeSection,
} from './config.ts'
import { Gateway, openStore } from './main.ts'
import { type ScanSettingsText, scanSection } from './scan/config.ts'
import { type BucketsSettingsText, bucketsSection } from './store/folder/config.ts'

export interface CreateGatewayOptions {
  /** the data folder, made if missing; default `./storage-data` */
  readonly data?: string
  /** settings of the section `[gateway]`; `basePath` is the path at which the app is mounted */
  readonly gateway?: GatewaySettingsText
  /** settings of the section `[cors]` */
  readonly cors?: CorsSettingsText
  /** settings of the section `[store]` */
  readonly store?: StoreSettingsText
  /** settings of the section `[audit]` */
  readonly audit?: AuditSettingsText
  /** settings of the section `[s3]` */
  readonly s3?: S3SettingsText
  /** settings of the section `[scan]`: uploads are not looked at unless stated */
  readonly scan?: ScanSettingsText
  /** where clients reach the app, such as `https://files.example.com`: S3 signs the host */
  readonly publicUrls?: readonly string[]
  /** `[buckets.NAME]`, by the bucket's name: folders of plain files */
  readonly buckets?: BucketsSettingsText
  /** silent unless given */
  readonly log?: Logger
}

/** A Hono app that answers for every path below where it is mounted; close it when done. */
export type GatewayApp = Hono<{ Bindings: HttpBindings }> & { close(): Promise<void> }

/**
 * Runs on Node through `@hono/node-server`, which gives the app the raw request and response.
 * @throws ZodError for wrong settings; DatabaseError; an error that names a secret file others can read
 */
export async function createGateway(options: CreateGatewayOptions = {}): Promise<GatewayApp> {
  const closers: (() => void | Promise<void>)[] = []
  const close = async (): Promise<void> => {
    const failures: unknown[] = []
    // whatever one of them fails at, the others let go of their locks
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
      await Promise.resolve()
        .then(closer)
        .catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
  try {
    const gateway = await assemble(options, closers)
    const app = new Hono<{ Bindings: HttpBindings }>()
    app.all('*', (c) => {
      gateway.handle(c.env.incoming, c.env.outgoing)
      return RESPONSE_ALREADY_SENT
    })
    return Object.assign(app, { close })
  } catch (error) {
    await close()
    throw error
  }
}

/** @param closers is told how to close what has been opened, in the order of opening */
async function assemble(
  options: CreateGatewayOptions,
  closers: (() => void | Promise<void>)[],
): Promise<Gateway> {
  const settings = gatewaySection.parse(options.gateway ?? {})
  const cors = corsSection.parse(options.cors ?? {})
  const stores = {
    store: storeSection.parse(options.store ?? {}),
    buckets: bucketsSection.parse(options.buckets ?? {}),
  }
  const s3 = s3Section.parse(options.s3 ?? {})
  const scan = scanSection.parse(options.scan ?? {})
  const { publicUrls = [] } = options
  const data = options.data ?? './storage-data'
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const instance = Instance.start(join(data, 'instances'))
  closers.push(() => instance.close())
  const ledger = await SqliteLedger.open({ file: join(data, 'ledger.db'), instance })
  closers.push(() => ledger.close())
  const clock = await SteadyClock.start(systemClock, ledger)
  const store = await openStore(stores, data, instance, clock.now)
  closers.push(() => store.close())
  const keyring = await Keyring.open({ folder: join(data, 'secrets'), ledger })
  const log = options.log ?? pino({ level: 'silent' })
  const audit = await openAudit(data, auditSection.parse(options.audit ?? {}), (trouble) => {
    if (trouble !== undefined) log.error({ detail: trouble.detail }, 'the audit is not written')
  })
  closers.push(() => audit.close())
  const gateway = await Gateway.open({
    settings,
    cors,
    s3,
    scan,
    publicUrls,
    ledger,
    keyring,
    store,
    log,
    audit,
    clock,
  })
  closers.push(clock.noteRegularly((error) => log.warn({ err: error }, 'the time was not noted')))
  closers.push(() => gateway.close())
  return gateway
}
