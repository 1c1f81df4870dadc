/** The gateway as a process runs it: the only file of this room that names a concrete store. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import type { Logger } from 'pino'
import type { Instance } from '../database/instance.ts'
import { Refusal } from '../key/refusal.ts'
import { secondsOf, type UnixSeconds } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { ActivityLog } from './activity.ts'
import { Gatekeeper } from './admit.ts'
import { handle } from './app.ts'
import type { CorsSettings, GatewaySettings, StoreSettings } from './config.ts'
import { Cors } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { judge } from './forward-auth.ts'
import { logExchange } from './log.ts'
import { makeOurs } from './ours.ts'
import { listen, makeServer, urlOf } from './server.ts'
import type { Clock, Services } from './services.ts'
import { DiskStore } from './store/disk/store.ts'
import type { Store, Trouble } from './store/store.ts'
import { Transfers } from './transfers.ts'

export interface GatewayParts {
  readonly settings: GatewaySettings
  readonly cors: CorsSettings
  readonly ledger: Ledger
  readonly keyring: Keyring
  readonly store: Store
  readonly log: Logger
  readonly clock?: Clock
}

export const systemClock: Clock = {
  now: () => secondsOf(Date.now()),
  monotonic: () => performance.now(),
}

/** The store that the configuration names. */
export const openStore = (
  settings: StoreSettings,
  folder: string,
  instance: Instance,
  now: () => UnixSeconds = systemClock.now,
): Promise<Store> =>
  DiskStore.open({
    folder,
    instance,
    now,
    ...(settings.reserve !== undefined && { reserve: settings.reserve }),
  })

/** How often transfers in flight are looked at, in milliseconds: a revocation takes effect within a second. */
const WATCH_INTERVAL = 250
const ACTIVITY_INTERVAL = 1000

/** A gateway without a listener: what answers requests, and what has to run beside it. */
export class Gateway {
  readonly services: Services
  readonly #ledger: Ledger
  readonly #activity: ActivityLog
  readonly #ours: (incoming: IncomingMessage, outgoing: ServerResponse) => void
  readonly #timers: readonly NodeJS.Timeout[]
  #draining = false
  #ledgerVersion = -1

  constructor({ settings, cors, ledger, keyring, store, log, clock = systemClock }: GatewayParts) {
    this.#ledger = ledger
    this.services = {
      settings,
      store,
      log,
      clock,
      gatekeeper: new Gatekeeper(ledger, keyring),
      transfers: new Transfers(settings, clock.monotonic),
      cors: new Cors(cors.origins),
    }
    this.#activity = new ActivityLog(ledger, (error) =>
      log.warn({ err: error }, 'activity not kept'),
    )
    const ours = makeOurs(
      () => this.troubles(),
      (asked) => judge(asked, this.services),
    )
    this.#ours = getRequestListener((request, env) => ours.fetch(request, env as HttpBindings))
    this.#timers = [
      setInterval(() => void this.watch(), WATCH_INTERVAL).unref(),
      setInterval(() => void this.#activity.flush(), ACTIVITY_INTERVAL).unref(),
    ]
  }

  /** Answers one request. */
  readonly handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (this.#draining) outgoing.shouldKeepAlive = false
    if (isOurs(incoming.url ?? '', this.services.settings.basePath)) this.#ours(incoming, outgoing)
    else void handle(incoming, outgoing, this.services, this.#onEnd)
  }

  readonly #onEnd = (exchange: Exchange): void => {
    const { clock, log } = this.services
    this.#activity.note(exchange, clock.now())
    logExchange(log, exchange, clock.monotonic())
  }

  /** Looks at the transfers in flight: cuts the slow ones, and those whose key was revoked meanwhile. */
  async watch(): Promise<void> {
    const { transfers, gatekeeper, clock, log } = this.services
    transfers.cutOverdue()
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
    return [
      ...(this.#draining ? [{ code: 'unavailable', detail: 'shutting down' } as const] : []),
      ...(failure === undefined ? [] : [{ code: 'unavailable', detail: failure.message } as const]),
      ...(trouble === undefined ? [] : [trouble]),
    ]
  }

  /** From now on not ready; what runs goes on. */
  beginDraining(): void {
    this.#draining = true
  }

  /** Stops what runs beside the requests. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.services.transfers.cutAll(new Refusal('unavailable', 'the gateway is shutting down'))
    await this.#activity.flush()
  }
}

/** Probes come to us directly, pages through a proxy that may leave its path in front. */
const isOurs = (target: string, basePath: string): boolean =>
  target.startsWith('/-/') || (basePath !== '' && target.startsWith(`${basePath}/-/`))

export interface RunningGateway {
  readonly url: string
  readonly port: number
  /** Stops taking connections, lets transfers end for as long as the settings say, then cuts them. */
  close(): Promise<void>
}

/** @throws as `server.listen` does, such as EADDRINUSE */
export async function startGateway(parts: GatewayParts): Promise<RunningGateway> {
  const gateway = new Gateway(parts)
  const server = makeServer(parts.settings, gateway.handle)
  try {
    const port = await listen(server, parts.settings.listen)
    return {
      url: urlOf(parts.settings.listen, port),
      port,
      close: () => drain(gateway, server, parts.settings.drain * 1000),
    }
  } catch (error) {
    await gateway.close()
    throw error
  }
}

async function drain(gateway: Gateway, server: Server, milliseconds: number): Promise<void> {
  gateway.beginDraining()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // connections become idle as their last response ends
  const idle = setInterval(() => server.closeIdleConnections(), 100)
  const timer = setTimeout(() => server.closeAllConnections(), milliseconds)
  await closed
  clearInterval(idle)
  clearTimeout(timer)
  await gateway.close()
}
