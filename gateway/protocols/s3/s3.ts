/** The S3 protocol: what AWS's SDKs and every client of S3 speak. */
import type { SigV4Claimed } from '../../../key/dialects/sigv4-claim.ts'
import type { SigV4Verified } from '../../../key/dialects/sigv4-verify.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Grant } from '../../../key/sign.ts'
import type { Exchange } from '../../exchange.ts'
import { hasBody, type RawRequest } from '../../request.ts'
import type { Services } from '../../services.ts'
import type { Protocol } from '../protocol.ts'
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  regionOf,
} from './buckets.ts'
import type { Call } from './call.ts'
import { deleteObjects } from './delete-objects.ts'
import { RegionAsked } from './errors.ts'
import { listObjects } from './listing.ts'
import { abort, complete, createMultipart, uploadPart, uploadPartCopy } from './multipart.ts'
import { listParts, listUploads } from './multipart-listing.ts'
import { copyObject, deleteObject, getObject, putObject } from './objects.ts'
import {
  type OperationName,
  type OperationNamed,
  parseOperation,
  type S3Operation,
} from './operation.ts'
import { s3ProblemOf } from './problem.ts'
import { s3RequestOf } from './request.ts'
import { isSts } from './sts.ts'
import { deleteTagging, getTagging, putTagging } from './tagging.ts'
import { claimOf, verified } from './verify.ts'

type Operations = {
  readonly [N in OperationName]: (operation: OperationNamed<N>, call: Call) => Promise<void>
}

const OPERATIONS: Operations = {
  ListBuckets: listBuckets,
  HeadBucket: headBucket,
  CreateBucket: createBucket,
  DeleteBucket: deleteBucket,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  ListObjects: listObjects,
  ListObjectsV2: listObjects,
  ListMultipartUploads: listUploads,
  DeleteObjects: deleteObjects,
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  GetObjectTagging: getTagging,
  PutObjectTagging: putTagging,
  DeleteObjectTagging: deleteTagging,
  CreateMultipartUpload: createMultipart,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: complete,
  AbortMultipartUpload: abort,
  ListParts: listParts,
}

/** All others answer without a look at a body. */
const TAKES_BODY: ReadonlySet<OperationName> = new Set([
  'PutObject',
  'UploadPart',
  'CreateBucket',
  'DeleteObjects',
  'PutObjectTagging',
  'CompleteMultipartUpload',
])

export const s3: Protocol = {
  name: 's3',
  recognises: (request, { s3: { enabled } }) =>
    enabled && !isSts(request) && (isSigned(request) || isRegionAsked(request)),
  serve,
  preflight,
  problemOf: s3ProblemOf,
}

/** Signature Version 2 is recognised as well: whoever sends it is told what to use. */
function isSigned({ query, headers }: RawRequest): boolean {
  const authorization = headers.get('authorization')
  if (authorization !== undefined && /^AWS(?:4-|\s)/i.test(authorization)) return true
  return query.some(([name]) => SIGNING.has(name.toLowerCase()))
}

/** No other protocol has an answer for the name of a bucket alone. */
const isRegionAsked = ({ method, target, path, headers }: RawRequest): boolean =>
  method === 'HEAD' &&
  /^\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(path) &&
  !target.includes('?') &&
  !headers.has('authorization') &&
  !headers.has('cookie')

const SIGNING: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-signature',
  'awsaccesskeyid',
])

async function serve(request: RawRequest, exchange: Exchange, services: Services): Promise<void> {
  if (isRegionAsked(request)) throw new RegionAsked(regionOf({ services }))
  const { claimed, found } = await verifiedRequest(request, exchange, services)
  const call: Call = {
    request: s3RequestOf(request, found, claimed.form, services.publicUrls),
    grant: found.grant,
    payload: found.payload,
    exchange,
    services,
  }
  const operation = parseOperation(call.request)
  if (!TAKES_BODY.has(operation.name) && hasBody(exchange.incoming)) {
    exchange.outgoing.shouldKeepAlive = false
  }
  const perform = OPERATIONS[operation.name] as (one: S3Operation, call: Call) => Promise<void>
  await perform(operation, call)
}

interface VerifiedRequest {
  readonly claimed: SigV4Claimed
  readonly found: SigV4Verified
}

/** @throws Refusal signature_invalid, and as claiming does */
async function verifiedRequest(
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<VerifiedRequest> {
  const claimed = claimOf(request)
  const mayBeGet = services.s3.headWithGet && request.method === 'HEAD' && claimed.form === 'query'
  try {
    return { claimed, found: await verified(claimed, request, exchange, services) }
  } catch (error) {
    if (!mayBeGet || !(error instanceof Refusal) || error.code !== 'signature_invalid') throw error
    const asGet = claimOf(request, 'GET')
    return { claimed: asGet, found: await verified(asGet, request, exchange, services) }
  }
}

/** What a presigned URL grants; where its signature needs headers that come later, nobody knows. */
async function preflight(
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<Grant | undefined> {
  const method = request.headers.get('access-control-request-method')
  if (method === undefined) return undefined
  try {
    const { grant } = await verified(claimOf(request, method), request, exchange, services)
    return grant
  } catch (error) {
    if (error instanceof Refusal && error.status < 500) return undefined
    throw error
  }
}
