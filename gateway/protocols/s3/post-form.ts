/**
 * Uploads by a form with a signed policy. Source: "POST Object", Amazon S3 API Reference.
 */
import { claimPost } from '../../../key/dialects/post-policy.ts'
import {
  bucketOf,
  type ObjectPath,
  parseS3Target,
  s3TargetOf,
  targetOf,
} from '../../../key/object-path.ts'
import { Refusal } from '../../../key/refusal.ts'
import { attemptOf } from '../../attempt.ts'
import { Checksummer, statedChecksums } from '../../body/checksums.ts'
import type { Form } from '../../body/form.ts'
import type { Exchange } from '../../exchange.ts'
import type { Headers, RawRequest } from '../../request.ts'
import type { Services } from '../../services.ts'
import type { ObjectInfo } from '../../store/store.ts'
import { put } from '../../verbs/put.ts'
import { S3Digest } from './body.ts'
import { answer, answerXml } from './call.ts'
import { invalidArgument, notImplemented, S3Refusal } from './errors.ts'
import { metaStated, tagsStated, typeStated } from './metadata.ts'
import { withChecksums } from './objects.ts'
import { bucketOfHost, checkHeaders, headerOfText } from './request.ts'
import { addressesFor } from './verify.ts'

/** @param form as far as its file */
export async function servePostForm(
  form: Form,
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  const bucket = bucketOfForm(request, exchange, services)
  const claimed = claimPost(form.fields)
  if (claimed === undefined) {
    throw new Refusal('key_missing', 'the form has no policy, and no key of another kind')
  }
  const found = await services.gatekeeper.verifyPost(claimed, { bucket, fileName: form.fileName })
  exchange.grant = found.grant
  const { fields } = claimed
  const headers = headersOfFields(fields)
  const redirect = redirectOf(fields, services)
  const target = s3TargetOf(bucket, found.key)
  if (target.kind !== 'object') throw invalidArgument('the field "key" names an object')
  const upload = { type: typeStated(headers) }
  const attempt = attemptOf(
    { method: 'PUT', path: target.path, upload },
    request,
    exchange.client,
    services.clock.now(),
  )
  const admitted = await services.gatekeeper.admit(found.grant, attempt, exchange.id)
  const { info } = await put(admitted, services, exchange, await putRequestOf(form, headers))
  respondTo(fields, redirect, info, exchange, services)
}

/**
 * The bucket of a virtual-host style form is that of the host, which nobody has signed: the policy
 * must name it, whichever way it is stated.
 */
function bucketOfForm(request: RawRequest, exchange: Exchange, services: Services): string {
  const hosts = addressesFor(request, exchange, services).map(({ host }) => host)
  const fromHost = hosts.map((host) => bucketOfHost(host, services.publicUrls))
  const bucket = fromHost.find((name) => name !== undefined)
  const target = parseS3Target(request.path.replace(/\/$/, '') || '/', bucket)
  if (target.kind === 'bucket') return target.bucket
  throw new S3Refusal('MethodNotAllowed', 'a form is sent to its bucket: POST /BUCKET')
}

/** The fields that S3 takes for headers, by the headers' names. */
function headersOfFields(fields: ReadonlyMap<string, string>): Headers {
  if (fields.has('tagging')) throw notImplemented('the form field "tagging"')
  const renamed = [...fields].map(
    ([name, value]) => [name === 'acl' ? 'x-amz-acl' : name, headerOfText(value)] as const,
  )
  const headers = new Map(renamed.filter(([name]) => !SIGNING.has(name)))
  checkHeaders(headers)
  return headers
}

const SIGNING: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-signature',
])

async function putRequestOf(form: Form, headers: Headers) {
  const header = (name: string) => headers.get(name)
  const stated = statedChecksums({ header, hoisted: new Map(), trailers: [] })
  const checksummer = await Checksummer.start(stated)
  const digest = new S3Digest(headers, { kind: 'unsigned' }, checksummer, () => undefined)
  const tags = tagsStated(headers)
  const meta = { ...metaStated(headers), ...(tags !== undefined && { tags }) }
  return {
    condition: {},
    body: form.body,
    digest,
    describe: () => ({ etag: digest.etag, ...withChecksums(meta, digest.checksums) }),
  }
}

// ── answering ───────────────────────────────────────────────────────────────

/** @throws S3Refusal InvalidArgument for an origin that is not configured */
function redirectOf(fields: ReadonlyMap<string, string>, { s3 }: Services): URL | undefined {
  const stated = fields.get('success_action_redirect') ?? fields.get('redirect')
  if (stated === undefined) return undefined
  const url = URL.canParse(stated) ? new URL(stated) : undefined
  // "blob:https://app.example.com/x" has an origin as well
  const leadsTo = url?.href.startsWith(`${url.origin}/`) ? url.origin : undefined
  if (leadsTo !== undefined && s3.redirectOrigins.includes(leadsTo)) return url
  throw invalidArgument(
    'success_action_redirect leads to an origin that this gateway is configured to redirect to',
  )
}

function respondTo(
  fields: ReadonlyMap<string, string>,
  redirect: URL | undefined,
  { path, etag }: ObjectInfo,
  exchange: Exchange,
  services: Services,
): void {
  const call = { exchange, services }
  const bucket = bucketOf(path)
  const key = path.slice(bucket.length + 1)
  const location = locationOf(path, services)
  const facts = ['ETag', etag, 'Location', location]
  if (redirect !== undefined) {
    for (const [name, value] of Object.entries({ bucket, key, etag })) {
      redirect.searchParams.append(name, value)
    }
    answer(call, 303, ['ETag', etag, 'Location', redirect.href])
    return
  }
  const status = fields.get('success_action_status')
  if (status !== '201') {
    answer(call, status === '200' ? 200 : 204, facts)
    return
  }
  answerXml(
    call,
    [
      'PostResponse',
      [
        ['Location', location],
        ['Bucket', bucket],
        ['Key', key],
        ['ETag', etag],
      ],
    ],
    facts,
    201,
  )
}

const locationOf = (path: ObjectPath, { publicUrls }: Services): string =>
  `${publicUrls[0] ?? ''}${targetOf(path)}`
