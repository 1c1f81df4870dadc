/**
 * What S3 calls the reasons for refusing: its codes with their statuses, and which of them a refusal
 * of ours is. Source: "Error responses", Amazon S3 API Reference.
 */
import { Refusal, type RefusalCode } from '../../../key/refusal.ts'

/** `refusal` is the code under which one is logged that only S3 knows. */
const S3_ERRORS = {
  AccessDenied: { status: 403, refusal: 'method_not_granted' },
  AuthorizationHeaderMalformed: { status: 400, refusal: 'key_malformed' },
  BadDigest: { status: 400, refusal: 'digest_mismatch' },
  BucketAlreadyOwnedByYou: { status: 409, refusal: 'conflict' },
  BucketNotEmpty: { status: 409, refusal: 'conflict' },
  EntityTooLarge: { status: 400, refusal: 'too_large' },
  EntityTooSmall: { status: 400, refusal: 'too_small' },
  IncompleteBody: { status: 400, refusal: 'incomplete_body' },
  InsufficientStorage: { status: 507, refusal: 'storage_full' },
  InternalError: { status: 500, refusal: 'internal' },
  InvalidArgument: { status: 400, refusal: 'request_malformed' },
  InvalidDigest: { status: 400, refusal: 'request_malformed' },
  InvalidBucketName: { status: 400, refusal: 'path_malformed' },
  InvalidPart: { status: 400, refusal: 'request_malformed' },
  InvalidPartNumber: { status: 416, refusal: 'range_unsatisfiable' },
  InvalidPartOrder: { status: 400, refusal: 'request_malformed' },
  InvalidRange: { status: 416, refusal: 'range_unsatisfiable' },
  InvalidRequest: { status: 400, refusal: 'request_malformed' },
  InvalidTag: { status: 400, refusal: 'request_malformed' },
  InvalidURI: { status: 400, refusal: 'path_malformed' },
  KeyTooLongError: { status: 400, refusal: 'path_malformed' },
  MalformedPOSTRequest: { status: 400, refusal: 'request_malformed' },
  MalformedXML: { status: 400, refusal: 'request_malformed' },
  MetadataTooLarge: { status: 400, refusal: 'headers_too_large' },
  MethodNotAllowed: { status: 405, refusal: 'method_not_allowed' },
  NoSuchBucket: { status: 404, refusal: 'resource_not_found' },
  NoSuchKey: { status: 404, refusal: 'object_not_found' },
  NoSuchUpload: { status: 404, refusal: 'resource_not_found' },
  NotImplemented: { status: 501, refusal: 'method_not_allowed' },
  OperationAborted: { status: 409, refusal: 'conflict' },
  PreconditionFailed: { status: 412, refusal: 'precondition_failed' },
  RequestTimeout: { status: 400, refusal: 'too_slow' },
  RequestTimeTooSkewed: { status: 403, refusal: 'key_expired' },
  ServiceUnavailable: { status: 503, refusal: 'unavailable' },
  SignatureDoesNotMatch: { status: 403, refusal: 'signature_invalid' },
  SlowDown: { status: 503, refusal: 'rate_limited' },
  XAmzContentSHA256Mismatch: { status: 400, refusal: 'digest_mismatch' },
} as const satisfies Record<string, { readonly status: number; readonly refusal: RefusalCode }>

export type S3ErrorCode = keyof typeof S3_ERRORS

/** A code that is missing here does not compile. */
const CODES = {
  request_malformed: 'InvalidRequest',
  path_malformed: 'InvalidURI',
  method_not_allowed: 'MethodNotAllowed',
  uri_too_long: 'InvalidURI',
  headers_too_large: 'MetadataTooLarge',
  key_missing: 'AccessDenied',
  token_invalid: 'AccessDenied',
  key_malformed: 'AuthorizationHeaderMalformed',
  key_ambiguous: 'InvalidRequest',
  signature_invalid: 'SignatureDoesNotMatch',
  key_not_yet_valid: 'AccessDenied',
  key_expired: 'AccessDenied',
  key_revoked: 'AccessDenied',
  method_not_granted: 'AccessDenied',
  path_not_granted: 'AccessDenied',
  address_not_granted: 'AccessDenied',
  header_not_granted: 'AccessDenied',
  pin_required: 'AccessDenied',
  pin_wrong: 'AccessDenied',
  tls_required: 'AccessDenied',
  origin_not_granted: 'AccessDenied',
  uses_exhausted: 'AccessDenied',
  bytes_exhausted: 'AccessDenied',
  files_exhausted: 'AccessDenied',
  key_paused: 'AccessDenied',
  policy_not_found: 'AccessDenied',
  rate_limited: 'SlowDown',
  claim_not_granted: 'AccessDenied',
  object_not_found: 'NoSuchKey',
  resource_not_found: 'NoSuchKey',
  object_exists: 'PreconditionFailed',
  precondition_failed: 'PreconditionFailed',
  range_unsatisfiable: 'InvalidRange',
  conflict: 'OperationAborted',
  too_large: 'EntityTooLarge',
  too_small: 'EntityTooSmall',
  type_not_granted: 'AccessDenied',
  type_mismatch: 'InvalidRequest',
  content_refused: 'InvalidRequest',
  digest_mismatch: 'BadDigest',
  incomplete_body: 'IncompleteBody',
  too_slow: 'RequestTimeout',
  unavailable: 'ServiceUnavailable',
  internal: 'InternalError',
  storage_full: 'InsufficientStorage',
} as const satisfies Record<RefusalCode, S3ErrorCode>

/** A refusal that S3 has a code of its own for. */
export class S3Refusal extends Refusal {
  readonly s3: S3ErrorCode

  constructor(s3: S3ErrorCode, detail: string) {
    super(S3_ERRORS[s3].refusal, detail)
    this.s3 = s3
  }
}

/** HeadBucket without a credential: SDKs learn the region so, which is the same for all names. */
export class RegionAsked extends Refusal {
  readonly region: string

  constructor(region: string) {
    super('key_missing', 'sign the request with AWS Signature Version 4')
    this.region = region
  }
}

export const notImplemented = (what: string): S3Refusal =>
  new S3Refusal('NotImplemented', `${what} is not implemented; docs/s3.md lists what is`)

export const invalidArgument = (detail: string): S3Refusal =>
  new S3Refusal('InvalidArgument', detail)

export const s3CodeOf = (refusal: Refusal): S3ErrorCode =>
  refusal instanceof S3Refusal ? refusal.s3 : CODES[refusal.code]

export const s3StatusOf = (code: S3ErrorCode): number => S3_ERRORS[code].status
