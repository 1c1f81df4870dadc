/** Who is at the other end: the peer, or whom a trusted proxy says it speaks for. */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isInside, parseAddress } from '../key/address.ts'
import { Memo } from './memo.ts'
import type { Headers } from './request.ts'

export interface Client {
  /** an IP address; empty where the peer has none, as on a Unix socket */
  readonly address: string
  readonly tls: boolean
}

/** @param trusted networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed */
export function clientOf(socket: Socket, headers: Headers, trusted: readonly string[]): Client {
  const peer = peerOf(socket)
  const tls = (socket as TLSSocket).encrypted === true
  if (!isTrusted(peer, trusted)) return { address: peer, tls }
  return {
    address: forwardedFor(peer, headers, trusted),
    tls: tls || forwardedTls(headers),
  }
}

/** A v4 peer of a dual-stack socket is shown as `::ffff:192.0.2.1`. */
const withoutMapping = (address: string): string =>
  address.startsWith(':') && /^::ffff:\d+\./i.test(address) ? address.slice(7) : address

/** The address at the other end of the socket itself. */
export const peerOf = (socket: Socket): string => withoutMapping(socket.remoteAddress ?? '')

/** A proxy asks again and again: what was found of an address holds for as long as the networks do. */
const found = new WeakMap<readonly string[], Memo<boolean>>()
const MAX_REMEMBERED = 1 << 14

export function isTrusted(address: string, trusted: readonly string[]): boolean {
  if (trusted.length === 0) return false
  const known = found.get(trusted) ?? new Memo<boolean>(MAX_REMEMBERED)
  found.set(trusted, known)
  return (
    known.get(address) ??
    known.add(
      address,
      trusted.some((network) => isInside(address, network)),
    )
  )
}

/**
 * Each proxy appends the peer it saw, so the list is believed from its end, as far as the proxies
 * in it are ours; the first stranger is the client, and what stands before it is hearsay.
 */
function forwardedFor(peer: string, headers: Headers, trusted: readonly string[]): string {
  const stated = headers.get('x-forwarded-for')
  if (stated === undefined) return peer
  const hops = stated.split(',').map((hop) => bareAddress(hop.trim()))
  let client = peer
  while (hops.length > 0 && isTrusted(client, trusted)) {
    const hop = withoutMapping(hops.pop() ?? '')
    if (parseAddress(hop) === undefined) break
    client = hop
  }
  return client
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function bareAddress(hop: string): string {
  const match = /^(?:\[([0-9a-fA-F:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(hop)
  return match?.[1] ?? match?.[2] ?? hop
}

const forwardedTls = (headers: Headers): boolean =>
  headers.get('x-forwarded-proto')?.trim().toLowerCase() === 'https'
