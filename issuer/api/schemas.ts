/** The shapes of what goes in and out; the OpenAPI document is made from them. */
import { z } from '@hono/zod-openapi'
import { METHODS, RESPOND_HEADERS } from '../../key/claims.ts'
import { parseScope } from '../../key/object-path.ts'
import { REFUSALS, Refusal, type RefusalCode } from '../../key/refusal.ts'
import { SIGNER_STATUSES, SIGNING_KEY_KINDS } from '../../key/signer.ts'
import { durationOf } from '../option-values.ts'

export const time = z.int().openapi({ description: 'Unix seconds' })
export const text = z.string().min(1)
export const texts = z.union([text, z.array(text).min(1)])

/** Whoever reads such a value says better than a schema what is wrong with it; this is for people. */
const stated = (description: string, pattern: string, minimum = 0) => ({
  description,
  anyOf: [
    { type: 'string' as const, pattern },
    { type: 'integer' as const, minimum },
  ],
})
const SIZE = '^\\d{1,16}(\\.\\d{1,6})? ?([KMGT]i?B|B)?$'
const LIFE = '^(\\d{1,15}|(?=\\d)(\\d{1,9}w)?(\\d{1,9}d)?(\\d{1,9}h)?(\\d{1,9}m)?(\\d{1,9}s)?)$'
const MOMENT = '^(\\d{4}-\\d\\d-\\d\\d([Tt].+)?|[\\dwdhms]+[wdhms])$'
const textOrInt = z.union([z.string(), z.int()])

export const sizeIn = textOrInt.openapi(stated('"10MiB", or whole bytes', SIZE))
export const lifeIn = textOrInt.openapi(stated('"15m", or whole seconds', LIFE))
export const timeIn = textOrInt.openapi(
  stated('"2026-12-01T18:00:00Z", "15m" from now, or Unix seconds', MOMENT),
)
export const countIn = textOrInt.openapi(stated('a whole number from 1 on', '^0*[1-9]\\d*$', 1))

export const id = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -')
  .openapi({ example: 'huQvDxRIMUGn2WtuCRvXOA', description: '1 to 64 of A-Z a-z 0-9 _ -' })

const scope = z.string().transform((value, context) => {
  try {
    return parseScope(value)
  } catch (error) {
    const message = error instanceof Refusal ? error.detail : String(error)
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
})

const grace = z
  .union([z.string(), z.int()])
  .transform((value, context) => {
    try {
      return durationOf(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
  .openapi(stated('how long the key still verifies: "1h", or whole seconds', LIFE))

export const limit = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, 'must be a whole number from 1 to 1000')
  .transform(Number)
  .refine((value) => value <= 1000, 'must be a whole number from 1 to 1000')
  .default(100)
  .openapi({ type: 'integer', minimum: 1, maximum: 1000, default: 100 })

/** Documentation: `options.ts` reads these, and says more about what is wrong with one. */
export const KeyRequest = z
  .strictObject({
    path: texts.openapi({
      description: 'BUCKET/KEY, BUCKET/PREFIX/ or "/"; a key for a key may leave it out',
    }),
    methods: texts
      .optional()
      .openapi({ description: `of ${METHODS.join(', ')}; GET unless stated` }),
    expiresIn: lifeIn.optional(),
    expires: timeIn.optional(),
    notBefore: timeIn.optional(),
    maxSize: sizeIn.optional(),
    minSize: sizeIn.optional(),
    types: texts.optional().openapi({ description: 'media ranges of an upload: image/*' }),
    sha256: text.optional().openapi({
      description: 'of an upload: 64 hexadecimal digits',
      pattern: '^[0-9a-fA-F]{64}$',
    }),
    overwrite: z.boolean().optional().openapi({ description: 'uploads may replace objects' }),
    uses: countIn.optional(),
    once: z.boolean().optional(),
    bytes: textOrInt
      .optional()
      .openapi(stated('of content, up and down together: "1GiB", or bytes', SIZE, 1)),
    files: countIn.optional().openapi({ description: 'objects that may be created' }),
    rate: textOrInt.optional().openapi(stated('a second: "1MiB", or bytes', SIZE, 1)),
    policy: id.optional().openapi({ description: 'the name of a stored policy' }),
    plan: id.optional().openapi({ description: 'the name of a stored usage plan' }),
    renewable: z
      .boolean()
      .optional()
      .openapi({ description: 'its end can be put off later, its URL unchanged' }),
    ip: texts.optional().openapi({ description: 'addresses or networks: 10.0.0.0/8' }),
    origins: texts.optional().openapi({ description: 'of pages: https://app.example.com' }),
    headers: z
      .union([texts, z.record(z.string(), z.string())])
      .optional()
      .openapi({ description: 'that a request carries: name → value, or "X-Team: blue"' }),
    tls: z.boolean().optional(),
    subject: text.optional().openapi({ description: 'whom the key is for' }),
    match: text.optional().openapi({ description: 'a glob under the path: *.csv' }),
    attachment: z.union([z.literal(true), text]).optional(),
    inline: z.boolean().optional(),
    respond: z
      .record(z.string(), z.string())
      .optional()
      .openapi({ description: `overrides of ${RESPOND_HEADERS.join(', ')}` }),
    ttl: lifeIn.optional().openapi({ description: 'an uploaded object lives this long' }),
    id: id.optional(),
  })
  .openapi('KeyRequest')

export const claims = z
  .record(z.string(), z.unknown())
  .openapi({ description: 'claims, as a block of a key states them' })

export const KeyRequests = z.union([KeyRequest, z.array(KeyRequest).min(1).max(1000)])

const NewKey = z
  .strictObject({
    id,
    key: z.string().openapi({ description: 'a secret' }),
    url: z.string().openapi({ description: 'of the first path, with the key: a secret' }),
    path: texts,
    methods: z.array(z.enum(METHODS)),
    expires: time,
  })
  .openapi('NewKey')

export const NewKeys = z.union([NewKey, z.array(NewKey)])

export const Revocation = z
  .strictObject({
    kind: z.enum(['id', 'subject', 'path', 'everything', 'signingKey']),
    value: z.string(),
    mintedUpTo: time.optional(),
    revokedAt: time,
    until: time.optional().openapi({ description: 'when it may be forgotten; absent: never' }),
    reason: z.string().optional(),
  })
  .openapi('Revocation')

export const IssuedKey = z
  .strictObject({
    id,
    kid: id,
    subjects: z.array(z.string()),
    paths: z.array(z.string()),
    methods: z.array(z.enum(METHODS)),
    issuedAt: time,
    expires: time,
    uses: z.int().optional().openapi({ description: 'the most, where limited' }),
    issuedBy: z.string(),
    counted: z.int().openapi({ description: 'uses so far' }),
    activity: z
      .strictObject({
        id,
        lastUsed: time,
        lastAddress: z.string(),
        requests: z.int(),
        bytesOut: z.int(),
        bytesIn: z.int(),
      })
      .optional(),
    revocation: Revocation.optional(),
    claims: claims.optional(),
    rule: z
      .strictObject({
        kind: z.literal('key'),
        name: id,
        claims,
        paused: z.boolean().optional(),
        changedAt: time,
      })
      .optional()
      .openapi({ description: 'what holds beside the key; its `exp` is the end for now' }),
  })
  .openapi('IssuedKey')

export const IssuedKeys = z
  .strictObject({
    keys: z.array(IssuedKey).openapi({ description: 'newest first' }),
    next: id.nullable().openapi({ description: '`after` of the next page; null on the last' }),
  })
  .openapi('IssuedKeys')

export const SigningKey = z
  .strictObject({
    kid: id,
    kind: z
      .enum(SIGNING_KEY_KINDS)
      .openapi({ description: 'an s3 key is an access key for S3 clients' }),
    status: z.enum(SIGNER_STATUSES),
    secret: z
      .enum(['file', 'environment', 'missing'])
      .openapi({ description: 'where its secret lies; the secret itself is never shown' }),
    createdAt: time.optional().openapi({ description: 'where a record says so' }),
    graceEnds: time.optional().openapi({ description: 'until when a retiring key verifies' }),
    ceiling: z.record(z.string(), z.unknown()).optional(),
    issued: z.int().optional().openapi({ description: 'keys minted here with it; in the list' }),
    live: z
      .int()
      .optional()
      .openapi({ description: 'of those, how many are still valid: what revoking it would end' }),
  })
  .openapi('SigningKey')

export const SigningKeys = z
  .strictObject({ signingKeys: z.array(SigningKey).openapi({ description: 'oldest first' }) })
  .openapi('SigningKeys')

export const Revocations = z
  .strictObject({ revocations: z.array(Revocation).openapi({ description: 'newest first' }) })
  .openapi('Revocations')

export const SessionRequest = z
  .strictObject({ token: z.string().max(1024).openapi({ description: 'the admin token' }) })
  .openapi('SessionRequest')

export const Session = z
  .strictObject({
    proof: z.string().openapi({ description: 'of the header X-Valetkey-Console: a secret' }),
    expires: time,
  })
  .openapi('Session')

const Condition = z
  .strictObject({ ok: z.boolean(), detail: z.string().optional() })
  .openapi('Condition')

export const Status = z
  .strictObject({
    version: z.string(),
    node: z.string(),
    now: time,
    startedAt: time,
    publicUrl: z.string().openapi({ description: 'where clients reach the gateway' }),
    ledger: Condition,
    audit: Condition,
    gateway: Condition,
    defaultExpires: z.int().openapi({ description: 'seconds' }),
    maxExpires: z.int().openapi({ description: 'seconds' }),
  })
  .openapi('Status')

export const StorageQuery = z.strictObject({
  prefix: z
    .string()
    .refine((value) => value === '' || value.endsWith('/'), 'must end with a slash')
    .default('')
    .openapi({
      type: 'string',
      pattern: '(^|/)$',
      description: 'BUCKET/PREFIX/; all buckets unless stated',
    }),
})

export const Storage = z
  .strictObject({
    prefix: z.string(),
    entries: z
      .array(
        z.strictObject({
          path: z.string().openapi({ description: 'with a slash at its end: a prefix' }),
          objects: z.int(),
          bytes: z.int(),
          complete: z.boolean().openapi({ description: 'false: more than was counted' }),
        }),
      )
      .openapi({ description: 'one level beneath the prefix, largest first' }),
    complete: z.boolean().openapi({ description: 'false: there are more entries' }),
  })
  .openapi('Storage')

export const Health = z.strictObject({ status: z.literal('ok') }).openapi('Health')

export const KeyParams = z.strictObject({ id })
export const SigningKeyParams = z.strictObject({ kid: id })
export const IssuedQuery = z.strictObject({
  id: id.optional(),
  subject: z.string().optional(),
  path: scope.optional().openapi({ type: 'string', description: 'keys at or beneath this scope' }),
  after: id.optional(),
  limit,
})
export const RevocationsQuery = z.strictObject({ limit })
export const GraceRequest = z.strictObject({ grace: grace.optional() }).openapi('GraceRequest')

const TARGETS = ['id', 'url', 'subject', 'path', 'signingKey'] as const

export const RevocationRequest = z
  .strictObject({
    id: id.optional().openapi({ description: 'of a key, also one that was minted elsewhere' }),
    url: text.optional().openapi({ description: 'a link with a key, or a key' }),
    subject: text.optional(),
    path: scope.optional().openapi({ type: 'string', description: 'of objects: BUCKET/PREFIX/' }),
    signingKey: id.optional().openapi({ description: 'all that was minted with it' }),
    mintedBefore: timeIn
      .optional()
      .openapi({ description: 'beside subject or path, or alone: every key minted before' }),
    reason: z.string().min(1).max(256).optional(),
  })
  .superRefine((request, context) => {
    const named = TARGETS.filter((target) => request[target] !== undefined)
    const timed = request.mintedBefore !== undefined
    const [target] = named
    if (named.length > 1 || (named.length === 0 && !timed)) {
      const message = `name one of ${TARGETS.join(', ')}, or mintedBefore alone`
      context.addIssue({ code: 'custom', path: [named[1] ?? 'id'], message })
    } else if (timed && target !== undefined && target !== 'subject' && target !== 'path') {
      const message = `can not stand beside ${target}, which is revoked for ever`
      context.addIssue({ code: 'custom', path: ['mintedBefore'], message })
    }
  })
  .openapi('RevocationRequest')

export const Problem = z
  .strictObject({
    type: z.string().openapi({ example: 'urn:valetkey:refusal:key_missing' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(REFUSALS) as [RefusalCode, ...RefusalCode[]]),
    detail: z.string(),
    requestId: z.string(),
    errors: z
      .array(z.strictObject({ option: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: 'everything to correct in the request' }),
  })
  .openapi('Problem')
