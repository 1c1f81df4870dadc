/**
 * `/-/cookie`: a key for cookies that carry it, one for each of its scopes, so that a page can show
 * what it may see without writing a key into every URL.
 */
import { scopesOfAll } from '../../key/inspect.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import { bytes } from '../../key/units.ts'
import { holderOf } from '../attempt.ts'
import { readSmall } from '../body/small.ts'
import { browserBase, cookiePaths, keepsSecure, setCookie } from '../cookies.ts'
import type { Exchange } from '../exchange.ts'
import { isSameOrigin } from '../origin.ts'
import { claimOf, showsKey } from '../protocols/claim.ts'
import { hasBody, type RawRequest } from '../request.ts'
import { respond } from '../respond.ts'
import type { Services } from '../services.ts'

const MOST_BYTES = bytes(8192)
/** Browsers keep 4,096 bytes of a name and its value. */
const LONGEST_KEY = 4096 - 'vk'.length

/** @throws Refusal that every request with the key would get; origin_not_granted, request_malformed */
export async function giveCookies(
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  checkPage(request, exchange, services)
  const key = await keyOf(request, exchange)
  const { gatekeeper, clock } = services
  const grant = await gatekeeper.verify({ key })
  exchange.grant = grant
  const holder = holderOf(request, exchange.client, clock.now())
  const scopes = await gatekeeper.honoured(grant, holder)
  await gatekeeper.pins.check(grant, holder)
  if (key.length > LONGEST_KEY) {
    throw new Refusal(
      'request_malformed',
      `browsers keep keys of at most ${LONGEST_KEY} characters`,
    )
  }
  respondCookies(scopes, key, grant.expires - holder.now, exchange, services)
}

/** Takes them away, also those of a key that is not honoured any more. @throws Refusal */
export async function takeCookies(
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  checkPage(request, exchange, services)
  const key = await keyOf(request, exchange)
  const grant: Grant = await services.gatekeeper.verify({ key })
  exchange.grant = grant
  respondCookies(scopesOfAll(grant.blocks), '', 0, exchange, services)
}

/** Else any page could have a browser carry a key of its choice. */
function checkPage({ headers }: RawRequest, { client }: Exchange, { publicUrls }: Services): void {
  const origin = headers.get('origin')
  if (origin === undefined || isSameOrigin(origin, headers, client, publicUrls)) return
  throw new Refusal('origin_not_granted', 'cookies are given to pages of this origin only')
}

/**
 * Shown in a header, in the query, or in the body; a cookie that is there already does not count,
 * unless nothing else does.
 */
async function keyOf(request: RawRequest, exchange: Exchange): Promise<string> {
  const { query, headers } = request
  const shown = { query, headers: new Map([...headers].filter(([name]) => name !== 'cookie')) }
  const stated = showsKey(shown) ? claimOf(shown).key : undefined
  if (!hasBody(exchange.incoming)) return stated ?? claimOf(request).key
  exchange.sendContinue()
  const inBody = fieldOf(
    await readSmall(exchange.incoming, MOST_BYTES),
    headers.get('content-type'),
  )
  if (stated === undefined) return inBody ?? claimOf(request).key
  if (inBody === undefined) return stated
  throw new Refusal('key_ambiguous', 'send one key only: in the body, or in the header')
}

/** `vk` of a form or of JSON. @throws Refusal request_malformed, which repeats nothing of it */
function fieldOf(body: Buffer, type = ''): string | undefined {
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    const [key, second] = new URLSearchParams(body.toString()).getAll('vk')
    if (second === undefined) return key
  } else {
    try {
      const { vk } = JSON.parse(body.toString()) as { vk?: unknown }
      if (vk === undefined || typeof vk === 'string') return vk
    } catch {
      // said below
    }
  }
  throw new Refusal('request_malformed', 'the body is a form with one field vk, or {"vk": "vk1.…"}')
}

function respondCookies(
  scopes: readonly string[],
  value: string,
  life: number,
  exchange: Exchange,
  services: Services,
): void {
  const base = browserBase(services.publicUrls, services.settings.basePath)
  const isSecure = keepsSecure(exchange.client, exchange.request?.headers ?? new Map())
  const cookies = cookiePaths(scopes, base).flatMap((path) => [
    'Set-Cookie',
    setCookie({ name: 'vk', value, path, life, isSecure }),
  ])
  respond(exchange, services, 204, ['Cache-Control', 'no-store', ...cookies])
}
