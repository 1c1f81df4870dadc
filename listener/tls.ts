/**
 * TLS of a listener: a certificate and its key from files that somebody else keeps fresh, such as an
 * ACME client. What is read is checked before it is used, so that a renewal that went wrong changes
 * nothing.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import {
  createServer as createPlainServer,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import {
  createServer as createSecureServer,
  type Server as SecureServer,
  type ServerOptions as SecureServerOptions,
} from 'node:https'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { z } from 'zod'
import { Incoming } from './incoming.ts'

/** `[tls]` */
export const tlsSection = z.strictObject({
  /** file with the certificate and those between it and its root, PEM */
  cert: z.string().min(1).optional(),
  /** file with its private key, PEM, not readable by everybody */
  key: z.string().min(1).optional(),
  /** older versions are refused */
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  /** file with certificates, PEM: the issuer answers only clients whose certificate one of them signed */
  issuerClientCa: z.string().min(1).optional(),
})

export type TlsSettings = z.output<typeof tlsSection>

/** What Node's TLS takes; also for `setSecureContext`, by which a listener changes its certificate. */
export type TlsMaterial = Pick<SecureContextOptions, 'cert' | 'key' | 'ca' | 'minVersion'> &
  Pick<SecureServerOptions, 'requestCert' | 'rejectUnauthorized'>

/** Certificate or key can't be used; the message says which file, why, and what to do. */
export class TlsError extends Error {
  override readonly name = 'TlsError'
}

/**
 * Undefined where no certificate is configured.
 * @param listener only the issuer asks for certificates of clients
 * @throws TlsError
 */
export function loadTls(
  { cert, key, minVersion, issuerClientCa }: TlsSettings,
  listener: 'gateway' | 'issuer',
): TlsMaterial | undefined {
  if (cert === undefined && key === undefined) {
    if (issuerClientCa === undefined) return undefined
    throw new TlsError('tls.issuerClientCa needs tls.cert and tls.key: set both')
  }
  if (cert === undefined || key === undefined) {
    throw new TlsError('tls.cert and tls.key belong together: set both, or neither')
  }
  const pair = { cert: contentOf(cert, 'tls.cert'), key: secretOf(key), minVersion }
  try {
    createSecureContext(pair)
  } catch (cause) {
    const why = (cause as Error).message
    throw new TlsError(
      `${cert} and ${key} are no certificate with its key (${why}): name PEM files that belong together`,
      { cause },
    )
  }
  if (issuerClientCa === undefined || listener === 'gateway') return pair
  const ca = contentOf(issuerClientCa, 'tls.issuerClientCa')
  return { ...pair, ca, requestCert: true, rejectUnauthorized: true }
}

/**
 * When the certificate stops being valid.
 * @throws TlsError
 */
export function certificateEnd(file: string): Date {
  try {
    return new Date(new X509Certificate(contentOf(file, 'tls.cert')).validTo)
  } catch (cause) {
    if (cause instanceof TlsError) throw cause
    throw new TlsError(`${file} is no certificate: name a PEM file`, { cause })
  }
}

/** A listener, with TLS where there is material for it. HTTP/1.1 and nothing else. */
export function createListener(
  options: ServerOptions,
  tls: TlsMaterial | undefined,
): Server | SecureServer {
  const ours = { ...options, IncomingMessage: Incoming }
  if (tls === undefined) return createPlainServer(ours)
  const server = createSecureServer({ ...ours, ...tls, ALPNProtocols: ['http/1.1'] })
  const sayHsts = (_: unknown, outgoing: ServerResponse): void => {
    outgoing.setHeader('Strict-Transport-Security', HSTS)
  }
  return server.on('request', sayHsts).on('checkContinue', sayHsts)
}

/** From the next connection on; those that are there stay as they are. */
export function renew(server: Server | SecureServer, tls: TlsMaterial | undefined): void {
  if (tls !== undefined && 'setSecureContext' in server) server.setSecureContext(tls)
}

/** RFC 6797 §6.1: a year, for this host alone. */
const HSTS = 'max-age=31536000'

function contentOf(file: string, setting: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code
    throw new TlsError(`${file} (${setting}) can not be read (${why}): check path and permission`, {
      cause,
    })
  }
}

const OTHERS_READ = 0o004

function secretOf(file: string): Buffer {
  const content = contentOf(file, 'tls.key')
  if ((statSync(file).mode & OTHERS_READ) === 0) return content
  throw new TlsError(`${file} (tls.key) can be read by everybody on this machine: chmod o-r it`)
}
