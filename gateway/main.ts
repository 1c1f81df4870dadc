/** The gateway as a process runs it: the only file of this room that names a concrete store. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import type { Logger } from 'pino'
import { type AuditSink, NO_AUDIT } from '../audit/audit.ts'
import type { Instance } from '../database/instance.ts'
import { Refusal } from '../key/refusal.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { urlOf } from '../listener/address.ts'
import { renew, type TlsMaterial } from '../listener/tls.ts'
import type { Handover } from '../metrics/handover.ts'
import type { Gauges } from '../metrics/metrics.ts'
import { ActivityLog } from './activity.ts'
import { Gatekeeper } from './admit.ts'
import { handle, SHUTTING_DOWN } from './app.ts'
import { requestRecord, unreadableRecord, usedUpRecord } from './audit-record.ts'
import { systemClock } from './clock.ts'
import type { CorsSettings, GatewaySettings, S3Settings, StoreSettings } from './config.ts'
import { Cors } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { judge } from './forward-auth.ts'
import { type Identities, NO_IDENTITIES } from './identities.ts'
import { logExchange } from './log.ts'
import { holdDescriptorsBack } from './on-demand.ts'
import { leaveHelpersOut } from './one-core.ts'
import { makeOurs } from './ours.ts'
import { Pacing } from './pacing.ts'
import { isEndpoint } from './protocols/endpoints.ts'
import { isPartial } from './protocols/partial.ts'
import { isTus } from './protocols/tus/request.ts'
import { hasBody, readRequest } from './request.ts'
import { Resuming } from './resuming.ts'
import type { ScanSettings } from './scan/config.ts'
import { Inspection } from './scan/inspection.ts'
import { listen, makeServer, type Unreadable } from './server.ts'
import type { Clock, Services } from './services.ts'
import { Sessions } from './sessions.ts'
import { Buckets } from './store/buckets.ts'
import { DiskStore } from './store/disk/store.ts'
import { type BucketsSettings, foldersOf, lifetimesOf } from './store/folder/config.ts'
import type { Common } from './store/folder/open.ts'
import type { FullStore } from './store/full-store.ts'
import { RetainingStore } from './store/retention.ts'
import type { Trouble } from './store/store.ts'
import { keepTickShape } from './tick-shape.ts'
import { Transfers } from './transfers.ts'
import { inTurn } from './turns.ts'

export interface GatewayParts {
  readonly settings: GatewaySettings
  readonly cors: CorsSettings
  readonly s3: S3Settings
  /** uploads are not looked at unless stated */
  readonly scan?: ScanSettings
  /** where clients reach the gateway: signatures of S3 are over the host */
  readonly publicUrls: readonly string[]
  readonly ledger: Ledger
  readonly keyring: Keyring
  readonly store: FullStore
  readonly log: Logger
  /** none is kept unless stated; stays open when the gateway closes */
  readonly audit?: AuditSink
  /** where figures go; nowhere unless stated; stays open when the gateway closes */
  readonly metrics?: Handover
  readonly clock?: Clock
  /** absent: plain HTTP */
  readonly tls?: TlsMaterial | undefined
}

/**
 * The stores that the configuration names, as one.
 * @param data the data folder
 */
export async function openStore(
  { store: { reserve }, buckets }: { store: StoreSettings; buckets: BucketsSettings },
  data: string,
  instance: Instance,
  now: () => UnixSeconds,
): Promise<FullStore> {
  const common = { instance, now, ...(reserve !== undefined && { reserve }) }
  const shared = await DiskStore.open({ ...common, folder: join(data, 'store') })
  try {
    const all = await withFolders(shared, buckets, { ...common, data })
    const lifetimes = lifetimesOf(buckets)
    return lifetimes.size === 0 ? all : new RetainingStore(all, lifetimes, now)
  } catch (error) {
    await shared.close()
    throw error
  }
}

/** What serves plain files is loaded where a bucket consists of them. */
async function withFolders(
  shared: FullStore,
  buckets: BucketsSettings,
  common: Common,
): Promise<FullStore> {
  if (foldersOf(buckets).length === 0) return shared
  const { openFolders } = await import('./store/folder/open.ts')
  return new Buckets(shared, await openFolders(buckets, common))
}

/** How often transfers in flight are looked at, in milliseconds: a revocation takes effect within a second. */
const WATCH_INTERVAL = 250
const ACTIVITY_INTERVAL = 1000

/** A gateway without a listener: what answers requests, and what has to run beside it. */
export class Gateway {
  readonly services: Services
  readonly #ledger: Ledger
  readonly #activity: ActivityLog
  readonly #metrics: Handover | undefined
  readonly #ours: (incoming: IncomingMessage, outgoing: ServerResponse) => void
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #onIdle: (() => void)[] = []
  #running = 0
  #draining = false
  #ledgerVersion = -1

  /** @throws Error for keys of a provider that can't be had */
  static async open(parts: GatewayParts): Promise<Gateway> {
    return new Gateway(parts, await identitiesOf(parts.s3))
  }

  private constructor(parts: GatewayParts, identities: Identities) {
    const { settings, cors, s3, publicUrls, ledger, keyring, store, log } = parts
    const { clock = systemClock, audit = NO_AUDIT, metrics, scan } = parts
    this.#ledger = ledger
    this.#metrics = metrics
    metrics?.watch(() => this.#gauges())
    this.services = {
      settings,
      s3,
      publicUrls,
      store,
      log,
      audit,
      clock,
      gatekeeper: new Gatekeeper(ledger, keyring, {
        taken: () => metrics?.meter.usedOnce(),
        usedUp: (id, address) => audit.note(usedUpRecord(id, address)),
      }),
      sessions: new Sessions(keyring, ledger, identities, audit),
      transfers: new Transfers(settings, clock.monotonic),
      pacing: new Pacing(
        () => Math.max(settings.workers, metrics?.processes ?? 1),
        clock.monotonic,
      ),
      resuming: new Resuming(),
      cors: new Cors(cors.origins),
      inspection: scan && Inspection.of(scan, log),
      isDraining: () => this.#draining,
    }
    this.#activity = new ActivityLog(ledger, (error) =>
      log.warn({ err: error }, 'activity not kept'),
    )
    const ours = makeOurs(
      settings.basePath,
      () => this.troubles(),
      (asked) => judge(asked, this.services),
    )
    this.#ours = getRequestListener((request, env) => ours.fetch(request, env as HttpBindings))
    this.#timers = [
      setInterval(() => void this.watch(), WATCH_INTERVAL).unref(),
      setInterval(() => void this.#activity.flush(), ACTIVITY_INTERVAL).unref(),
    ]
  }

  /** Answers one request, when those before it on its connection were answered. */
  readonly handle = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    inTurn(incoming, outgoing, () => this.#answer(incoming, outgoing))

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (this.#draining) outgoing.shouldKeepAlive = false
    if (isOurs(incoming, this.services.settings.basePath)) {
      // nothing there reads a body: the connection ends with the response
      if (hasBody(incoming)) outgoing.shouldKeepAlive = false
      // the adapter makes a URL of it, which no route looks at; a probe over HTTP/1.0 has none
      incoming.headers.host = 'localhost'
      this.#ours(incoming, outgoing)
      return
    }
    this.#running += 1
    const answering = handle(incoming, outgoing, this.services, this.#onEnd)
    if (answering instanceof Promise) void answering.then(this.#onAnswered)
    else this.#onAnswered()
  }

  readonly #onAnswered = (): void => {
    this.#running -= 1
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  /** Resolves when no request for an object is being answered. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  readonly #onEnd = (exchange: Exchange): void => {
    const { clock, log, audit, settings } = this.services
    const now = clock.monotonic()
    this.#activity.note(exchange, clock.now())
    audit.note(requestRecord(exchange, now))
    this.#metrics?.meter.ended(exchange, now)
    logExchange(log, exchange, now, settings.accessLog)
  }

  #gauges(): Gauges {
    const { audit, clock } = this.services
    return {
      inFlight: this.#running,
      ledgerLag: this.#activity.lag(clock.now()),
      auditLag: audit.lag() / 1000,
    }
  }

  /** Looks at the transfers in flight: cuts the slow ones, and those whose key was revoked meanwhile. */
  async watch(): Promise<void> {
    const { transfers, gatekeeper, clock, log } = this.services
    transfers.cutOverdue()
    await gatekeeper.plans.giveBack().catch((error) => log.warn({ err: error }, 'not given back'))
    if (transfers.running === 0) return
    try {
      const version = this.#ledger.version()
      const isChanged = version !== this.#ledgerVersion
      this.#ledgerVersion = version
      await transfers.cutRevoked(isChanged, (grant, path) =>
        gatekeeper.revoked(grant, path, clock.now()),
      )
    } catch (error) {
      log.error({ err: error }, 'the ledger does not answer: transfers are cut')
      transfers.cutAll(
        new Refusal('unavailable', 'whether the key is still honoured can not be known now'),
      )
    }
  }

  /** Why this gateway should get no new requests. */
  async troubles(): Promise<readonly Trouble[]> {
    const failure = this.#ledger.failure()
    const trouble = await this.services.store.trouble()
    const untold = this.services.audit.trouble()
    return [
      ...(this.#draining ? [{ code: 'unavailable', detail: 'shutting down' } as const] : []),
      ...(failure === undefined ? [] : [{ code: 'unavailable', detail: failure.message } as const]),
      ...(trouble === undefined ? [] : [trouble]),
      ...(untold === undefined ? [] : [untold as Trouble]),
    ]
  }

  /** From now on not ready: what runs goes on, what is new is refused. */
  beginDraining(): void {
    this.#draining = true
  }

  /** Cuts what still runs; resolves when nothing of it uses store or ledger any more. */
  async close(): Promise<void> {
    this.beginDraining()
    for (const timer of this.#timers) clearInterval(timer)
    this.services.transfers.cutAll(SHUTTING_DOWN)
    await this.idle()
    await this.services.gatekeeper.plans.giveBack(true).catch(() => {})
    await this.#activity.flush()
  }
}

/** What reads tokens is loaded where there is somebody whose tokens are read. */
async function identitiesOf({ providers }: S3Settings): Promise<Identities> {
  const configured = Object.values(providers)
  if (configured.length === 0) return NO_IDENTITIES
  const { WebIdentities } = await import('./web-identity.ts')
  return new WebIdentities(configured)
}

/**
 * Probes come to us directly, pages through a proxy that may leave its path in front. What is asked
 * with a key goes the way of all keys; what can't be read is refused like any other request.
 */
function isOurs(incoming: IncomingMessage, basePath: string): boolean {
  const target = incoming.url ?? ''
  const isBelow = (base: string): boolean => target.startsWith(`${base}/-/`)
  if (!isBelow('') && !isBelow(basePath)) return false
  try {
    const request = readRequest(incoming, isBelow('') ? '' : basePath)
    return ![isEndpoint, isTus, isPartial].some((isOf) => isOf(request))
  } catch {
    return false
  }
}

export interface RunningGateway {
  readonly url: string
  readonly port: number
  /** New connections are given this certificate. */
  renewTls(tls: TlsMaterial | undefined): void
  /**
   * Drains: not ready and refusing what is new, while transfers end for as long as the settings
   * say; what then still runs is cut.
   */
  close(): Promise<void>
}

/** @throws as `server.listen` does, such as EADDRINUSE */
export async function startGateway(parts: GatewayParts): Promise<RunningGateway> {
  const gateway = await Gateway.open(parts)
  const onUnreadable = (refused: Unreadable): void => {
    parts.audit?.note(unreadableRecord(refused))
    parts.metrics?.meter.unreadable(refused)
    if (parts.settings.accessLog) parts.log.info(refused, 'unreadable request')
  }
  const server = makeServer(parts.settings, gateway.handle, onUnreadable, parts.tls)
  keepTickShape()
  leaveHelpersOut()
  holdDescriptorsBack()
  try {
    const port = await listen(server, parts.settings.listen)
    return {
      url: urlOf(parts.settings.listen, port, parts.tls !== undefined),
      port,
      renewTls: (tls) => renew(server, tls),
      close: () => drain(gateway, server, parts.settings.drain * 1000),
    }
  } catch (error) {
    await gateway.close()
    throw error
  }
}

async function drain(gateway: Gateway, server: Server, milliseconds: number): Promise<void> {
  gateway.beginDraining()
  let cut = (): void => {}
  const patience = new Promise<void>((resolve) => {
    cut = resolve
  })
  const timer = setTimeout(() => {
    server.closeAllConnections()
    cut()
  }, milliseconds)
  // still listening, so that whoever probes hears that we are not ready
  await Promise.race([gateway.idle(), patience])
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // connections become idle as their last response ends
  const idle = setInterval(() => server.closeIdleConnections(), 100)
  await closed
  clearInterval(idle)
  clearTimeout(timer)
  await gateway.close()
}
