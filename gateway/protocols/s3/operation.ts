/**
 * What a request of S3 asks for: one operation of a table, with everything that it states, read
 * completely before anything acts on it. What is not in the table is refused by its name.
 */
import type { ObjectPath, Prefix, S3Target } from '../../../key/object-path.ts'
import type { MultipartRef } from '../../store/multipart.ts'
import { invalidArgument, notImplemented, S3Refusal } from './errors.ts'
import { checkHeaders, parameterOf, type S3Request, wholeNumber } from './request.ts'

/** An object, as the path of a request names it. */
export type S3Object = Extract<S3Target, { kind: 'object' }>
export type S3Bucket = Extract<S3Target, { kind: 'bucket' }>

type OnObject =
  | { readonly name: 'GetObject' | 'HeadObject'; readonly part?: number }
  | { readonly name: 'PutObject' | 'CopyObject' | 'DeleteObject' }
  | { readonly name: 'GetObjectTagging' | 'PutObjectTagging' | 'DeleteObjectTagging' }
  | { readonly name: 'CreateMultipartUpload' }
  | {
      readonly name: 'UploadPart' | 'UploadPartCopy'
      readonly upload: MultipartRef
      readonly number: number
    }
  | {
      readonly name: 'CompleteMultipartUpload' | 'AbortMultipartUpload'
      readonly upload: MultipartRef
    }
  | {
      readonly name: 'ListParts'
      readonly upload: MultipartRef
      readonly after: number
      readonly limit: number
    }

type OnBucket =
  | { readonly name: 'HeadBucket' | 'CreateBucket' | 'DeleteBucket' | 'DeleteObjects' }
  | { readonly name: 'GetBucketLocation' | 'GetBucketVersioning' }
  | { readonly name: 'ListObjects' | 'ListObjectsV2'; readonly listing: ListingAsked }
  | { readonly name: 'ListMultipartUploads'; readonly listing: UploadListingAsked }

export type S3Operation =
  | { readonly name: 'ListBuckets'; readonly listing: BucketsAsked }
  | (OnBucket & { readonly bucket: S3Bucket })
  | (OnObject & { readonly object: S3Object })

type Narrowed<Operation, N> = Operation extends { readonly name: infer M }
  ? [M & N] extends [never]
    ? never
    : Operation & { readonly name: N }
  : never
/** The operation of a name, or of one of several. */
export type OperationNamed<N extends S3Operation['name']> = Narrowed<S3Operation, N>

/** Names are keys: without the bucket. */
interface ListingFacts {
  readonly prefix: string
  readonly delimiter?: string
  /** 0 asks for nothing */
  readonly limit: number
  /** names in the answer are percent-encoded */
  readonly encoded: boolean
}

export interface ListingAsked extends ListingFacts {
  /** what to continue after */
  readonly after?: string
  /** as stated, to be repeated in the answer */
  readonly token?: string
  readonly startAfter?: string
  readonly withOwner: boolean
}

export interface BucketsAsked {
  readonly prefix: string
  /** absent: all that there are */
  readonly limit?: number
  /** the name to continue after */
  readonly after?: string
  readonly region?: string
}

export interface UploadListingAsked extends ListingFacts {
  readonly keyMarker?: string
  readonly idMarker?: string
}

type Level = S3Target['kind']
export type OperationName = S3Operation['name']
type Name = OperationName

/** `by` is the parameter that makes a request this operation; absent: no other one does. */
interface Route {
  readonly name: Name
  readonly by?: string
  readonly also?: readonly string[]
}

const LISTING = ['prefix', 'delimiter', 'max-keys', 'encoding-type'] as const

const ROUTES: { readonly [method: string]: Partial<Record<Level, readonly Route[]>> } = {
  GET: {
    service: [
      {
        name: 'ListBuckets',
        also: ['max-buckets', 'prefix', 'continuation-token', 'bucket-region'],
      },
    ],
    bucket: [
      { name: 'GetBucketLocation', by: 'location' },
      { name: 'GetBucketVersioning', by: 'versioning' },
      {
        name: 'ListMultipartUploads',
        by: 'uploads',
        also: [...LISTING, 'max-uploads', 'key-marker', 'upload-id-marker'],
      },
      {
        name: 'ListObjectsV2',
        by: 'list-type',
        also: [...LISTING, 'start-after', 'continuation-token', 'fetch-owner'],
      },
      { name: 'ListObjects', also: [...LISTING, 'marker'] },
    ],
    object: [
      { name: 'GetObjectTagging', by: 'tagging' },
      {
        name: 'ListParts',
        by: 'uploadId',
        also: ['max-parts', 'part-number-marker', 'encoding-type'],
      },
      { name: 'GetObject', also: ['partNumber'] },
    ],
  },
  HEAD: {
    bucket: [{ name: 'HeadBucket' }],
    object: [{ name: 'HeadObject', also: ['partNumber'] }],
  },
  PUT: {
    bucket: [{ name: 'CreateBucket' }],
    object: [
      { name: 'PutObjectTagging', by: 'tagging' },
      { name: 'UploadPart', by: 'partNumber', also: ['uploadId'] },
      { name: 'PutObject' },
    ],
  },
  POST: {
    bucket: [{ name: 'DeleteObjects', by: 'delete' }],
    object: [
      { name: 'CreateMultipartUpload', by: 'uploads' },
      { name: 'CompleteMultipartUpload', by: 'uploadId' },
    ],
  },
  DELETE: {
    bucket: [{ name: 'DeleteBucket' }],
    object: [
      { name: 'DeleteObjectTagging', by: 'tagging' },
      { name: 'AbortMultipartUpload', by: 'uploadId' },
      { name: 'DeleteObject' },
    ],
  },
}

/** @throws S3Refusal NotImplemented, MethodNotAllowed, InvalidArgument */
export function parseOperation(request: S3Request): S3Operation {
  const name = nameOf(request)
  checkHeaders(request.headers)
  const { target } = request
  if (target.kind === 'service') return { name: 'ListBuckets', listing: bucketsAsked(request) }
  return target.kind === 'bucket'
    ? { ...onBucket(name, request), bucket: target }
    : { ...onObject(name, request, target), object: target }
}

function nameOf({ method, target, query, headers }: S3Request): Name {
  const routes = ROUTES[method]?.[target.kind] ?? []
  const names = query.map(([name]) => name).filter((name) => !isHarmless(name, query, method))
  const route =
    routes.find(({ by }) => by !== undefined && names.includes(by)) ??
    routes.find(({ by }) => by === undefined)
  const foreign = names.find((name) => name !== route?.by && !route?.also?.includes(name))
  if (foreign !== undefined) throw notImplemented(describe(method, target.kind, foreign))
  if (route === undefined) {
    throw new S3Refusal('MethodNotAllowed', `${method} is not served for ${LEVELS[target.kind]}`)
  }
  const isCopy = headers.has('x-amz-copy-source')
  if (isCopy && route.name === 'PutObject') return 'CopyObject'
  if (isCopy && route.name === 'UploadPart') return 'UploadPartCopy'
  return route.name
}

/** Overrides of the response are in the grant already; there is one version of an object. */
const isHarmless = (name: string, query: S3Request['query'], method: string): boolean =>
  (/^response-/.test(name) && (method === 'GET' || method === 'HEAD')) ||
  (name === 'versionId' && query.every(([other, value]) => other !== name || value === 'null'))

const LEVELS: Readonly<Record<Level, string>> = {
  service: 'all buckets',
  bucket: 'a bucket',
  object: 'an object',
}

const VERBS: Readonly<Record<string, string>> = { GET: 'Get', PUT: 'Put', DELETE: 'Delete' }

/** `GetBucketAcl ("?acl")` */
function describe(method: string, level: Level, parameter: string): string {
  const verb = VERBS[method] ?? `${method} of `
  const what = parameter
    .slice(0, 64)
    .replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase())
  return `${verb}${level === 'object' ? 'Object' : 'Bucket'}${what} ("?${parameter.slice(0, 64)}")`
}

function onBucket(name: Name, request: S3Request): OnBucket {
  switch (name) {
    case 'ListObjects':
    case 'ListObjectsV2':
      return { name, listing: listingAsked(request) }
    case 'ListMultipartUploads':
      return { name, listing: uploadListingAsked(request) }
    default:
      return { name } as OnBucket
  }
}

function onObject(name: Name, request: S3Request, { path }: S3Object): OnObject {
  switch (name) {
    case 'GetObject':
    case 'HeadObject':
      return { name, ...partAsked(request) }
    case 'UploadPart':
    case 'UploadPartCopy':
      return { name, upload: uploadRef(request, path), number: partNumber(request) ?? 1 }
    case 'CompleteMultipartUpload':
    case 'AbortMultipartUpload':
      return { name, upload: uploadRef(request, path) }
    case 'ListParts':
      return {
        name,
        upload: uploadRef(request, path),
        after: wholeNumber(
          parameterOf(request, 'part-number-marker') || '0',
          'part-number-marker',
          0,
        ),
        limit: limitOf(request, 'max-parts'),
      }
    default:
      return { name } as OnObject
  }
}

/** S3's own: parts are numbered from 1 to 10,000. */
export const MAX_PARTS = 10_000

function partNumber(request: S3Request): number | undefined {
  const text = parameterOf(request, 'partNumber')
  return text === undefined ? undefined : wholeNumber(text, 'partNumber', 1, MAX_PARTS)
}

function partAsked(request: S3Request): { part?: number } {
  const part = partNumber(request)
  if (part === undefined) return {}
  if (!request.headers.has('range')) return { part }
  throw new S3Refusal('InvalidRequest', 'ask for a range or for a part, not for both')
}

function uploadRef(request: S3Request, path: ObjectPath): MultipartRef {
  const id = parameterOf(request, 'uploadId')
  if (id !== undefined && /^[A-Za-z0-9_.-]{1,128}$/.test(id)) return { path, id }
  throw new S3Refusal('NoSuchUpload', 'there is no upload of this id')
}

const MAX_LISTED = 1000

const limitOf = (request: S3Request, name: string): number =>
  Math.min(MAX_LISTED, wholeNumber(parameterOf(request, name) || String(MAX_LISTED), name, 0))

function listingFacts(request: S3Request, limit: string): ListingFacts {
  const delimiter = parameterOf(request, 'delimiter')
  const encoding = parameterOf(request, 'encoding-type')
  if (encoding !== undefined && encoding !== 'url') {
    throw invalidArgument('encoding-type is "url", or not there')
  }
  return {
    prefix: parameterOf(request, 'prefix') ?? '',
    limit: limitOf(request, limit),
    encoded: encoding !== undefined,
    ...(delimiter && { delimiter }),
  }
}

function listingAsked(request: S3Request): ListingAsked {
  const token = parameterOf(request, 'continuation-token')
  const startAfter = parameterOf(request, 'start-after')
  const isV2 = parameterOf(request, 'list-type') !== undefined
  if (isV2 && parameterOf(request, 'list-type') !== '2') throw invalidArgument('list-type is 2')
  const marker = parameterOf(request, 'marker')
  const after = isV2 ? (token === undefined ? startAfter : ofToken(token)) : marker
  return {
    ...listingFacts(request, 'max-keys'),
    withOwner: !isV2 || parameterOf(request, 'fetch-owner') === 'true',
    ...(after && { after }),
    ...(token !== undefined && { token }),
    ...(startAfter !== undefined && { startAfter }),
  }
}

const MAX_BUCKETS = 10_000

function bucketsAsked(request: S3Request): BucketsAsked {
  const limit = parameterOf(request, 'max-buckets')
  const token = parameterOf(request, 'continuation-token')
  const region = parameterOf(request, 'bucket-region')
  return {
    prefix: parameterOf(request, 'prefix') ?? '',
    ...(limit && { limit: wholeNumber(limit, 'max-buckets', 1, MAX_BUCKETS) }),
    ...(token && { after: ofToken(token) }),
    ...(region && { region }),
  }
}

function uploadListingAsked(request: S3Request): UploadListingAsked {
  const keyMarker = parameterOf(request, 'key-marker')
  const idMarker = parameterOf(request, 'upload-id-marker')
  return {
    ...listingFacts(request, 'max-uploads'),
    ...(keyMarker && { keyMarker }),
    ...(keyMarker && idMarker && { idMarker }),
  }
}

/** What to continue after, as something that nobody should look into. */
export const tokenOf = (after: string): string => Buffer.from(after, 'utf8').toString('base64url')

function ofToken(token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  const text = bytes.toString('utf8')
  if (bytes.toString('base64url') === token && tokenOf(text) === token) return text
  throw invalidArgument('continuation-token is what the answer before said, as it was')
}

/** The folder in which a listing looks: what has to be granted, whatever the prefix goes on with. */
export const folderOf = ({ path }: S3Bucket, prefix: string): Prefix =>
  (path + prefix.slice(0, prefix.lastIndexOf('/') + 1)) as Prefix
