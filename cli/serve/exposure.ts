/** Plain HTTP beyond this machine shows keys to everybody on the way: it takes a decision. */
import { isInside } from '../../key/address.ts'
import { Failure } from '../failure.ts'
import type { Settings } from '../settings/schema.ts'

interface Decision {
  readonly insecureHttp?: true
  readonly only?: 'gateway' | 'issuer'
}

/** @throws Failure that says how it is done safely */
export function refuseExposure(
  { gateway, issuer, tls }: Pick<Settings, 'gateway' | 'issuer' | 'tls'>,
  { insecureHttp, only }: Decision,
): void {
  if (insecureHttp || tls.cert !== undefined) return
  if (
    only !== 'issuer' &&
    !isLoopback(gateway.listen.host) &&
    gateway.trustedProxies.length === 0
  ) {
    throw new Failure(
      `the gateway would listen on ${gateway.listen.host} without TLS, so that keys could be read on the way: set tls.cert and tls.key, or put a TLS proxy in front and name it in gateway.trustedProxies, or state --insecure-http`,
    )
  }
  if (only !== 'gateway' && !isLoopback(issuer.listen.host)) {
    throw new Failure(
      `the issuer would listen on ${issuer.listen.host} without TLS, so that its admin token could be read on the way: let it listen on 127.0.0.1, set tls.cert and tls.key, or state --insecure-http where the network is yours alone`,
    )
  }
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || isInside(host, '127.0.0.0/8') || isInside(host, '::1/128')
