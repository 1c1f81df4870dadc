/** One verified request of S3 on its way to a verb, and the answers that it gets. */

import { METHODS, type Method, scopesOf } from '../../../key/claims.ts'
import { type Attempt, clear } from '../../../key/clear.ts'
import type { PayloadExpectation } from '../../../key/dialects/sigv4-verify.ts'
import type { ObjectPath, Prefix } from '../../../key/object-path.ts'
import type { Grant } from '../../../key/sign.ts'
import type { Awaitable } from '../../../ledger/ledger.ts'
import type { Admitted } from '../../admit.ts'
import { attemptOf, type Wanted } from '../../attempt.ts'
import type { Exchange, FlatHeaders } from '../../exchange.ts'
import { respond } from '../../respond.ts'
import type { Services } from '../../services.ts'
import type { S3Request } from './request.ts'
import { S3_NAMESPACE, type Xml, xmlDocument } from './xml.ts'

export interface Call {
  readonly request: S3Request
  readonly grant: Grant
  readonly payload: PayloadExpectation
  readonly exchange: Exchange
  readonly services: Services
}

/** Who owns everything here, as far as S3 asks. */
export const OWNER_ID = 'valetkey'

// ── being let in ────────────────────────────────────────────────────────────

const attempted = ({ request, exchange, services }: Call, wanted: Wanted): Attempt =>
  attemptOf(wanted, request, exchange.client, services.clock.now())

/** @throws Refusal of the first restriction that the attempt does not meet */
export const admit = (call: Call, wanted: Wanted): Awaitable<Admitted> =>
  call.services.gatekeeper.admit(call.grant, attempted(call, wanted), call.exchange.id)

/**
 * To what concerns a bucket as such: its name is known to whoever may do anything in it.
 * @throws Refusal
 */
export function admitToBucket(
  call: Call,
  bucket: string,
  methods: readonly Method[] = METHODS,
): Awaitable<Admitted> {
  const paths = [`${bucket}/` as Prefix, ...scopesIn(call.grant, bucket)]
  const wanted = paths.flatMap((path) => methods.map((method) => ({ method, path })))
  const granted = wanted.find((one) => clear(call.grant, attempted(call, one)) === undefined)
  return admit(call, granted ?? { method: methods[0] ?? 'GET', path: `${bucket}/` as Prefix })
}

const scopesIn = ({ blocks }: Grant, bucket: string): readonly (ObjectPath | Prefix)[] =>
  blocks
    .flatMap(({ path }) => (path === undefined ? [] : scopesOf(path)))
    .filter((scope) => scope.startsWith(`${bucket}/`)) as (ObjectPath | Prefix)[]

/** Whether a key shows a bucket to whoever asks which there are. */
export const isShown = (call: Call, bucket: string): boolean =>
  [`${bucket}/` as Prefix, ...scopesIn(call.grant, bucket)].some(
    (path) => clear(call.grant, attempted(call, { method: 'LIST', path })) === undefined,
  )

/** Whether all of a bucket is granted, so that it may be said whether there is one. */
export const coversBucket = (call: Call, bucket: string, method: Method): boolean =>
  clear(call.grant, attempted(call, { method, path: `${bucket}/` as Prefix })) === undefined

// ── answering ───────────────────────────────────────────────────────────────

export const requestId = ({ id }: Pick<Exchange, 'id'>): FlatHeaders => ['x-amz-request-id', id]

export function answer(
  { exchange, services }: Pick<Call, 'exchange' | 'services'>,
  status: number,
  headers: FlatHeaders = [],
): void {
  const length = status === 204 ? [] : ['Content-Length', '0']
  respond(exchange, services, status, [...headers, ...requestId(exchange), ...length])
}

export function answerXml(
  { exchange, services }: Pick<Call, 'exchange' | 'services'>,
  document: Xml,
  headers: FlatHeaders = [],
  status = 200,
): void {
  const type = ['Content-Type', 'application/xml', 'Cache-Control', 'private, no-store']
  const body = xmlDocument(document, S3_NAMESPACE)
  respond(exchange, services, status, [...type, ...headers, ...requestId(exchange)], body)
}
