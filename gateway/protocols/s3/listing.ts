/** ListObjectsV2 and its predecessor. */
import type { ListedObject, Listing } from '../../store/store.ts'
import { list } from '../../verbs/list.ts'
import { admit, answerXml, type Call, coversBucket, OWNER_ID } from './call.ts'
import { S3Refusal } from './errors.ts'
import {
  folderOf,
  type ListingAsked,
  type OperationNamed,
  type S3Bucket,
  tokenOf,
} from './operation.ts'
import { timeOf } from './time.ts'
import type { Xml } from './xml.ts'

type Operation = OperationNamed<'ListObjects' | 'ListObjectsV2'>

export async function listObjects(operation: Operation, call: Call): Promise<void> {
  const { bucket, listing } = operation
  const found = await listed(bucket, listing, call)
  const isEmpty = found.objects.length + found.prefixes.length === 0
  if (isEmpty) await checkBucket(bucket.bucket, call)
  const next = found.next?.slice(bucket.path.length)
  const common = commonOf(operation, found, next !== undefined)
  answerXml(call, [
    'ListBucketResult',
    operation.name === 'ListObjectsV2'
      ? [...common.head, ...pageOfV2(listing, found, next), ...common.rest]
      : [...common.head, ...pageOfV1(operation, next), ...common.rest],
  ])
}

async function listed(
  bucket: S3Bucket,
  { prefix, delimiter, after, limit }: ListingAsked,
  call: Call,
): Promise<Listing> {
  const admitted = await admit(call, { method: 'LIST', path: folderOf(bucket, prefix) })
  if (limit === 0) return { objects: [], prefixes: [] }
  const request = {
    limit,
    prefix: bucket.path + prefix,
    ...(delimiter !== undefined && { delimiter }),
    ...(after !== undefined && { after: bucket.path + after }),
  }
  return list(admitted, call.services, request, false)
}

/** Whoever is granted all of a bucket may know whether it is there. */
export async function checkBucket(bucket: string, call: Call): Promise<void> {
  if (!coversBucket(call, bucket, 'LIST')) return
  if ((await call.services.store.buckets.find(bucket)) !== undefined) return
  throw new S3Refusal('NoSuchBucket', 'there is no bucket of this name')
}

function commonOf({ bucket, listing }: Operation, found: Listing, truncated: boolean) {
  const named = nameOf(listing.encoded)
  const key = (path: string): string => named(path.slice(bucket.path.length))
  const head: readonly (Xml | undefined)[] = [
    ['Name', bucket.bucket],
    ['Prefix', named(listing.prefix)],
    listing.delimiter === undefined ? undefined : ['Delimiter', named(listing.delimiter)],
    ['MaxKeys', listing.limit],
    listing.encoded ? ['EncodingType', 'url'] : undefined,
    ['IsTruncated', truncated],
  ]
  const rest: readonly Xml[] = [
    ...found.objects.map((object): Xml => ['Contents', contentsOf(object, key, listing)]),
    ...found.prefixes.map((prefix): Xml => ['CommonPrefixes', [['Prefix', key(prefix)]]]),
  ]
  return { head, rest }
}

const contentsOf = (
  { path, modified, etag, size }: ListedObject,
  key: (path: string) => string,
  { withOwner }: ListingAsked,
): readonly (Xml | undefined)[] => [
  ['Key', key(path)],
  ['LastModified', timeOf(modified)],
  ['ETag', etag],
  ['Size', size],
  withOwner ? owner('Owner') : undefined,
  ['StorageClass', 'STANDARD'],
]

export const owner = (role: 'Owner' | 'Initiator'): Xml => [
  role,
  [
    ['ID', OWNER_ID],
    ['DisplayName', OWNER_ID],
  ],
]

const pageOfV2 = (
  { encoded, token, startAfter }: ListingAsked,
  { objects, prefixes }: Listing,
  next: string | undefined,
): readonly (Xml | undefined)[] => [
  ['KeyCount', objects.length + prefixes.length],
  token === undefined ? undefined : ['ContinuationToken', token],
  next === undefined ? undefined : ['NextContinuationToken', tokenOf(next)],
  startAfter === undefined ? undefined : ['StartAfter', nameOf(encoded)(startAfter)],
]

const pageOfV1 = (
  { listing: { encoded, after } }: Operation,
  next: string | undefined,
): readonly (Xml | undefined)[] => [
  ['Marker', nameOf(encoded)(after ?? '')],
  next === undefined ? undefined : ['NextMarker', nameOf(encoded)(next)],
]

/** `encoding-type=url`: names as a query has them, slashes left as they are. */
export const nameOf =
  (encoded: boolean) =>
  (name: string): string =>
    encoded
      ? encodeURIComponent(name)
          .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
          .replaceAll('%2F', '/')
      : name
