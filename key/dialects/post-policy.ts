/**
 * Forms with a signed policy: a browser uploads one file under conditions that somebody else signed.
 * Source: "Browser-Based Uploads Using POST (AWS Signature Version 4)", Amazon S3 API Reference.
 */
import type { Block } from '../claims.ts'
import { keyOfForm } from '../object-path.ts'
import { Refusal } from '../refusal.ts'
import type { Grant } from '../sign.ts'
import { type Policy, parsePolicy, why } from './post-conditions.ts'
import { type Hashing, sameSignature, signature } from './sigv4.ts'
import { MAX_EXPIRES_SECONDS, type SigV4Claimed, signatureOf, signedBy } from './sigv4-claim.ts'
import {
  invalidSignature,
  type Lookup,
  namedCredential,
  notBefore,
  presignedId,
} from './sigv4-credential.ts'

/** Fields of a form, in the order sent, up to the file. */
export type FormFields = readonly (readonly [name: string, value: string])[]

export interface PostClaimed
  extends Pick<
    SigV4Claimed,
    'accessKeyId' | 'scope' | 'dateTime' | 'signedAt' | 'signature' | 'sessionToken'
  > {
  /** base64 as sent: what was signed */
  readonly policy: string
  /** by lower-case name */
  readonly fields: ReadonlyMap<string, string>
}

const malformed = (detail: string): Refusal => new Refusal('key_malformed', detail)

/**
 * The signed policy of a form; undefined where it has none.
 * @throws Refusal key_malformed
 */
export function claimPost(form: FormFields): PostClaimed | undefined {
  const fields = new Map<string, string>()
  for (const [name, value] of form) {
    const lower = name.toLowerCase()
    if (fields.has(lower)) throw malformed(`the form field "${lower.slice(0, 64)}" is there twice`)
    fields.set(lower, value)
  }
  const policy = fields.get('policy')
  if (policy === undefined) return undefined
  const required = (name: string): string => {
    const value = fields.get(name)
    if (value !== undefined) return value
    throw malformed(`a form with a policy has the field "${name}" before its file`)
  }
  if (required('x-amz-algorithm') !== 'AWS4-HMAC-SHA256') {
    throw malformed('a policy is signed with AWS4-HMAC-SHA256; other algorithms are not taken')
  }
  required('key')
  const sessionToken = fields.get('x-amz-security-token')
  return {
    policy,
    fields,
    ...signedBy(required('x-amz-credential'), required('x-amz-date')),
    signature: signatureOf(required('x-amz-signature')),
    ...(sessionToken !== undefined && { sessionToken }),
  }
}

/** What is uploaded where, as far as it is known when the file's content begins. */
export interface PostUpload {
  /** that of the request's URL: no host is signed, so the policy must name it */
  readonly bucket: string
  /** as the browser calls the file; empty where it does not say */
  readonly fileName: string
}

export interface PostVerified {
  readonly grant: Grant
  /** of the object, with `${filename}` replaced; not checked for being one that can be stored */
  readonly key: string
}

/**
 * Order of the refusals: the form (already read), the signature, the policy's form, its conditions.
 * Its expiry and the size of the file are asked of the grant afterwards.
 * @throws Refusal signature_invalid; then key_malformed, path_malformed, path_not_granted,
 *   type_not_granted, header_not_granted
 */
export function verifyPost(
  claimed: PostClaimed,
  upload: PostUpload,
  { lookup, hashing }: { readonly lookup: Lookup; readonly hashing: Hashing },
): PostVerified {
  const credential = namedCredential(claimed, lookup, hashing)
  const expected = signature(credential.signingKey, claimed.policy, hashing.mac)
  const isGood = sameSignature(expected, claimed.signature) && credential.isKnown
  if (!isGood || claimed.scope.service !== 's3') throw invalidSignature()
  const policy = parsePolicy(claimed.policy)
  const key = keyOfForm(claimed.fields.get('key') ?? '', upload.fileName)
  if (key === '') throw new Refusal('path_malformed', 'the form names no key for the object')
  checkFields(policy, claimed.fields, { bucket: upload.bucket, key })
  const own = blockOf(policy, claimed, `${upload.bucket}/${key}`)
  return { key, grant: credential.grant(own, presignedId(claimed.signature, hashing)) }
}

/** Fields that no condition needs to cover. */
const isFree = (name: string): boolean =>
  name === 'policy' || name === 'x-amz-signature' || name.startsWith('x-ignore-')

/** What is refused with which code, where its condition does not hold; all else is a header's. */
const CODES = {
  key: 'path_not_granted',
  bucket: 'path_not_granted',
  'content-type': 'type_not_granted',
} as const

const refusalOf = (field: string, detail: string): Refusal =>
  new Refusal(
    Object.hasOwn(CODES, field) ? CODES[field as keyof typeof CODES] : 'header_not_granted',
    detail,
  )

/** Every condition holds, and every field is one that a condition is about. */
function checkFields(
  { conditions }: Policy,
  fields: ReadonlyMap<string, string>,
  upload: { readonly bucket: string; readonly key: string },
): void {
  const values = new Map([...fields, ...Object.entries(upload)])
  for (const condition of conditions) {
    const broken = why(condition, values.get(condition.field) ?? '')
    if (broken !== undefined) throw refusalOf(condition.field, broken)
  }
  const covered = new Set(conditions.map(({ field }) => field))
  if (!covered.has('bucket')) {
    throw refusalOf('bucket', 'the policy states no bucket: add the condition {"bucket": NAME}')
  }
  if (fields.has('bucket') && fields.get('bucket') !== upload.bucket) {
    throw refusalOf('bucket', 'the field "bucket" is the bucket to which the form is sent')
  }
  const stray = [...fields.keys()].find((name) => !isFree(name) && !covered.has(name))
  if (stray === undefined) return
  throw refusalOf(
    stray,
    `the form field "${stray.slice(0, 64)}" is one that no condition of the policy covers`,
  )
}

/** The policy as claims: what it says of the file is enforced as the bytes arrive. */
function blockOf(policy: Policy, { signedAt }: PostClaimed, path: string): Block {
  return {
    nbf: notBefore(signedAt),
    // a signing key is good for seven days
    exp: Math.min(policy.expires, signedAt + MAX_EXPIRES_SECONDS),
    methods: ['PUT'],
    path,
    ...(policy.size && { size: [...policy.size] }),
    ...(policy.types && { types: [...policy.types] }),
  }
}
