import { describe, expect, test } from 'vitest'
import { type Block, parseLaterBlock } from '../../../../key/claims.ts'
import { parseSessionPolicy } from '../../../../key/dialects/iam-policy.ts'
import { Refusal } from '../../../../key/refusal.ts'

const arn = (path: string) => `arn:aws:s3:::${path}`
const allow = (Action: unknown, Resource: unknown, Condition?: unknown) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition !== undefined && { Condition }),
})
const policyOf = (...Statement: readonly unknown[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement })

function detailOf(text: string): string {
  try {
    parseSessionPolicy(text)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'request_malformed') return error.detail
    throw error
  }
  return 'taken'
}

describe('becomes a block', () => {
  const like = (...prefixes: readonly string[]) => ({ StringLike: { 's3:prefix': prefixes } })

  test.each<[string, string, Block]>([
    [
      'one action on one object',
      policyOf(allow('s3:GetObject', arn('bucket/a'))),
      { methods: ['GET'], path: 'bucket/a' },
    ],
    [
      'a statement that is no list',
      JSON.stringify({ Statement: allow('s3:GetObject', arn('bucket/*')) }),
      { methods: ['GET'], path: 'bucket/' },
    ],
    [
      'a folder',
      policyOf(allow(['s3:PutObject', 's3:AbortMultipartUpload'], [arn('bucket/a/*')])),
      { methods: ['PUT'], path: 'bucket/a/' },
    ],
    [
      'part of a name',
      policyOf(allow('s3:GetObject', arn('bucket/a/b*'))),
      { methods: ['GET'], path: 'bucket/a/', match: 'b**' },
    ],
    [
      'several places',
      policyOf(allow('s3:GetObject', [arn('bucket/b/*'), arn('bucket/a')])),
      { methods: ['GET'], path: ['bucket/a', 'bucket/b/'] },
    ],
    [
      'a folder and its listing',
      policyOf(
        allow(['s3:GetObject', 's3:DeleteObject'], arn('bucket/u/*')),
        allow('s3:ListBucket', arn('bucket'), like('u/*')),
      ),
      { methods: ['GET', 'DELETE', 'LIST'], path: 'bucket/u/' },
    ],
    [
      'a listing of one folder',
      policyOf(allow('s3:ListBucket', arn('bucket'), { StringEquals: { 's3:prefix': 'u/' } })),
      { methods: ['LIST'], path: 'bucket/u/' },
    ],
    [
      'a bucket and its listing',
      policyOf(allow('s3:*', [arn('bucket'), arn('bucket/*')])),
      { methods: ['GET', 'PUT', 'DELETE', 'LIST'], path: 'bucket/' },
    ],
    [
      'a wildcard on objects alone',
      policyOf(allow('s3:*', arn('bucket/*'))),
      { methods: ['GET', 'PUT', 'DELETE'], path: 'bucket/' },
    ],
    [
      'everything',
      policyOf(allow('*', '*')),
      { methods: ['GET', 'PUT', 'DELETE', 'LIST'], path: '/' },
    ],
    [
      'the same twice',
      policyOf(allow('s3:GetObject', arn('bucket/*')), allow('s3:GetObject*', arn('bucket/*'))),
      { methods: ['GET'], path: 'bucket/' },
    ],
  ])('%s', (_, text, block) => {
    expect(parseSessionPolicy(text)).toEqual(block)
    expect(parseLaterBlock(block, 'the policy')).toEqual(block)
  })
})

describe('is refused', () => {
  const get = (resource: unknown, condition?: unknown) =>
    policyOf(allow('s3:GetObject', resource, condition))

  test.each<[string, string, RegExp]>([
    [
      'Deny',
      policyOf({ ...allow('s3:GetObject', '*'), Effect: 'Deny' }),
      /only the Effect "Allow"/,
    ],
    [
      'NotAction',
      policyOf({ Effect: 'Allow', NotAction: 's3:GetObject', Resource: '*' }),
      /"NotAction" is not supported/,
    ],
    ['NotResource', policyOf({ ...allow('s3:GetObject', '*'), NotResource: '*' }), /"NotResource"/],
    ['a principal', policyOf({ ...allow('s3:GetObject', '*'), Principal: '*' }), /"Principal"/],
    [
      'an unknown action',
      policyOf(allow(['s3:GetObject', 's3:PutBucketPolicy'], '*')),
      /"s3:PutBucketPolicy" is not supported/,
    ],
    ['another wildcard', policyOf(allow('s3:G*', '*')), /"s3:G\*"/],
    [
      'a companion alone',
      policyOf(allow('s3:PutObjectTagging', arn('bucket/*'))),
      /only together with s3:PutObject/,
    ],
    ['another service', get('arn:aws:sqs:::bucket/*'), /is not of the form/],
    ['a bucket with a wildcard', get(arn('buck*/a')), /is not of the form/],
    ['a wildcard within', get(arn('bucket/*/a')), /not at its end/],
    ['a question mark', get(arn('bucket/a?')), /not at its end/],
    ['a variable', get(arn('bucket/\u0024{aws:username}/*')), /not at its end/],
    [
      'a folder that would be all beneath it',
      get(arn('bucket/a/')),
      /write arn:aws:s3:::bucket\/a\/\*/,
    ],
    ['a path that is none', get(arn('bucket/a/../b')), /is not a path/],
    ['objects without one', get(arn('bucket')), /names none/],
    [
      'a listing without a bucket',
      policyOf(allow('s3:ListBucket', arn('bucket/*'))),
      /on no bucket/,
    ],
    ['another condition', get('*', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), /"IpAddress"/],
    [
      'another key of a condition',
      policyOf(allow('s3:ListBucket', arn('bucket'), { StringLike: { 's3:delimiter': '/' } })),
      /"s3:delimiter"/,
    ],
    [
      'a condition on objects',
      get(arn('bucket/*'), { StringLike: { 's3:prefix': 'a/*' } }),
      /statement of its own/,
    ],
    [
      'a prefix of everything',
      policyOf(allow('s3:ListBucket', arn('bucket'), { StringLike: { 's3:prefix': ['', 'a/*'] } })),
      /s3:prefix is a folder/,
    ],
    [
      'a prefix that ends anywhere',
      policyOf(allow('s3:ListBucket', arn('bucket'), { StringEquals: { 's3:prefix': 'a' } })),
      /s3:prefix is a folder/,
    ],
    [
      'actions on different paths',
      policyOf(allow('s3:GetObject', arn('bucket/*')), allow('s3:PutObject', arn('bucket/in/*'))),
      /different paths/,
    ],
    [
      'a folder and the listing of its bucket',
      policyOf(allow('s3:GetObject', arn('bucket/u/*')), allow('s3:ListBucket', arn('bucket'))),
      /different paths/,
    ],
    [
      'parts of names in several places',
      get([arn('bucket/a*'), arn('bucket/b/*')]),
      /part of a name/,
    ],
    [
      'too many places',
      get(Array.from({ length: 17 }, (_, i) => arn(`bucket/${i}/*`))),
      /too many/,
    ],
    [
      'another version',
      JSON.stringify({ Version: '2008-10-17', Statement: allow('*', '*') }),
      /2012-10-17/,
    ],
    ['no statement', policyOf(), /has a "Statement"/],
    ['an empty object', '{}', /"Statement"/],
    ['an unknown member', JSON.stringify({ Statement: allow('*', '*'), Extra: 1 }), /"Extra"/],
    ['a duplicate member', '{"Statement":[],"Statement":[]}', /two members/],
    ['no JSON', '{', /JSON/],
    ['very much', ' '.repeat(2049), /2048/],
    ['an action that is no text', policyOf(allow(1, '*')), /"Action"/],
    ['no resource', policyOf({ Effect: 'Allow', Action: '*' }), /"Resource"/],
  ])('%s', (_, text, detail) => {
    expect(detailOf(text)).toMatch(detail)
  })
})
