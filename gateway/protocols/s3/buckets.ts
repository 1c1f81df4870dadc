/** Operations on buckets: which there are, whether there is one, making and removing it. */
import type { Prefix } from '../../../key/object-path.ts'
import { bytes, type UnixSeconds } from '../../../key/units.ts'
import { hasBody } from '../../request.ts'
import type { Bucket } from '../../store/full-store.ts'
import { smallBody } from './body.ts'
import {
  admit,
  admitToBucket,
  answer,
  answerXml,
  type Call,
  coversBucket,
  isShown,
} from './call.ts'
import { S3Refusal } from './errors.ts'
import { checkBucket, owner } from './listing.ts'
import { type BucketsAsked, type OperationNamed, tokenOf } from './operation.ts'
import { timeOf } from './time.ts'
import type { Xml } from './xml.ts'

/** Those that the key shows; whoever is shown none may still learn that, or is refused. */
export async function listBuckets(
  { listing }: OperationNamed<'ListBuckets'>,
  call: Call,
): Promise<void> {
  const buckets = await call.services.store.buckets.list()
  const shown = buckets.filter(({ name }) => isShown(call, name))
  const [first] = shown
  await (first === undefined
    ? admit(call, { method: 'LIST', path: '' as Prefix })
    : admitToBucket(call, first.name, ['LIST']))
  const region = regionOf(call)
  const { page, next } = pageOf(shown, listing, region)
  answerXml(call, [
    'ListAllMyBucketsResult',
    [
      owner('Owner'),
      ['Buckets', page.map((bucket): Xml => ['Bucket', bucketElements(bucket, region)])],
      listing.prefix === '' ? undefined : ['Prefix', listing.prefix],
      next === undefined ? undefined : ['ContinuationToken', tokenOf(next)],
    ],
  ])
}

const bucketElements = ({ name, created }: Bucket, region: string): readonly Xml[] => [
  ['Name', name],
  ['CreationDate', timeOf(created ?? (0 as UnixSeconds))],
  ['BucketRegion', region],
]

interface BucketPage {
  readonly page: readonly Bucket[]
  /** the name to continue after, where there are more */
  readonly next?: string
}

function pageOf(
  buckets: readonly Bucket[],
  { prefix, after = '', limit, region }: BucketsAsked,
  ours: string,
): BucketPage {
  const isElsewhere = region !== undefined && region !== ours
  const wanted = isElsewhere ? [] : buckets.filter(({ name }) => name.startsWith(prefix))
  const left = wanted.filter(({ name }) => name > after)
  const page = left.slice(0, limit)
  const last = page.at(-1)
  return left.length > page.length && last !== undefined ? { page, next: last.name } : { page }
}

export async function headBucket(
  { bucket }: OperationNamed<'HeadBucket'>,
  call: Call,
): Promise<void> {
  await admitToBucket(call, bucket.bucket)
  await checkBucket(bucket.bucket, call)
  answer(call, 200, ['x-amz-bucket-region', regionOf(call)])
}

/** A region for clients that want to know one. */
export const regionOf = ({ services }: Pick<Call, 'services'>): string =>
  services.s3.region ?? 'us-east-1'

const MAX_CONFIGURATION = bytes(64 << 10)

/**
 * A bucket exists as soon as it holds an object, so whoever may upload to a part of it only is told
 * that it is there already: they need no other answer to go on.
 */
export async function createBucket(
  { bucket }: OperationNamed<'CreateBucket'>,
  call: Call,
): Promise<void> {
  const { services } = call
  await admitToBucket(call, bucket.bucket, ['PUT'])
  // where it is to be: it is here, whatever a client wants
  if (hasBody(call.exchange.incoming)) await smallBody(call, bucket.path, MAX_CONFIGURATION)
  const isNew =
    coversBucket(call, bucket.bucket, 'PUT') &&
    (await services.store.buckets.create(bucket.bucket, services.clock.now()))
  if (isNew) return answer(call, 200, ['Location', `/${bucket.bucket}`])
  throw new S3Refusal('BucketAlreadyOwnedByYou', 'the bucket is there already')
}

export async function deleteBucket(
  { bucket }: OperationNamed<'DeleteBucket'>,
  call: Call,
): Promise<void> {
  await admit(call, { method: 'DELETE', path: bucket.path })
  const outcome = await call.services.store.buckets.remove(bucket.bucket)
  if (outcome === 'not empty') {
    throw new S3Refusal('BucketNotEmpty', 'only a bucket without objects is deleted')
  }
  if (outcome === 'not found') {
    throw new S3Refusal('NoSuchBucket', 'there is no bucket of this name')
  }
  answer(call, 204)
}

/** Empty for us-east-1, as with S3. */
export async function getBucketLocation(
  { bucket }: OperationNamed<'GetBucketLocation'>,
  call: Call,
): Promise<void> {
  await admitToBucket(call, bucket.bucket)
  await checkBucket(bucket.bucket, call)
  const region = regionOf(call)
  answerXml(call, ['LocationConstraint', region === 'us-east-1' ? '' : region])
}

/** Never switched on: then S3 states nothing. */
export async function getBucketVersioning(
  { bucket }: OperationNamed<'GetBucketVersioning'>,
  call: Call,
): Promise<void> {
  await admitToBucket(call, bucket.bucket)
  await checkBucket(bucket.bucket, call)
  answerXml(call, ['VersioningConfiguration', ''])
}
