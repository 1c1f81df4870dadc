/** Operations on buckets: which there are, whether there is one, making and removing it. */
import type { Prefix } from '../../../key/object-path.ts'
import { bytes, type UnixSeconds } from '../../../key/units.ts'
import { hasBody } from '../../request.ts'
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
import type { OperationNamed } from './operation.ts'
import { timeOf } from './time.ts'
import type { Xml } from './xml.ts'

/** Those that the key shows; whoever is shown none may still learn that, or is refused. */
export async function listBuckets(_: OperationNamed<'ListBuckets'>, call: Call): Promise<void> {
  const buckets = await call.services.store.buckets.list()
  const shown = buckets.filter(({ name }) => isShown(call, name))
  const [first] = shown
  await (first === undefined
    ? admit(call, { method: 'LIST', path: '' as Prefix })
    : admitToBucket(call, first.name, ['LIST']))
  answerXml(call, [
    'ListAllMyBucketsResult',
    [
      owner('Owner'),
      [
        'Buckets',
        shown.map(
          ({ name, created }): Xml => [
            'Bucket',
            [
              ['Name', name],
              ['CreationDate', timeOf(created ?? (0 as UnixSeconds))],
            ],
          ],
        ),
      ],
    ],
  ])
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
const regionOf = ({ services }: Call): string => services.s3.region ?? 'us-east-1'

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
