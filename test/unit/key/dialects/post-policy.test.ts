import { describe, expect, test } from 'vitest'
import { clear } from '../../../../key/clear.ts'
import { nodeHashing } from '../../../../key/dialects/node-sigv4.ts'
import { claimPost, type FormFields, verifyPost } from '../../../../key/dialects/post-policy.ts'
import { signature, signingKeyOf } from '../../../../key/dialects/sigv4.ts'
import { postForm } from '../../../../key/dialects/sigv4-presign.ts'
import { parseObjectPath } from '../../../../key/object-path.ts'
import type { Bytes, UnixSeconds } from '../../../../key/units.ts'
import { lookupVector, vectorKey, vectors } from '../../../support/sigv4.ts'
import { codeOf } from '../refusals.ts'

const { mac } = nodeHashing
const SCOPE = { date: '20151229', region: 'us-east-1', service: 's3' }
const CREDENTIAL = `${vectors.accessKeyId}/20151229/us-east-1/s3/aws4_request`
const DATE = '20151229T000000Z'
const FILENAME = `\${filename}`
const SIGNED_AT = 1_451_347_200

const verify = (
  form: FormFields,
  upload = { bucket: 'bucket', fileName: 'cat.png' },
  lookup = lookupVector,
) => {
  const claimed = claimPost(form)
  if (claimed === undefined) throw new Error('the form has no policy')
  return verifyPost(claimed, upload, { lookup, hashing: nodeHashing })
}

const base = [
  { 'x-amz-credential': CREDENTIAL },
  { 'x-amz-date': DATE },
  { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256' },
]

/** A form under any policy text, properly signed. */
function formOf(
  policyText: string,
  fields: FormFields = [['key', 'user/a']],
  encode = (text: string) => Buffer.from(text).toString('base64'),
): FormFields {
  const policy = encode(policyText)
  const made = signature(signingKeyOf(vectorKey, SCOPE, mac), policy, mac)
  return [
    ...fields,
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', CREDENTIAL],
    ['X-Amz-Date', DATE],
    ['Policy', policy],
    ['X-Amz-Signature', made],
  ]
}

/** Conditions beside those that every policy has. */
const policyOf = (conditions: readonly unknown[] = [], over: object = {}): string =>
  JSON.stringify({
    expiration: '2015-12-30T12:00:00.000Z',
    conditions: [...base, { bucket: 'bucket' }, ['starts-with', '$key', ''], ...conditions],
    ...over,
  })

const code = (...given: Parameters<typeof verify>) => codeOf(() => verify(...given))

test("AWS's example", () => {
  const { key, grant } = verify(vectors.post.fields, {
    bucket: 'sigv4examplebucket',
    fileName: 'MyFilename.jpg',
  })
  expect(key).toBe('user/user1/MyFilename.jpg')
  expect(grant.blocks).toEqual([
    {
      nbf: SIGNED_AT - 840,
      exp: 1_451_476_800,
      methods: ['PUT'],
      path: 'sigv4examplebucket/user/user1/MyFilename.jpg',
      types: ['image/*'],
    },
  ])
  expect(grant.ids).toEqual([vectors.accessKeyId, grant.id])
})

test('a flipped character in anything signed is refused', () => {
  for (const [index, [name, value]] of vectors.post.fields.entries()) {
    for (let at = 0; at < value.length; at += 1) {
      const flipped = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
      const fields = vectors.post.fields.with(index, [name, flipped])
      const isFree = name === 'key' && at >= 'user/user1/'.length
      const isType = name === 'Content-Type' && at >= 'image/'.length
      if (isFree || isType) continue
      const upload = { bucket: 'sigv4examplebucket', fileName: 'x' }
      expect(code(fields, upload), `${name}: ${flipped}`).toBeDefined()
    }
  }
})

describe('the grant', () => {
  test('holds the size that the policy states, and seven days at most', () => {
    const policy = policyOf(
      [
        ['content-length-range', 10, 100],
        ['Content-Length-Range', '20', 1000],
      ],
      { expiration: '2030-01-01T00:00:00Z' },
    )
    const { grant } = verify(formOf(policy))
    expect(grant.blocks[0]).toMatchObject({ size: [20, 100], exp: SIGNED_AT + 604_800 })
    const attempt = (size: number, method: 'PUT' | 'GET' = 'PUT') => ({
      now: SIGNED_AT as UnixSeconds,
      method,
      path: parseObjectPath('bucket/user/a'),
      address: '',
      tls: true,
      header: () => undefined,
      upload: { size: size as Bytes, type: 'a/b' },
    })
    expect(clear(grant, attempt(50))).toBeUndefined()
    expect(clear(grant, attempt(101))?.code).toBe('too_large')
    expect(clear(grant, attempt(19))?.code).toBe('too_small')
    expect(clear(grant, attempt(50, 'GET'))?.code).toBe('method_not_granted')
  })
})

describe('the key', () => {
  const keyOf = (stated: string, fileName: string) =>
    verify(formOf(policyOf(), [['key', stated]]), { bucket: 'bucket', fileName }).key

  test.each([
    [`user/${FILENAME}`, 'cat.png', 'user/cat.png'],
    [`user/${FILENAME}`, 'C:\\pictures\\cat.png', 'user/cat.png'],
    [`user/${FILENAME}`, '../../etc/passwd', 'user/passwd'],
    [FILENAME, '$&$1', '$&$1'],
    [`user/${FILENAME}`, '', 'user/'],
    ['user/a', 'cat.png', 'user/a'],
  ])('%j with the file %j is %j', (stated, fileName, key) => {
    expect(keyOf(stated, fileName)).toBe(key)
  })

  test('is asked after the name was filled in', () => {
    const policy = policyOf([['eq', '$key', 'user/cat.png']])
    const form = formOf(policy, [['KEY', `user/${FILENAME}`]])
    expect(code(form)).toBeUndefined()
    expect(code(form, { bucket: 'bucket', fileName: 'dog.png' })).toBe('path_not_granted')
  })

  test('is not empty', () => {
    expect(code(formOf(policyOf(), [['key', '']]))).toBe('path_malformed')
  })
})

describe('conditions', () => {
  const key = ['key', 'user/a'] as const

  test.each<[string, readonly unknown[], FormFields, string | undefined]>([
    ['eq holds', [['eq', '$acl', 'private']], [key, ['ACL', 'private']], undefined],
    [
      'eq does not',
      [['eq', '$acl', 'private']],
      [key, ['acl', 'public-read']],
      'header_not_granted',
    ],
    ['a field that must be there', [{ acl: 'private' }], [key], 'header_not_granted'],
    [
      'starts-with holds',
      [['starts-with', '$x-amz-meta-a', 'ab']],
      [key, ['X-Amz-Meta-A', 'abc']],
      undefined,
    ],
    [
      'starts-with does not',
      [['starts-with', '$x-amz-meta-a', 'ab']],
      [key, ['x-amz-meta-a', 'ba']],
      'header_not_granted',
    ],
    [
      'starts-with nothing is anything',
      [['starts-with', '$x-amz-meta-a', '']],
      [key, ['x-amz-meta-a', 'ba']],
      undefined,
    ],
    [
      'two on one field: both hold',
      [['starts-with', '$acl', 'p'], { acl: 'private' }],
      [key, ['acl', 'public']],
      'header_not_granted',
    ],
    ['a field that no condition covers', [], [key, ['x-amz-meta-a', '1']], 'header_not_granted'],
    ['x-ignore- fields need none', [], [key, ['x-ignore-a', '1']], undefined],
    [
      'a list of types, each of which holds',
      [['starts-with', '$Content-Type', 'image/']],
      [key, ['content-type', 'image/png, image/gif']],
      undefined,
    ],
    [
      'a list of types, one of which does not',
      [['starts-with', '$Content-Type', 'image/']],
      [key, ['content-type', 'image/png,text/html']],
      'type_not_granted',
    ],
    ['the bucket as a field, another one', [], [key, ['bucket', 'other']], 'path_not_granted'],
    ['the bucket as a field', [], [key, ['bucket', 'bucket']], undefined],
    ['the key does not hold', [['starts-with', '$key', 'admin/']], [key], 'path_not_granted'],
  ])('%s', (_, conditions, fields, expected) => {
    expect(code(formOf(policyOf(conditions), fields))).toBe(expected)
  })

  test('the bucket is that of the request, and the policy must name it', () => {
    const form = formOf(policyOf())
    expect(code(form, { bucket: 'other', fileName: '' })).toBe('path_not_granted')
    const without = policyOf([], { conditions: [...base, ['starts-with', '$key', '']] })
    expect(code(formOf(without))).toBe('path_not_granted')
  })
})

describe('refused, though signed', () => {
  test.each<[string, string]>([
    ['a duplicate member', policyOf().replace('{', '{"expiration":"2030-01-01T00:00:00Z",')],
    [
      'a duplicate member of a condition',
      policyOf([{ acl: 'private' }]).replace('"acl"', '"acl":"public-read","acl"'),
    ],
    ['no expiration', policyOf([], { expiration: undefined })],
    ['an expiration that is none', policyOf([], { expiration: 'tomorrow' })],
    ['no conditions', policyOf([], { conditions: undefined })],
    ['an unknown member', policyOf([], { version: 1 })],
    ['an unknown operator', policyOf([['ends-with', '$key', 'a']])],
    ['a field without its dollar', policyOf([['eq', 'key', 'a']])],
    ['a condition with too much in it', policyOf([['eq', '$key', 'user/a', 'b']])],
    ['a value that is no text', policyOf([{ acl: 1 }])],
    ['an empty condition', policyOf([{}])],
    ['a condition that is text', policyOf(['acl'])],
    ['a size range with one end', policyOf([['content-length-range', 1]])],
    ['a size range out of order', policyOf([['content-length-range', 2, 1]])],
    ['a negative size', policyOf([['content-length-range', -1, 1]])],
    [
      'size ranges that have nothing in common',
      policyOf([
        ['content-length-range', 1, 2],
        ['content-length-range', 3, 4],
      ]),
    ],
    ['no JSON', '{'],
    ['a list', '[]'],
  ])('%s', (_, policy) => {
    expect(code(formOf(policy))).toBe('key_malformed')
  })

  test('base64 in another form', () => {
    const spaced = (text: string) => `${Buffer.from(text).toString('base64')}\n`
    const url = (text: string) => Buffer.from(text).toString('base64url')
    for (const encode of [spaced, url]) {
      expect(code(formOf(policyOf([{ acl: 'p?>' }]), undefined, encode))).toBe('key_malformed')
    }
  })
})

describe('the form', () => {
  const form = formOf(policyOf())

  test('is no claim without a policy', () => {
    expect(
      claimPost([
        ['key', 'a'],
        ['file', 'b'],
      ]),
    ).toBeUndefined()
  })

  test.each(['key', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Signature'])(
    'without %s is refused',
    (name) => {
      expect(code(form.filter(([field]) => field !== name))).toBe('key_malformed')
    },
  )

  test('with a field twice, in whatever case, is refused', () => {
    expect(code([...form, ['KEY', 'user/b']])).toBe('key_malformed')
  })

  test('tells nothing before its signature is good', () => {
    const bad = formOf('{').map(([name, value]) =>
      name === 'X-Amz-Signature' ? ([name, '0'.repeat(64)] as const) : ([name, value] as const),
    )
    expect(code(bad)).toBe('signature_invalid')
    expect(code(form, undefined, () => undefined)).toBe('signature_invalid')
  })
})

test('the forms that we make are good', () => {
  const credential = { accessKeyId: vectors.accessKeyId, dateKey: vectorKey }
  const fields = postForm(
    {
      credential,
      region: 'us-east-1',
      now: SIGNED_AT as UnixSeconds,
      bucket: 'bucket',
      key: `ü/${FILENAME}`,
      expires: (SIGNED_AT + 60) as UnixSeconds,
      fields: { acl: 'private' },
      conditions: [['content-length-range', 0, 9]],
    },
    nodeHashing,
  )
  const { key, grant } = verify(Object.entries(fields))
  expect(key).toBe('ü/cat.png')
  expect(grant.blocks[0]).toMatchObject({ size: [0, 9], exp: SIGNED_AT + 60 })
})
