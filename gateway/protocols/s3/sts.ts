/**
 * The calls of STS that S3 clients make: temporary credentials, for those who have some already or
 * a token of an identity provider. Source: "AWS Security Token Service API Reference".
 */
import { createHash } from 'node:crypto'
import { METHODS, scopesOf } from '../../../key/claims.ts'
import { clear } from '../../../key/clear.ts'
import { parseSessionPolicy } from '../../../key/dialects/iam-policy.ts'
import { type SessionCredentials, sessionDuration } from '../../../key/dialects/session.ts'
import type { ObjectPath, Prefix } from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Grant } from '../../../key/sign.ts'
import { bytes, formatTime, type Seconds } from '../../../key/units.ts'
import { attemptOf } from '../../attempt.ts'
import { readSmall } from '../../body/small.ts'
import type { Exchange, FlatHeaders } from '../../exchange.ts'
import type { RawRequest } from '../../request.ts'
import { respond } from '../../respond.ts'
import type { Services } from '../../services.ts'
import type { SessionAsked } from '../../sessions.ts'
import type { Problem } from '../problem.ts'
import type { Protocol } from '../protocol.ts'
import { s3CodeOf, s3StatusOf } from './errors.ts'
import { claimOf, verified } from './verify.ts'
import { type Xml, xmlDocument } from './xml.ts'

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
/** A token, a policy, and what is encoded of them. */
const MAX_BODY = bytes(64 << 10)
/** AWS: "up to the maximum session duration … 12 hours" */
const MAX_SESSION = 43_200 as Seconds
/** There are no accounts. */
const ACCOUNT = '000000000000'

export const sts: Protocol = {
  name: 'sts',
  recognises: (request, { s3: { enabled } }) => enabled && isSts(request),
  serve,
  preflight: async () => undefined,
  problemOf,
}

/** No other protocol takes a form of this kind at the root. */
export const isSts = ({ method, path, headers }: RawRequest): boolean =>
  method === 'POST' &&
  path === '/' &&
  /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers.get('content-type') ?? '')

type Parameters = ReadonlyMap<string, string>

/** A request of STS, its body read. */
interface Question {
  readonly request: RawRequest
  readonly exchange: Exchange
  readonly services: Services
  readonly body: Buffer
  readonly parameters: Parameters
}

interface Action {
  /** beside Action and Version */
  readonly parameters: readonly string[]
  readonly answer: (question: Question) => Promise<readonly Xml[]>
}

const ACTIONS: Readonly<Record<string, Action>> = {
  GetCallerIdentity: { parameters: [], answer: callerIdentity },
  AssumeRole: {
    parameters: ['RoleArn', 'RoleSessionName', 'DurationSeconds', 'Policy'],
    answer: assumeRole,
  },
  GetFederationToken: {
    parameters: ['Name', 'DurationSeconds', 'Policy'],
    answer: federationToken,
  },
  AssumeRoleWithWebIdentity: {
    parameters: ['RoleArn', 'RoleSessionName', 'WebIdentityToken', 'DurationSeconds', 'Policy'],
    answer: webIdentity,
  },
}

async function serve(request: RawRequest, exchange: Exchange, services: Services): Promise<void> {
  exchange.sendContinue()
  const body = await readSmall(exchange.incoming, MAX_BODY)
  const parameters = parametersOf(body.toString('utf8'))
  const name = parameters.get('Action') ?? ''
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
  if (action === undefined) {
    throw malformed(`Action is one of ${Object.keys(ACTIONS).join(', ')}`)
  }
  const known = ['Action', 'Version', ...action.parameters]
  const foreign = [...parameters.keys()].find((parameter) => !known.includes(parameter))
  if (foreign !== undefined) {
    throw malformed(`the parameter "${foreign.slice(0, 64)}" of ${name} is not supported`)
  }
  const result = await action.answer({ request, exchange, services, body, parameters })
  const document = xmlDocument(
    [
      `${name}Response`,
      [
        [`${name}Result`, result],
        ['ResponseMetadata', [['RequestId', exchange.id]]],
      ],
    ],
    NAMESPACE,
  )
  respond(exchange, services, 200, headersOf(exchange), document)
}

const malformed = (detail: string): Refusal => new Refusal('request_malformed', detail)

const headersOf = ({ id }: Exchange): FlatHeaders => [
  ...['Content-Type', 'text/xml', 'Cache-Control', 'no-store', 'x-amzn-RequestId', id],
]

function parametersOf(text: string): Parameters {
  const pairs = [...new URLSearchParams(text)]
  const parameters = new Map(pairs)
  if (parameters.size === pairs.length) return parameters
  throw malformed('every parameter is there once')
}

// ── who asks ────────────────────────────────────────────────────────────────

interface Caller {
  readonly grant: Grant
  readonly sessionToken: string | undefined
}

/** Somebody with credentials that would be honoured now, for whatever it may be. */
async function callerOf({ request, exchange, services, body }: Question): Promise<Caller> {
  const claimed = claimOf(request)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const { grant, payload } = await verified(claimed, request, exchange, services, 'sts', sha256)
  const isSigned =
    payload.kind === 'sha256' ? payload.sha256 === sha256 : claimed.payloadHash === undefined
  if (!isSigned) throw new Refusal('signature_invalid', 'the body is not the one that was signed')
  const paths = grant.blocks.flatMap(({ path }) => (path === undefined ? [] : scopesOf(path)))
  const attempts = ['' as Prefix, ...(paths as (ObjectPath | Prefix)[])].flatMap((path) =>
    METHODS.map((method) =>
      attemptOf({ method, path }, request, exchange.client, services.clock.now()),
    ),
  )
  const [first] = attempts
  const granted = attempts.find((attempt) => clear(grant, attempt) === undefined) ?? first
  if (granted !== undefined) await services.gatekeeper.admit(grant, granted, exchange.id)
  return { grant, sessionToken: claimed.sessionToken }
}

// ── the actions ─────────────────────────────────────────────────────────────

async function callerIdentity(question: Question): Promise<readonly Xml[]> {
  const { grant } = await callerOf(question)
  return [
    ['Arn', `arn:aws:iam::${ACCOUNT}:user/${grant.subjects.at(-1) ?? grant.id}`],
    ['UserId', grant.id],
    ['Account', ACCOUNT],
  ]
}

async function assumeRole(question: Question): Promise<readonly Xml[]> {
  const name = nameStated(question.parameters, 'RoleSessionName')
  const credentials = await sessionOfCaller(question, name)
  return [credentialsXml(credentials), assumedXml(credentials, name)]
}

async function federationToken(question: Question): Promise<readonly Xml[]> {
  const name = nameStated(question.parameters, 'Name')
  const credentials = await sessionOfCaller(question, name)
  return [
    credentialsXml(credentials),
    [
      'FederatedUser',
      [
        ['Arn', `arn:aws:sts::${ACCOUNT}:federated-user/${name}`],
        ['FederatedUserId', `${ACCOUNT}:${name}`],
      ],
    ],
  ]
}

async function webIdentity(question: Question): Promise<readonly Xml[]> {
  const { parameters, services } = question
  const name = nameStated(parameters, 'RoleSessionName')
  const token = parameters.get('WebIdentityToken')
  if (token === undefined) throw malformed('WebIdentityToken is the token of the provider')
  const { credentials, identity } = await services.sessions.ofIdentity(token, asked(question))
  return [
    credentialsXml(credentials),
    ['SubjectFromWebIdentityToken', identity.subject],
    assumedXml(credentials, name),
    ['Provider', identity.issuer],
    ['Audience', identity.audience],
  ]
}

const asked = ({ parameters, services }: Question): Omit<SessionAsked, 'subject'> => {
  const policy = parameters.get('Policy')
  return {
    now: services.clock.now(),
    duration: sessionDuration(parameters.get('DurationSeconds'), MAX_SESSION),
    ...(policy !== undefined && { policy: parseSessionPolicy(policy) }),
  }
}

async function sessionOfCaller(question: Question, subject: string): Promise<SessionCredentials> {
  const { grant, sessionToken } = await callerOf(question)
  const request = { ...asked(question), subject }
  return question.services.sessions.ofCaller(grant, sessionToken, request)
}

/** "characters consisting of upper- and lower-case alphanumeric characters … =,.@-" */
function nameStated(parameters: Parameters, name: string): string {
  const value = parameters.get(name) ?? ''
  if (/^[\w+=,.@-]{2,64}$/.test(value)) return value
  throw malformed(`${name} is 2 to 64 of A-Z a-z 0-9 _ + = , . @ -`)
}

const credentialsXml = (credentials: SessionCredentials): Xml => [
  'Credentials',
  [
    ['AccessKeyId', credentials.accessKeyId],
    ['SecretAccessKey', credentials.secretAccessKey],
    ['SessionToken', credentials.sessionToken],
    ['Expiration', formatTime(credentials.expires)],
  ],
]

const assumedXml = ({ accessKeyId }: SessionCredentials, name: string): Xml => [
  'AssumedRoleUser',
  [
    ['AssumedRoleId', `${accessKeyId}:${name}`],
    ['Arn', `arn:aws:sts::${ACCOUNT}:assumed-role/valetkey/${name}`],
  ],
]

// ── refusals ────────────────────────────────────────────────────────────────

function problemOf(refusal: Refusal, exchange: Exchange): Problem {
  const code = s3CodeOf(refusal)
  const status = s3StatusOf(code)
  const body = xmlDocument(
    [
      'ErrorResponse',
      [
        [
          'Error',
          [
            ['Type', status >= 500 ? 'Receiver' : 'Sender'],
            ['Code', code],
            ['Message', refusal.detail],
          ],
        ],
        ['RequestId', exchange.id],
      ],
    ],
    NAMESPACE,
  )
  return { status, headers: headersOf(exchange), body }
}
