import { describe, expect, test } from 'vitest'
import { parseOperation } from '../../../../../gateway/protocols/s3/operation.ts'
import { bucketOfHost, s3RequestOf } from '../../../../../gateway/protocols/s3/request.ts'
import { rawRequestOf } from '../../../../../gateway/request.ts'
import { Refusal } from '../../../../../key/refusal.ts'

function parsed(
  line: string,
  headers: Record<string, string> = {},
  form: 'query' | 'header' = 'header',
) {
  const [method = '', target = ''] = line.split(' ')
  const raw = rawRequestOf(method, target, headers, '')
  const request = s3RequestOf(raw, { host: 'localhost', hoisted: new Map() }, form, [])
  return parseOperation(request)
}

function outcome(...asked: Parameters<typeof parsed>): string {
  try {
    return parsed(...asked).name
  } catch (error) {
    if (error instanceof Refusal) return `${'s3' in error ? error.s3 : error.code}: ${error.detail}`
    throw error
  }
}

describe('a request is', () => {
  test.each([
    ['GET /', 'ListBuckets'],
    ['GET /?max-buckets=2&prefix=a&continuation-token=YQ&bucket-region=x', 'ListBuckets'],
    ['GET /bucket', 'ListObjects'],
    ['GET /bucket/', 'ListObjects'],
    ['GET /bucket?list-type=2&prefix=a&x-id=ListObjectsV2', 'ListObjectsV2'],
    ['GET /bucket?uploads', 'ListMultipartUploads'],
    ['GET /bucket?location', 'GetBucketLocation'],
    ['GET /bucket?versioning=', 'GetBucketVersioning'],
    ['HEAD /bucket', 'HeadBucket'],
    ['PUT /bucket', 'CreateBucket'],
    ['DELETE /bucket', 'DeleteBucket'],
    ['POST /bucket?delete', 'DeleteObjects'],
    ['GET /bucket/key', 'GetObject'],
    ['GET /bucket/key?response-content-type=a&versionId=null', 'GetObject'],
    ['GET /bucket/key?partNumber=2', 'GetObject'],
    ['HEAD /bucket/a/', 'HeadObject'],
    ['PUT /bucket//key', 'PutObject'],
    ['DELETE /bucket/key', 'DeleteObject'],
    ['GET /bucket/key?tagging', 'GetObjectTagging'],
    ['PUT /bucket/key?tagging', 'PutObjectTagging'],
    ['DELETE /bucket/key?tagging', 'DeleteObjectTagging'],
    ['POST /bucket/key?uploads', 'CreateMultipartUpload'],
    ['PUT /bucket/key?partNumber=1&uploadId=x', 'UploadPart'],
    ['POST /bucket/key?uploadId=x', 'CompleteMultipartUpload'],
    ['DELETE /bucket/key?uploadId=x', 'AbortMultipartUpload'],
    ['GET /bucket/key?uploadId=x', 'ListParts'],
  ])('%s: %s', (line, name) => {
    expect(outcome(line)).toBe(name)
  })

  test('a copy where it names a source', () => {
    const headers = { 'x-amz-copy-source': '/a/b' }
    expect(outcome('PUT /bucket/key', headers)).toBe('CopyObject')
    expect(outcome('PUT /bucket/key?partNumber=1&uploadId=x', headers)).toBe('UploadPartCopy')
  })
})

describe('what is not served is refused by its name', () => {
  test.each([
    ['GET /bucket?acl', /^NotImplemented: GetBucketAcl \("\?acl"\)/],
    ['PUT /bucket?lifecycle', /^NotImplemented: PutBucketLifecycle/],
    ['GET /bucket?versions', /^NotImplemented: GetBucketVersions/],
    ['DELETE /bucket?policy', /^NotImplemented: DeleteBucketPolicy/],
    ['GET /bucket/key?legal-hold', /^NotImplemented: GetObjectLegalHold/],
    ['GET /bucket/key?versionId=abc', /^NotImplemented: .*versionId/],
    ['PUT /bucket/key?acl', /^NotImplemented: PutObjectAcl/],
    ['POST /bucket/key?select&select-type=2', /^NotImplemented: .*select/],
    ['PUT /bucket/key?x-amz-copy-source=/a/b', /^NotImplemented: .*x-amz-copy-source/],
    ['PUT /bucket/key?uploadId=x', /^NotImplemented: .*uploadId/],
    ['POST /bucket', /^MethodNotAllowed/],
    ['POST /bucket/key', /^MethodNotAllowed/],
    ['PATCH /bucket/key', /^MethodNotAllowed/],
    ['PUT /', /^MethodNotAllowed/],
    ['GET /?max-buckets=0', /^InvalidArgument/],
    ['GET /?max-keys=1', /^NotImplemented/],
    ['GET /bucket?max-keys=-1', /^InvalidArgument/],
    ['GET /bucket?max-keys=1e3', /^InvalidArgument/],
    ['GET /bucket?prefix=a&prefix=b', /^InvalidArgument/],
    ['GET /bucket?list-type=3', /^InvalidArgument/],
    ['GET /bucket?encoding-type=xml', /^InvalidArgument/],
    ['GET /bucket?list-type=2&continuation-token=%2B%2B', /^InvalidArgument/],
    ['GET /bucket/key?partNumber=0', /^InvalidArgument/],
    ['PUT /bucket/key?partNumber=10001&uploadId=x', /^InvalidArgument/],
    ['PUT /bucket/key?partNumber=1&uploadId=a%2Fb', /^NoSuchUpload/],
    ['GET /B', /^path_malformed/],
    ['GET /bucket/a%00b', /^path_malformed/],
    ['GET /bucket/%FF', /^path_malformed/],
  ])('%s', (line, expected) => {
    expect(outcome(line)).toMatch(expected)
  })

  test.each([
    ['x-amz-grant-read', 'id=x'],
    ['x-amz-server-side-encryption', 'aws:kms'],
    ['x-amz-object-lock-mode', 'GOVERNANCE'],
    ['x-amz-website-redirect-location', '/x'],
    ['x-amz-expected-bucket-owner', '1'],
    ['x-amz-anything', 'x'],
  ])('the header %s', (name, value) => {
    expect(outcome('PUT /bucket/key', { [name]: value })).toMatch(
      new RegExp(`^NotImplemented: the header ${name}`),
    )
  })

  test.each([
    ['x-amz-acl', 'public-read'],
    ['x-amz-storage-class', 'GLACIER'],
  ])('a value of the header %s', (name, value) => {
    expect(outcome('PUT /bucket/key', { [name]: value })).toMatch(
      new RegExp(`^NotImplemented: "${value}" in the header ${name} \\(only `),
    )
  })

  test('the subresource before any header', () => {
    const headers = { 'x-amz-object-attributes': 'ETag', 'x-amz-max-parts': '1' }
    expect(outcome('GET /bucket/key?attributes', headers)).toMatch(
      /^NotImplemented: GetObjectAttributes \("\?attributes"\)/,
    )
    expect(outcome('POST /bucket/key', headers)).toMatch(/^MethodNotAllowed: .* an object$/)
  })

  test('but for what asks for nothing else than what is done', () => {
    const headers = { 'x-amz-acl': 'private', 'x-amz-storage-class': 'STANDARD' }
    expect(outcome('PUT /bucket/key', headers)).toBe('PutObject')
    const ofOwner = { 'x-amz-acl': 'bucket-owner-full-control' }
    expect(outcome('PUT /bucket/key', ofOwner)).toBe('PutObject')
  })
})

test('the query of a presigned URL holds what signs it, and headers', () => {
  const target = 'PUT /bucket/key?X-Amz-Signature=x&x-amz-meta-a=b'
  expect(outcome(target, {}, 'query')).toBe('PutObject')
  expect(outcome(target, {}, 'header')).toMatch(/^NotImplemented/)
})

test.each([
  ['photos.files.example.com', 'photos'],
  ['a.b.files.example.com:8080', 'a.b'],
  ['PHOTOS.Files.example.com', 'photos'],
  ['files.example.com', undefined],
  ['evilfiles.example.com', undefined],
  ['photos.example.com', undefined],
  ['cdn.files.example.com', undefined],
])('the host %s is of the bucket %s', (host, bucket) => {
  const urls = ['https://files.example.com', 'https://cdn.files.example.com/base', 'no URL']
  expect(bucketOfHost(host, urls)).toBe(bucket)
})
