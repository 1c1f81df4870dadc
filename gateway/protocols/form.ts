/**
 * Uploads by an HTML form without script: POST /BUCKET/ or /BUCKET/PREFIX/, as multipart/form-data.
 * Whose form it is, its fields say: with those of a signed policy it is one of S3, else it is ours, with
 * its key in the field `vk` or where other requests show theirs.
 */
import { grantsOrigin } from '../../key/clear.ts'
import { isMediaType } from '../../key/media-type.ts'
import {
  keyOfForm,
  type ObjectPath,
  type Prefix,
  parseObjectPath,
  parseTarget,
} from '../../key/object-path.ts'
import { Refusal } from '../../key/refusal.ts'
import type { Grant } from '../../key/sign.ts'
import { attemptOf } from '../attempt.ts'
import { Digester, etagOf } from '../body/digest.ts'
import { type Form, readForm } from '../body/form.ts'
import type { Exchange } from '../exchange.ts'
import { isForm, type RawRequest } from '../request.ts'
import { respond, respondJson } from '../respond.ts'
import type { Services } from '../services.ts'
import type { Committed } from '../store/store.ts'
import { DEFAULT_TYPE, put } from '../verbs/put.ts'
import { claimOf, showsKey } from './claim.ts'
import { describe, locationOf, native } from './native.ts'
import { problemFor } from './problem.ts'
import type { Protocol } from './protocol.ts'
import { servePostForm } from './s3/post-form.ts'
import { s3ProblemOf } from './s3/problem.ts'

export const form: Protocol = {
  ...native,
  name: 'form',
  recognises: isForm,
  serve,
  problemOf: (refusal, exchange) =>
    (exchange.isFormOfS3 ? s3ProblemOf : problemFor)(refusal, exchange),
}

async function serve(request: RawRequest, exchange: Exchange, services: Services): Promise<void> {
  // whatever follows the form is not read
  exchange.outgoing.shouldKeepAlive = false
  services.transfers.checkUploads()
  exchange.sendContinue()
  const type = request.headers.get('content-type') ?? ''
  const form = await readForm(exchange.incoming, type, (name) => {
    exchange.isFormOfS3 ||= services.s3.enabled && OF_S3.test(name)
  })
  if (fieldOf(form, 'vk') !== undefined) exchange.isFormOfS3 = false
  if (exchange.isFormOfS3) return servePostForm(form, request, exchange, services)
  await serveNative(form, keyOf(form, request), request, exchange, services)
}

/** Fields that only a form of S3 has, of Signature Version 4 or 2. */
const OF_S3 = /^(?:policy|x-amz-.*|awsaccesskeyid|signature)$/i

/** @throws Refusal key_missing, key_ambiguous */
function keyOf(form: Form, request: RawRequest): string {
  const stated = fieldOf(form, 'vk')
  if (!showsKey(request)) {
    if (stated !== undefined) return stated
    throw new Refusal('key_missing', 'the form has no field "vk" with a key before its file')
  }
  if (stated === undefined) return claimOf(request).key
  throw new Refusal('key_ambiguous', 'send one key only: in the field "vk", or with the request')
}

/** @throws Refusal request_malformed for a field that is there twice; key_ambiguous for the key */
function fieldOf({ fields }: Form, name: string): string | undefined {
  const [value, second] = fields.flatMap(([field, value]) => (field === name ? [value] : []))
  if (second === undefined) return value
  throw name === 'vk'
    ? new Refusal('key_ambiguous', 'the form has the field "vk" more than once')
    : new Refusal('request_malformed', `the form has the field "${name}" more than once`)
}

async function serveNative(
  form: Form,
  key: string,
  request: RawRequest,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  const { gatekeeper, clock } = services
  const grant = await gatekeeper.verify({ key })
  exchange.grant = grant
  const path = pathOf(form, request)
  const wanted = { method: 'PUT', path, upload: { type: typeOf(form) } } as const
  const attempt = attemptOf(wanted, request, exchange.client, clock.now())
  const admitted = await gatekeeper.admit(grant, attempt, exchange.id)
  const answer = answerOf(form, grant)
  const committed = await put(admitted, services, exchange, {
    condition: {},
    body: form.body,
    digest: new Digester([]),
    describe: ({ sha256 }) => ({ etag: etagOf(sha256) }),
  })
  answer(committed, exchange, services)
}

/** @throws Refusal path_malformed, request_malformed */
function pathOf(form: Form, { path }: RawRequest): ObjectPath {
  const folder = folderOf(path)
  if (form.fileName === '') throw new Refusal('request_malformed', 'no file was chosen')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so forms write it
  const key = keyOfForm(fieldOf(form, 'key') ?? '${filename}', form.fileName)
  return parseObjectPath(folder + key)
}

function folderOf(path: string): Prefix {
  const target = parseTarget(path)
  if (target.kind === 'prefix' && target.path !== '') return target.path
  throw new Refusal(
    'path_malformed',
    'a form is sent to a folder: POST /BUCKET/ or /BUCKET/PREFIX/',
  )
}

/** As the field says, else as the browser does. @throws Refusal request_malformed */
function typeOf(form: Form): string {
  const type = fieldOf(form, 'content-type') ?? (form.fileType || DEFAULT_TYPE)
  if (isMediaType(type)) return type
  throw new Refusal('request_malformed', 'the file is of a media type such as image/png')
}

// ── answering ───────────────────────────────────────────────────────────────

type Answer = (committed: Committed, exchange: Exchange, services: Services) => void

/**
 * What is to be answered when the file is there: a redirect, or a status.
 * @throws Refusal request_malformed, before anything is stored
 */
function answerOf(form: Form, grant: Grant): Answer {
  const redirect = fieldOf(form, 'redirect') ?? fieldOf(form, 'success_action_redirect')
  const status = fieldOf(form, 'success_action_status')
  if (redirect !== undefined) return redirectTo(redirect, grant)
  if (status !== undefined && !['200', '201', '204'].includes(status)) {
    throw new Refusal('request_malformed', 'success_action_status is 200, 201 or 204')
  }
  return ({ info, created }, exchange, services) => {
    const facts = ['ETag', info.etag, 'Location', locationOf(info, services)]
    if (status === '204') return respond(exchange, services, 204, facts)
    const usual = created ? 201 : 200
    respondJson(exchange, services, status ? Number(status) : usual, facts, describe(info))
  }
}

/** Nobody's: what leads to each of them, resolved against it, is a path of ours. */
const [HERE, OR_HERE] = ['http://a.invalid', 'http://b.invalid'] as const

/** To a path of this origin, or to an origin that the key names. */
function redirectTo(stated: string, grant: Grant): Answer {
  const url = URL.canParse(stated, HERE) ? new URL(stated, HERE) : undefined
  const isHere = url?.origin === HERE && new URL(stated, OR_HERE).origin === OR_HERE
  if (url === undefined || !(isHere ? isPathOnly(url) : isGranted(url, grant))) {
    throw new Refusal(
      'request_malformed',
      'the form redirects to a path here, such as /thanks, or to an origin that the key names',
    )
  }
  return ({ info: { path, etag } }, exchange, services) => {
    url.searchParams.append('path', path)
    url.searchParams.append('etag', etag)
    const location = isHere ? url.href.slice(HERE.length) : url.href
    respond(exchange, services, 303, ['Location', location, 'ETag', etag], '')
  }
}

/** RFC 3986 §4.2: what begins with two slashes names a host; so "/.//evil.example" would. */
const isPathOnly = ({ pathname }: URL): boolean => !pathname.startsWith('//')

/** The origin of "blob:https://app.example.com/x" is that of a page, which is not where it leads. */
const isGranted = ({ origin, href }: URL, grant: Grant): boolean =>
  href.startsWith(`${origin}/`) && grantsOrigin(grant, origin)
