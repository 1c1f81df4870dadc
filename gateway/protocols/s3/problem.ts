/** Refusals of the S3 protocol: its XML. The one place where they are rendered. */
import type { Refusal } from '../../../key/refusal.ts'
import { UnsatisfiableRange } from '../../body/range.ts'
import type { Exchange, FlatHeaders } from '../../exchange.ts'
import { PlanLimited } from '../../plans.ts'
import type { Problem } from '../problem.ts'
import { requestId } from './call.ts'
import { RegionAsked, s3CodeOf, s3StatusOf } from './errors.ts'
import { xmlDocument } from './xml.ts'

export function s3ProblemOf(refusal: Refusal, exchange: Exchange): Problem {
  const code = s3CodeOf(refusal)
  const status = s3StatusOf(code)
  const body = xmlDocument([
    'Error',
    [
      ['Code', code],
      ['Message', refusal.detail],
      ['Resource', exchange.request?.path ?? ''],
      ['RequestId', exchange.id],
    ],
  ])
  const limited = refusal instanceof PlanLimited ? refusal.headers : retryOf(status)
  return { status, headers: [...headersOf(status), ...limited, ...hints(refusal, exchange)], body }
}

const headersOf = (status: number): FlatHeaders => [
  ...['Content-Type', 'application/xml', 'Cache-Control', 'no-store'],
  ...['X-Content-Type-Options', 'nosniff'],
  ...(status === 405 ? ['Allow', 'GET, HEAD, PUT, POST, DELETE, OPTIONS'] : []),
]

const retryOf = (status: number): FlatHeaders => (status === 503 ? ['Retry-After', '5'] : [])

const hints = (refusal: Refusal, exchange: Exchange): FlatHeaders => [
  ...requestId(exchange),
  ...(refusal instanceof RegionAsked ? ['x-amz-bucket-region', refusal.region] : []),
  ...(refusal instanceof UnsatisfiableRange ? ['Content-Range', `bytes */${refusal.size}`] : []),
]
