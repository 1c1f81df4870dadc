/**
 * Which addresses a webhook may reach. A URL is checked where it names an address, and a name is
 * resolved once: the connection goes to an address that was checked, whatever the name says next.
 */
import { lookup as resolve } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isInside, parseAddress } from '../key/address.ts'

/** Of nobody, of this link, of groups: never the address of a receiver. Clouds keep secrets on the link. */
const NEVER = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'ff00::/8',
] as const

/** Of this machine and of networks that are not the internet's: where they are allowed. */
const PRIVATE = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
] as const

/** For documentation, tests and translation: what they carry may lead anywhere. RFC 6890. */
const SPECIAL = [
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
] as const

/** The internet's own in v6, and v4, which is `::ffff:0:0/96` here. */
const ROUTED = ['2000::/3', '::ffff:0:0/96'] as const

const isIn = (address: string, networks: readonly string[]): boolean =>
  networks.some((network) => isInside(address, network))

/** Whether a webhook may be sent there. What can't be read as an address may not. */
export function mayReach(address: string, allowPrivate: boolean): boolean {
  if (parseAddress(address) === undefined || isIn(address, NEVER)) return false
  if (isIn(address, PRIVATE)) return allowPrivate
  return isIn(address, ROUTED) && !isIn(address, SPECIAL)
}

const refusal = (address: string, allowPrivate: boolean): Error =>
  new Error(
    `${address} is ${allowPrivate ? 'no address that webhooks are sent to' : 'not on the internet: webhooks.allowPrivate allows private networks'}`,
  )

/** An address that stands in the URL itself is never looked up. @throws Error */
export function checkUrl(url: URL, allowPrivate: boolean): void {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowPrivate)) {
    throw new Error('a webhook is sent over https; over http only where webhooks.allowPrivate')
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !mayReach(host, allowPrivate)) throw refusal(host, allowPrivate)
}

/** In place of the operating system's own: every address of the name must be one that may be reached. */
export const guardedLookup =
  (allowPrivate: boolean): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const wrong = addresses?.find(({ address }) => !mayReach(address, allowPrivate))
      const [first] = addresses ?? []
      if (error !== null) callback(error, '')
      else if (wrong !== undefined) callback(refusal(wrong.address, allowPrivate), '')
      else if (first === undefined) callback(new Error(`${hostname} has no address`), '')
      else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
