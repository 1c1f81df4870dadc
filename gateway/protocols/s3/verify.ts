/** Whether a request is signed by us, wherever and whenever it was signed. */
import { addressesOf } from '../../../key/dialects/sigv4-address.ts'
import { claimSigV4, type SigV4Claimed } from '../../../key/dialects/sigv4-claim.ts'
import type { Address, SigV4Verified } from '../../../key/dialects/sigv4-verify.ts'
import { Refusal } from '../../../key/refusal.ts'
import { isTrusted, peerOf } from '../../client.ts'
import type { Exchange } from '../../exchange.ts'
import type { RawRequest } from '../../request.ts'
import type { Services } from '../../services.ts'
import { S3Refusal } from './errors.ts'

/** @throws Refusal key_missing, and as `claimSigV4` does */
export function claimOf(request: RawRequest, method = request.method): SigV4Claimed {
  const claimed = claimSigV4({ ...request, method })
  if (claimed !== undefined) return claimed
  throw new Refusal('key_missing', 'sign the request with AWS Signature Version 4')
}

/** Hosts that the client may have signed for. Of a proxy that we trust, what it says of them. */
export function addressesFor(
  { headers }: RawRequest,
  { incoming }: Exchange,
  { publicUrls, settings }: Services,
): readonly Address[] {
  const isBelieved = isTrusted(peerOf(incoming.socket), settings.trustedProxies)
  const forwarded = {
    host: headers.get('x-forwarded-host'),
    port: headers.get('x-forwarded-port'),
    prefix: headers.get('x-forwarded-prefix'),
  }
  return addressesOf({
    publicUrls,
    host: headers.get('host'),
    ...(isBelieved && { forwarded }),
  })
}

/** How far the clocks of client and gateway may differ. */
const MAX_SKEW_SECONDS = 900

/**
 * @param bodySha256 lower-case hex; of a request that states no hash of its body
 * @throws Refusal signature_invalid before anything else; but for what nobody could sign so
 */
export async function verified(
  claimed: SigV4Claimed,
  request: RawRequest,
  exchange: Exchange,
  services: Services,
  service: 's3' | 'sts' = 's3',
  bodySha256?: string,
): Promise<SigV4Verified> {
  if (service === 's3') checkPayloadHash(claimed)
  const found = await services.gatekeeper.verifySigV4(claimed, {
    service,
    addresses: addressesFor(request, exchange, services),
    ...(bodySha256 !== undefined && { bodySha256 }),
  })
  exchange.grant = found.grant
  const skew = Math.abs(services.clock.now() - claimed.signedAt)
  if (claimed.form === 'header' && skew > MAX_SKEW_SECONDS) {
    throw new S3Refusal(
      'RequestTimeTooSkewed',
      `the request was signed ${skew} seconds from now by our clock; set the clock right`,
    )
  }
  checkRegion(claimed, services)
  return found
}

/** "The x-amz-content-sha256 header is required for all AWS Signature Version 4 requests" of S3. */
function checkPayloadHash({ payloadHash }: SigV4Claimed): void {
  if (payloadHash !== undefined) return
  throw new S3Refusal(
    'InvalidRequest',
    'the header x-amz-content-sha256 is missing: send and sign the SHA-256 of the body in hex, or UNSIGNED-PAYLOAD',
  )
}

function checkRegion({ scope }: SigV4Claimed, { s3 }: Services): void {
  if (s3.region === undefined || s3.region === scope.region) return
  throw new S3Refusal(
    'AuthorizationHeaderMalformed',
    `the request was signed for the region "${scope.region}", this is "${s3.region}"`,
  )
}
