/**
 * Minting for S3 clients: presigned URLs, POST forms, temporary credentials, out of the same options
 * as keys. An option that a form can't say is refused by name: nothing stated is left out.
 */
import { type Claim, type FirstBlock, scopesOf } from '../key/claims.ts'
import { nodeHashing } from '../key/dialects/node-sigv4.ts'
import { mintSession, type SessionCredentials } from '../key/dialects/session.ts'
import type { RawPair } from '../key/dialects/sigv4.ts'
import { MAX_EXPIRES_SECONDS } from '../key/dialects/sigv4-claim.ts'
import { postForm, presign, type SigV4Credential } from '../key/dialects/sigv4-presign.ts'
import { nodeMac } from '../key/node-mac.ts'
import { bucketOf, type ObjectPath, type Prefix, targetOf } from '../key/object-path.ts'
import type { Seconds, UnixSeconds } from '../key/units.ts'
import { type MintContext, type Minted, randomId } from './mint.ts'
import { firstBlockFrom, type MintOptions, type Mistake, OptionsError } from './options.ts'

export interface S3MintContext extends Omit<MintContext, 'signingKey'> {
  readonly credential: SigV4Credential
  readonly region: string
}

export interface PresignedUrl {
  readonly url: string
  readonly method: string
  readonly path: string
  readonly expires: UnixSeconds
}

export interface PresignedForm {
  /** where the form is sent to */
  readonly url: string
  /** before the field "file", each as it is */
  readonly fields: Readonly<Record<string, string>>
  readonly path: string
  readonly expires: UnixSeconds
}

/** What each option is called that a claim comes from. */
const OPTION_OF: Partial<Record<Claim, string>> = {
  nbf: 'notBefore',
  size: 'maxSize',
  types: 'types',
  sha256: 'sha256',
  uses: 'uses',
  ip: 'ip',
  origins: 'origins',
  headers: 'headers',
  tls: 'tls',
  sub: 'subject',
  match: 'match',
  respond: 'attachment',
  ttl: 'ttl',
}

type Claims = Omit<FirstBlock, 'kid'>

/**
 * A presigned URL. Unlike a key, it may replace an object: S3's do.
 * @throws OptionsError with every mistake
 */
export function presignedUrl(options: MintOptions, context: S3MintContext): PresignedUrl {
  const claims = claimsOf(options, context, ['types', 'sha256', 'headers', 'respond'])
  const [path, method] = [onlyPath(claims), onlyMethod(claims)]
  const isListing = method === 'LIST'
  if (!isListing && path.endsWith('/')) {
    throw mistake('path', 'must be one object, BUCKET/KEY, unless the method is LIST')
  }
  const verb = isListing ? 'GET' : method
  const url = presign(
    {
      ...context,
      method: verb,
      target: isListing ? `/${bucketOf(path)}` : targetOf(path),
      expires: claims.exp - context.now,
      query: isListing ? listingQuery(path) : responseQuery(claims),
      headers: headersOf(claims),
      ...(claims.sha256 !== undefined && { sha256: claims.sha256.toLowerCase() }),
    },
    nodeHashing,
  )
  return { url, method: verb, path, expires: claims.exp as UnixSeconds }
}

/**
 * The fields of a form that uploads an object, or one of any name beneath a prefix.
 * @throws OptionsError with every mistake
 */
export function presignedPost(options: MintOptions, context: S3MintContext): PresignedForm {
  const stated = options.methods === undefined ? { ...options, methods: 'PUT' } : options
  const claims = claimsOf(stated, context, ['size', 'types'])
  if (onlyMethod(claims) !== 'PUT') throw mistake('methods', 'must be PUT: a form uploads')
  const path = onlyPath(claims)
  const bucket = bucketOf(path)
  const key = path.slice(bucket.length + 1)
  const [type, secondType] = claims.types ?? []
  if (secondType !== undefined) throw mistake('types', 'can be one media range in a form')
  const isExact = type?.endsWith('*') === false
  const start = type?.replace(/\*(?:\/\*)?$/, '') ?? ''
  const fields = postForm(
    {
      ...context,
      bucket,
      key: path.endsWith('/') ? `${key}\${filename}` : key,
      expires: claims.exp as UnixSeconds,
      fields: isExact ? { 'Content-Type': type } : {},
      conditions: [
        ...(isExact ? [] : [['starts-with', '$Content-Type', start]]),
        ...(claims.size ? [['content-length-range', ...claims.size]] : []),
      ],
    },
    nodeHashing,
  )
  const url = `${context.publicUrl.replace(/\/+$/, '')}/${bucket}`
  return { url, fields, path, expires: claims.exp as UnixSeconds }
}

export interface MintedCredentials extends Pick<Minted, 'id' | 'path' | 'methods' | 'expires'> {
  readonly credentials: SessionCredentials
  /** block 0 of the session token */
  readonly claims: FirstBlock
}

/**
 * Temporary credentials that can do what a key of these options could.
 * @throws OptionsError with every mistake
 */
export function s3Credentials(
  options: MintOptions,
  context: Omit<MintContext, 'publicUrl'>,
): MintedCredentials {
  const { signingKey, now, defaultLife, maxLife } = context
  const id = (context.randomId ?? randomId)()
  const claims = firstBlockFrom(options, { now, defaultLife, maxLife, id })
  const credentials = mintSession(claims, signingKey, nodeMac)
  const { jti, path, methods } = claims
  return {
    id: jti,
    path,
    methods,
    expires: credentials.expires,
    credentials,
    claims: { kid: signingKey.kid, ...claims, aud: 'sigv4' },
  }
}

// ── options ─────────────────────────────────────────────────────────────────

function claimsOf(
  options: MintOptions,
  { now, defaultLife, maxLife }: S3MintContext,
  sayable: readonly Claim[],
): Claims {
  const most = Math.min(maxLife, MAX_EXPIRES_SECONDS) as Seconds
  const claims = firstBlockFrom(options, { now, defaultLife, maxLife: most, id: randomId() })
  const mistakes = Object.entries(OPTION_OF)
    .filter(([claim]) => claims[claim as Claim & keyof Claims] !== undefined)
    .filter(([claim]) => !sayable.includes(claim as Claim))
    .map(([, option]) => unsayable(option))
  if (options.id !== undefined) mistakes.push(unsayable('id'))
  if (mistakes.length > 0) throw new OptionsError(mistakes)
  return claims
}

const unsayable = (option: string): Mistake => ({
  option,
  message:
    'can not be said in this form of S3: state it for the access key instead (valetkey keys create --kind s3), or mint a key',
})

const mistake = (option: string, message: string): OptionsError =>
  new OptionsError([{ option, message }])

function onlyPath({ path }: Claims): ObjectPath | Prefix {
  const [only = '/', second] = scopesOf(path)
  if (second !== undefined || only === '/') {
    throw mistake('path', 'must be one object, BUCKET/KEY, or BUCKET/PREFIX/')
  }
  return only as ObjectPath | Prefix
}

function onlyMethod({ methods }: Claims): string {
  const [only, second] = methods
  if (only !== undefined && second === undefined) return only
  throw mistake('methods', 'must be one: a presigned URL is for one method')
}

const listingQuery = (path: string): readonly RawPair[] => {
  const prefix = path.slice(path.indexOf('/') + 1)
  return [['list-type', '2'], ...(prefix === '' ? [] : [['prefix', prefix] as const])]
}

const responseQuery = ({ respond = {} }: Claims): readonly RawPair[] =>
  Object.entries(respond).map(([name, value]) => [`response-${name}`, value ?? ''])

/** What is signed must be sent: a type of uploads becomes the header that states it. */
function headersOf({ headers = {}, types }: Claims): Readonly<Record<string, string>> {
  const [type, second] = types ?? []
  if (second !== undefined || type?.endsWith('*')) {
    throw mistake('types', 'must be one media type, such as image/png, in a presigned URL')
  }
  const stated = Object.entries(headers).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  )
  return { ...Object.fromEntries(stated), ...(type !== undefined && { 'content-type': type }) }
}
