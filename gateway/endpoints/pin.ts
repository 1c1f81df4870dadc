/** `POST /-/pin`: a PIN is shown once; the answer is a cookie that proves it with every request. */
import { Refusal } from '../../key/refusal.ts'
import { bytes } from '../../key/units.ts'
import { holderOf } from '../attempt.ts'
import { readSmall } from '../body/small.ts'
import { browserBase, keepsSecure, setCookie } from '../cookies.ts'
import type { Exchange } from '../exchange.ts'
import { claimOf } from '../protocols/claim.ts'
import type { RawRequest } from '../request.ts'
import { respond } from '../respond.ts'
import type { Services } from '../services.ts'

const MOST_BYTES = bytes(4096)

/** @throws Refusal that every request with the key would get; request_malformed, pin_wrong, rate_limited */
export async function takePin(
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  const { gatekeeper, clock, settings, publicUrls } = services
  const grant = await gatekeeper.verify(claimOf(request))
  exchange.grant = grant
  const holder = holderOf(request, exchange.client, clock.now())
  await gatekeeper.honoured(grant, holder)
  exchange.sendContinue()
  const pin = pinIn(await readSmall(exchange.incoming, MOST_BYTES))
  const proofs = await gatekeeper.pins.prove(grant, pin, holder)
  const isSecure = keepsSecure(exchange.client, request.headers)
  const path = `${browserBase(publicUrls, settings.basePath)}/`
  const cookies = proofs.flatMap((proof) => ['Set-Cookie', setCookie({ ...proof, path, isSecure })])
  respond(exchange, services, 204, ['Cache-Control', 'no-store', ...cookies])
}

/** `{"pin": "1234"}`. @throws Refusal request_malformed, which repeats nothing of it */
function pinIn(body: Buffer): string {
  try {
    const { pin } = JSON.parse(body.toString()) as { pin?: unknown }
    if (typeof pin === 'string') return pin
  } catch {
    // said below
  }
  throw new Refusal('request_malformed', 'the body is JSON of the form {"pin": "1234"}')
}
