/**
 * Where a client may have sent a signed request, as it saw it: SigV4 signs the host, and a proxy may
 * have changed it. The configured public URLs come first, then what a trusted proxy says, then the
 * header Host.
 */
import type { Address } from './sigv4-verify.ts'

export interface Addressed {
  /** as configured: scheme, host and, behind a proxy, a path */
  readonly publicUrls: readonly string[]
  /** the header Host */
  readonly host: string | undefined
  /** X-Forwarded-Host, -Port and -Prefix, of a trusted proxy only */
  readonly forwarded?: {
    readonly host?: string | undefined
    readonly port?: string | undefined
    readonly prefix?: string | undefined
  }
}

export function addressesOf({ publicUrls, host, forwarded }: Addressed): readonly Address[] {
  const configured = publicUrls.filter((url) => URL.canParse(url)).map((url) => new URL(url))
  const prefix = prefixOf(forwarded?.prefix)
  const seen = [
    ...configured.map((url) => ({ host: url.host, prefix: prefixOf(url.pathname) })),
    ...forwardedHosts(forwarded).map((name) => ({ host: name, prefix })),
    ...(host === undefined ? [] : [{ host: host.trim(), prefix }]),
  ]
  const all = seen.flatMap((address) => [
    address,
    { ...address, host: withoutDefaultPort(address.host) },
  ])
  const distinct = new Map(all.map((address) => [`${address.host} ${address.prefix}`, address]))
  return [...distinct.values()]
}

/** The first of a list is what the proxy next to the client saw. */
const firstOf = (list: string | undefined): string => (list ?? '').split(',')[0]?.trim() ?? ''

function forwardedHosts(forwarded: Addressed['forwarded']): readonly string[] {
  const host = firstOf(forwarded?.host)
  if (host === '') return []
  const port = firstOf(forwarded?.port)
  const hasPort = /:\d+$/.test(host)
  return port === '' || hasPort ? [host] : [withoutDefaultPort(`${host}:${port}`), host]
}

const withoutDefaultPort = (host: string): string => host.replace(/:(?:80|443)$/, '')

/** Of what a proxy has taken off: whoever asks may have sent the header, and it is read for each address. */
const LONGEST_PREFIX = 256

/** A path without the slashes at its end; empty for what is no path. */
function prefixOf(text: string | undefined): string {
  const path = firstOf(text)
  if (path.length > LONGEST_PREFIX) return ''
  // anchored in front, so that it is tried once and not from every slash
  return /^((?:\/[!"$-.0-~]+)+)\/*$/.exec(path)?.[1] ?? ''
}
