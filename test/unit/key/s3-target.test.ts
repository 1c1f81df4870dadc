import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { uriEncode } from '../../../key/dialects/sigv4.ts'
import { MAX_S3_KEY_BYTES, parseS3Target, s3TargetOf } from '../../../key/object-path.ts'
import { codeOf } from './refusals.ts'

const object = (bucket: string, key: string) => ({
  kind: 'object',
  bucket,
  key,
  path: `${bucket}/${key}`,
})

describe('path style', () => {
  test.each([
    ['/', { kind: 'service' }],
    ['/bucket', { kind: 'bucket', bucket: 'bucket', path: 'bucket/' }],
    ['/bucket/', { kind: 'bucket', bucket: 'bucket', path: 'bucket/' }],
    ['/bucket/a', object('bucket', 'a')],
    ['/bucket//a', object('bucket', '/a')],
    ['/bucket/a//b/', object('bucket', 'a//b/')],
    ['/bucket/../a', object('bucket', '../a')],
    ['/bucket/%2e%2E/.', object('bucket', '../.')],
    ['/bucket/a%2Fb', object('bucket', 'a/b')],
    ['/bucket/a+b%20%5C%01', object('bucket', 'a+b \\\u0001')],
  ])('%s', (raw, target) => {
    expect(parseS3Target(raw)).toEqual(target)
  })

  test('any text that is well-formed is a key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (key) => {
        fc.pre(key.isWellFormed() && !key.includes('\0'))
        const raw = `/bucket/${key.split('/').map(uriEncode).join('/')}`
        expect(parseS3Target(raw)).toEqual(object('bucket', key))
      }),
    )
  })
})

test('a bucket in the host: the whole path is the key', () => {
  expect(parseS3Target('/', 'bucket')).toEqual(s3TargetOf('bucket', ''))
  expect(parseS3Target('/a/b', 'bucket')).toEqual(object('bucket', 'a/b'))
  expect(codeOf(() => parseS3Target('/a', 'Bucket'))).toBe('path_malformed')
})

describe('refused', () => {
  test.each([
    '',
    'bucket/a',
    '/Bucket/a',
    '/b/a',
    '//a',
    '/../a',
    '/bucket/%00',
    '/bucket/%',
    '/bucket/%ff',
    '/bucket/%ed%a0%80',
    '/bucket/a#b',
    '/bucket/é',
  ])('%j', (raw) => {
    expect(codeOf(() => parseS3Target(raw))).toBe('path_malformed')
  })

  test('a key that is too long, in bytes, without its bucket', () => {
    const longest = 'ü'.repeat(MAX_S3_KEY_BYTES / 2)
    expect(s3TargetOf('bucket', longest)).toMatchObject({ key: longest })
    expect(codeOf(() => s3TargetOf('bucket', `${longest}a`))).toBe('path_malformed')
  })
})
