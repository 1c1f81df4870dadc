/** `GET /-/key`: what a key allows now, told to whoever holds it. Counts no use, looks at no object. */
import { METHODS } from '../../key/claims.ts'
import { overrides, uploadLimits } from '../../key/clear.ts'
import { commonTypes } from '../../key/media-type.ts'
import type { Grant } from '../../key/sign.ts'
import { holderOf } from '../attempt.ts'
import type { Exchange } from '../exchange.ts'
import { claimOf } from '../protocols/claim.ts'
import type { RawRequest } from '../request.ts'
import { respondJson } from '../respond.ts'
import type { Services } from '../services.ts'

/** @throws Refusal that every request with the key would get */
export async function showKey(
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  const { gatekeeper, clock, settings } = services
  const verified = await gatekeeper.verify(claimOf(request))
  exchange.grant = verified
  const grant = await gatekeeper.inForce(verified)
  const now = clock.now()
  const holder = holderOf(request, exchange.client, now)
  const paths = await gatekeeper.honoured(grant, holder)
  await gatekeeper.pins.check(grant, holder)
  const message = await gatekeeper.messageOf(grant)
  respondJson(exchange, services, 200, [], {
    ...statedBy(grant),
    paths,
    now,
    ...(await gatekeeper.left(grant)),
    maxObjectSize: settings.maxObjectSize,
    ...(message !== undefined && { message }),
  })
}

/** What the blocks say taken together; times are Unix seconds, sizes bytes. */
function statedBy(grant: Grant) {
  const { blocks, id, expires } = grant
  const { least, most, types, sha256, create, ttl } = uploadLimits(grant)
  const starts = blocks.flatMap(({ nbf }) => nbf ?? [])
  const match = blocks.flatMap((block) => block.match ?? [])
  const rates = blocks.flatMap(({ rate }) => rate ?? [])
  const isSized = blocks.some(({ size }) => size !== undefined)
  const disposition = overrides(grant)['content-disposition']
  return {
    id,
    methods: METHODS.filter((method) =>
      blocks.every(({ methods }) => methods?.includes(method) ?? true),
    ),
    ...(match.length > 0 && { match }),
    ...(starts.length > 0 && { notBefore: Math.max(...starts) }),
    expires,
    ...(isSized && { size: { min: least, max: most } }),
    ...(types.length > 0 && { types: types.reduce(commonTypes) }),
    ...(create && { create }),
    ...(sha256[0] !== undefined && { sha256: sha256[0] }),
    ...(ttl !== undefined && { ttl }),
    ...(rates.length > 0 && { rate: Math.min(...rates) }),
    ...(/^attachment\b/i.test(disposition ?? '') && { attachment: true }),
  }
}
