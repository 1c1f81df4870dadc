/** A whole gateway in a temporary folder, as `serve` runs it, for stories over real sockets. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { loadAuditKey } from '../../audit/key.ts'
import { AuditWriter } from '../../audit/writer.ts'
import { Instance } from '../../database/instance.ts'
import { systemClock } from '../../gateway/clock.ts'
import {
  type CorsSettingsText,
  corsSection,
  type GatewaySettingsText,
  gatewaySection,
  type S3SettingsText,
  s3Section,
} from '../../gateway/config.ts'
import { type RunningGateway, startGateway } from '../../gateway/main.ts'
import { type ScanSettingsText, scanSection } from '../../gateway/scan/config.ts'
import type { Clock } from '../../gateway/services.ts'
import { DiskStore } from '../../gateway/store/disk/store.ts'
import type { FullStore } from '../../gateway/store/full-store.ts'
import type { Block, FirstBlock } from '../../key/claims.ts'
import { nodeMac } from '../../key/node-mac.ts'
import { parsePath, targetOf } from '../../key/object-path.ts'
import { mintKey, narrowKey } from '../../key/sign.ts'
import type { SigningKey } from '../../key/signer.ts'
import { type Bytes, seconds, secondsOf, type UnixSeconds } from '../../key/units.ts'
import { Keyring } from '../../ledger/keyring.ts'
import { SqliteLedger } from '../../ledger/sqlite/ledger.ts'

export interface HouseOptions {
  readonly gateway?: GatewaySettingsText
  readonly cors?: CorsSettingsText
  readonly s3?: S3SettingsText
  readonly scan?: ScanSettingsText
  readonly publicUrls?: readonly string[]
  readonly clock?: Partial<Clock>
  /** another store than a disk store in the temporary folder */
  readonly store?: FullStore
}

export interface House {
  readonly folder: string
  readonly ledger: SqliteLedger
  readonly keyring: Keyring
  readonly store: FullStore
  readonly gateway: RunningGateway
  readonly audit: AuditWriter
  /** what was logged, one parsed line each */
  readonly logged: Record<string, unknown>[]
  now(): UnixSeconds
  /** a key for these claims; lives an hour and is for everything unless they say otherwise */
  mint(claims: Partial<FirstBlock>): string
  narrow(key: string, claims: Block): string
  url(path: string, key?: string): string
  close(): Promise<void>
}

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'valetkey-story-'))
  const clock: Clock = { ...systemClock, ...options.clock }
  const instance = Instance.start(join(folder, 'instances'))
  const ledger = await SqliteLedger.open({ file: join(folder, 'ledger.db'), instance })
  const signingKey: SigningKey = { kid: 'test', secret: randomBytes(32) }
  const keyring = await Keyring.open({
    folder: join(folder, 'secrets'),
    ledger,
    extra: [signingKey],
  })
  const store =
    options.store ??
    (await DiskStore.open({
      folder: join(folder, 'store'),
      instance,
      now: clock.now,
      reserve: 0 as Bytes,
    }))
  const logged: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(JSON.parse(line)) })
  const audit = await AuditWriter.open({
    folder: join(folder, 'audit'),
    key: loadAuditKey(join(folder, 'secrets')),
    keep: seconds(90 * 86_400),
  })
  const gateway = await startGateway({
    settings: gatewaySection.parse({
      listen: '127.0.0.1:0',
      accessLog: true,
      ...options.gateway,
    }),
    cors: corsSection.parse(options.cors ?? {}),
    s3: s3Section.parse(options.s3 ?? {}),
    scan: scanSection.parse(options.scan ?? {}),
    publicUrls: options.publicUrls ?? [],
    ledger,
    keyring,
    store,
    log,
    audit,
    clock,
  })
  const mint = (claims: Partial<FirstBlock>): string =>
    mintKey(
      {
        jti: randomBytes(12).toString('base64url'),
        iat: secondsOf(Date.now()),
        exp: clock.now() + 3600,
        path: '/',
        methods: ['GET'],
        ...claims,
      },
      signingKey,
      nodeMac,
    )
  return {
    folder,
    ledger,
    keyring,
    store,
    gateway,
    audit,
    logged,
    mint,
    now: clock.now,
    narrow: (key, claims) => narrowKey(key, claims, nodeMac),
    url: (path, key) =>
      `${gateway.url}${targetOf(parsePath(path).path)}${key === undefined ? '' : `?vk=${key}`}`,
    close: async () => {
      await gateway.close()
      await audit.close()
      await store.close()
      await ledger.close()
      instance.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
