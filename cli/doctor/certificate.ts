/** Whether the certificate can be used, and for how long. */
import { formatTime, secondsOf, type UnixSeconds } from '../../key/units.ts'
import { certificateEnd, loadTls, type TlsSettings } from '../../listener/tls.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** Who renews certificates by a program does it a month ahead; by hand, two weeks are needed. */
const SOON = 14 * 86_400

/** @throws TlsError where files can't be used */
export function certificate(settings: TlsSettings, now: UnixSeconds): Finding {
  if (loadTls(settings, 'issuer') === undefined || settings.cert === undefined) {
    return ok('certificate', 'none is configured: listeners speak plain HTTP')
  }
  const end = secondsOf(certificateEnd(settings.cert).getTime())
  const detail = `${settings.cert} is valid until ${formatTime(end)}`
  const advice = 'renew it, then send SIGHUP to valetkey'
  if (end <= now)
    return fail('certificate', `${settings.cert} expired at ${formatTime(end)}`, advice)
  return end - now < SOON ? warn('certificate', detail, advice) : ok('certificate', detail)
}
