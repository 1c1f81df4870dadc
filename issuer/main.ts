/** Starts the issuer's listener on what it is handed: it opens no ledger and no store. */
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Logger } from 'pino'
import { type AuditSink, NO_AUDIT } from '../audit/audit.ts'
import { Refusal } from '../key/refusal.ts'
import { secondsOf, type UnixSeconds } from '../key/units.ts'
import type { Keyring } from '../ledger/keyring.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { urlOf } from '../listener/address.ts'
import { createListener, renew, type TlsMaterial } from '../listener/tls.ts'
import { refuseRaw, whyUnreadable } from '../listener/unreadable.ts'
import { loadAdminToken, tokenCheck } from './admin-token.ts'
import { createIssuer, problemWithout } from './app.ts'
import { auditedLedger } from './audited-ledger.ts'
import type { IssuerSettings, MetricsSettings } from './config.ts'
import { sessionsOf } from './console/sessions.ts'
import { Tries } from './console/tries.ts'
import { ensureSigningKey } from './signing-keys.ts'

export interface IssuerOptions {
  readonly settings: IssuerSettings
  /** both stay open when the issuer closes */
  readonly ledger: Ledger
  readonly keyring: Keyring
  /** where clients reach the gateway */
  readonly publicUrl: string
  /** `DATA/secrets` */
  readonly secretsFolder: string
  readonly log: Logger
  /** none is kept unless stated; stays open when the issuer closes */
  readonly audit?: AuditSink
  readonly metrics: MetricsSettings
  /** of this program */
  readonly version: string
  /** `DATA` */
  readonly dataFolder: string
  /** `DATA/metrics` */
  readonly metricsFolder: string
  /** `DATA/audit` */
  readonly auditFolder: string
  readonly now?: () => UnixSeconds
  /** absent: plain HTTP */
  readonly tls?: TlsMaterial | undefined
}

export interface RunningIssuer {
  readonly url: string
  readonly port: number
  /** New connections are given this certificate. */
  renewTls(tls: TlsMaterial | undefined): void
  /** Takes no more requests; resolves when those that run have been answered, or 5 s have passed. */
  close(): Promise<void>
}

const DRAIN_MILLISECONDS = 5000

const SERVER_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
}

/**
 * Listening when it resolves, with a signing key and an admin token, made where they were missing.
 * @throws Error that says what to do, where a secret is readable by others or the address is taken
 */
export async function startIssuer(options: IssuerOptions): Promise<RunningIssuer> {
  const { settings, ledger, keyring, secretsFolder, now = () => secondsOf(Date.now()) } = options
  const { audit = NO_AUDIT } = options
  const token = await loadAdminToken(secretsFolder)
  const acting = auditedLedger(ledger, audit, { by: 'issuer', who: 'start' })
  await ensureSigningKey({ ledger: acting, keyring, secretsFolder, now: now() })
  const closing = new AbortController()
  const app = createIssuer({
    ...options,
    audit,
    isAdminToken: tokenCheck(token),
    sessions: sessionsOf(token),
    tries: new Tries(),
    now,
    closing: closing.signal,
  })
  const listener = getRequestListener(app.fetch, { errorHandler: unreadable })
  const server = createListener(SERVER_LIMITS, options.tls)
  server.on('request', (incoming, outgoing) => void listener(incoming, outgoing))
  refuseUnreadable(server)
  server.maxConnections = 1000
  // the app counts headers itself; Node would drop what is beyond its own limit in silence
  server.maxHeadersCount = 0
  await listening(server, settings.listen)
  const { port } = server.address() as AddressInfo
  const url = urlOf(settings.listen, port, options.tls !== undefined)
  const close = (): Promise<void> => {
    closing.abort()
    return closed(server)
  }
  return { url, port, renewTls: (tls) => renew(server, tls), close }
}

/** What the adapter can't make a request of, such as a Host with a space. */
function unreadable(): Response {
  const detail = 'the request target or its Host header can not be read'
  const { body, ...head } = problemWithout(new Refusal('request_malformed', detail))
  return new Response(body, head)
}

function refuseUnreadable(server: Server): void {
  const latest = new WeakMap<Socket, ServerResponse>()
  server.on('request', ({ socket }, outgoing) => latest.set(socket, outgoing))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // in the middle of an answer, or before its turn, another one would be taken for part of it
    if (!socket.writable || latest.get(socket)?.closed === false) {
      socket.destroy()
      return
    }
    const { headers, ...rest } = problemWithout(new Refusal(...whyUnreadable(error.code)))
    refuseRaw(socket, { ...rest, headers: Object.entries(headers).flat() })
  })
}

const listening = (server: Server, { host, port }: IssuerSettings['listen']): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const why = `the issuer can not listen on ${host}:${port}: ${cause.message}`
      reject(new Error(`${why}; set "listen" under [issuer] to another address`, { cause }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const overdue = setTimeout(() => server.closeAllConnections(), DRAIN_MILLISECONDS)
    server.close(() => {
      clearTimeout(overdue)
      resolve()
    })
    server.closeIdleConnections()
  })
