/**
 * The issuer as a Hono app: a request is given an id, checked, authorised, answered, logged. What is
 * served comes from a table of routes, and the OpenAPI document from the same one.
 */
import type { HttpBindings } from '@hono/node-server'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Actor } from '../audit/acts.ts'
import { asJson, withoutKeys } from '../audit/text.ts'
import { traceIdOf } from '../audit/trace.ts'
import { Refusal, type RefusalCode } from '../key/refusal.ts'
import { auditRoutes } from './api/audit.ts'
import { checked, readJson, readQuery } from './api/body.ts'
import { type Caller, type CallerContext, callerOf } from './api/caller.ts'
import { healthRoutes } from './api/health.ts'
import { keyRoutes } from './api/keys.ts'
import { metricsRoutes } from './api/metrics.ts'
import { DOCUMENT, describeRoute, registerSecurity } from './api/openapi.ts'
import { headersOf, problemOf, refusalOf } from './api/problem.ts'
import { revocationRoutes } from './api/revocations.ts'
import type { Issuer, Route } from './api/route.ts'
import { ruleRoutes } from './api/rules.ts'
import { signingKeyRoutes } from './api/signing-keys.ts'
import { statusRoutes } from './api/status.ts'
import { storageRoutes } from './api/storage.ts'
import { auditedLedger } from './audited-ledger.ts'
import { addPages, PAGE_PATHS } from './console/pages.ts'
import { sessionRoutes } from './console/session-routes.ts'
import { randomId } from './mint.ts'

export const ROUTES: readonly Route[] = [
  ...keyRoutes,
  ...revocationRoutes,
  ...signingKeyRoutes,
  ...ruleRoutes,
  ...auditRoutes,
  ...storageRoutes,
  ...statusRoutes,
  ...sessionRoutes,
  ...metricsRoutes,
  ...healthRoutes,
]

type Params = Readonly<Record<string, string>>

interface Env {
  Bindings: HttpBindings
  Variables: {
    requestId: string
    caller: Caller
    route: string
    params: Params
    /** of the refusal */
    code: RefusalCode
  }
}

const DOCUMENT_PATH = '/openapi.json'
const MAX_TARGET_LENGTH = 8192
const MAX_HEADERS = 100

export function createIssuer(issuer: Issuer): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>()
  app.onError((error, c) => refused(refusalOf(error), c))
  app.notFound((c) => refused(new Refusal('resource_not_found', 'nothing is served here'), c))
  app.use(async (c, next) => {
    const started = performance.now()
    c.set('requestId', randomId())
    await next()
    finish(c)
    const milliseconds = Math.round(performance.now() - started)
    noteRequest(c, issuer, milliseconds)
    logRequest(c, issuer, milliseconds)
  })
  app.use(async (c, next) => {
    checkRequest(c.env.incoming)
    await next()
  })
  registerSecurity(app.openAPIRegistry)
  for (const route of ROUTES) {
    app.openAPIRegistry.registerPath(describeRoute(route))
    app.on(route.method, routerPath(route.path), (c) => serve(route, issuer, c))
  }
  const document = app.getOpenAPI31Document(DOCUMENT)
  app.get(DOCUMENT_PATH, (c) => c.json(document))
  addPages(app)
  refuseOtherMethods(app)
  return app
}

/** Who asks comes first: nobody learns what is wrong with a request they may not make. */
async function serve(route: Route, issuer: Issuer, c: Context<Env>): Promise<Response> {
  c.set('route', route.path)
  const { incoming } = c.env
  const now = issuer.now()
  const caller = await admitted(route, { ...issuer, now }, c)
  const params: Params = route.params ? checked(route.params, c.req.param()) : {}
  c.set('params', params)
  const query = route.query && checked(route.query, readQuery(incoming.url ?? ''))
  const body = route.body?.read(await readJson(incoming))
  const ledger = auditedLedger(issuer.ledger, issuer.audit, actorOf(c))
  const answer = await route.answer({
    issuer: { ...issuer, ledger },
    caller,
    incoming,
    now,
    params,
    query,
    body,
  })
  if (answer.events !== undefined) return streamed(answer.events)
  if (answer.text !== undefined) {
    return c.body(answer.text, 200, { 'Content-Type': answer.type ?? 'text/plain' })
  }
  if (answer.location !== undefined) c.header('Location', answer.location)
  if (answer.cookie !== undefined) c.header('Set-Cookie', answer.cookie)
  return answer.status === 204 ? c.body(null, 204) : c.json(answer.body as object, answer.status)
}

/** @throws Refusal where the caller may not make such requests */
async function admitted(
  route: Route,
  context: CallerContext & Pick<Issuer, 'metrics'>,
  c: Context<Env>,
): Promise<Caller> {
  const isOpen = route.access === 'scraper' && context.metrics.public
  if (route.access === 'open' || isOpen) return { kind: 'anybody' }
  const caller = await callerOf(c.env.incoming, context)
  c.set('caller', caller)
  if (route.access === 'holder' || caller.kind === 'admin') return caller
  throw new Refusal(
    'method_not_granted',
    'a key can be narrowed here, with POST /v1/keys; this needs the admin token',
  )
}

/** @throws Refusal of a request that nobody could mean well */
function checkRequest({ url = '', rawHeaders }: HttpBindings['incoming']): void {
  if (url.length > MAX_TARGET_LENGTH) {
    const detail = `a request target is at most ${MAX_TARGET_LENGTH} characters long`
    throw new Refusal('uri_too_long', detail)
  }
  if (rawHeaders.length / 2 > MAX_HEADERS) {
    throw new Refusal('headers_too_large', `a request has at most ${MAX_HEADERS} header fields`)
  }
  // no path here needs an escape; with one, this check and the router could read it differently
  const [path = ''] = url.split('?')
  if (!/^(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/.test(path) && path !== '/') {
    throw new Refusal('path_malformed', `paths here are plain, such as ${DOCUMENT_PATH}`)
  }
}

function refuseOtherMethods(app: OpenAPIHono<Env>): void {
  const pages = [DOCUMENT_PATH, ...PAGE_PATHS].map((path) => ({ method: 'get', path }))
  const served = [...ROUTES, ...pages]
  for (const path of new Set(served.map((route) => route.path))) {
    const allowed = served
      .filter((route) => route.path === path)
      .map(({ method }) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase()))
      .join(', ')
    app.all(routerPath(path), (c) => {
      c.header('Allow', allowed)
      return refused(new Refusal('method_not_allowed', `this path takes ${allowed}`), c)
    })
  }
}

/** `/v1/keys/{id}` as the router writes it. */
const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

/** A refusal where there is no request to answer. */
export function problemWithout(refusal: Refusal): {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
} {
  const requestId = randomId()
  const { status, ...problem } = problemOf(refusal, requestId)
  const headers = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
  }
  return { status, headers, body: JSON.stringify({ ...problem, status }) }
}

function refused(refusal: Refusal, c: Context<Env>): Response {
  c.set('code', refusal.code)
  const problem = problemOf(refusal, c.get('requestId'))
  for (const [name, value] of Object.entries(headersOf(refusal))) c.header(name, value)
  c.header('Content-Type', 'application/problem+json')
  return c.body(JSON.stringify(problem), refusal.status as 400)
}

function finish(c: Context<Env>): void {
  const { headers } = c.res
  headers.set('X-Request-Id', c.get('requestId'))
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store')
  headers.set('X-Content-Type-Options', 'nosniff')
  // a body that nobody will read must not be mistaken for the next request, nor be waited for
  const { complete, headers: sent } = c.env.incoming
  const hasBody = sent['content-length'] !== undefined || sent['transfer-encoding'] !== undefined
  if (hasBody && !complete) headers.set('Connection', 'close')
}

function streamed(events: AsyncGenerator<string>): Response {
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await events.next()
      if (done === true) controller.close()
      else controller.enqueue(new TextEncoder().encode(value))
    },
    async cancel() {
      await events.return(undefined)
    },
  })
  return new Response(stream, { headers: { 'Content-Type': 'text/event-stream' } })
}

const whoOf = (caller: Caller | undefined): string =>
  caller?.kind === 'holder' ? `key ${caller.grant.id}` : (caller?.kind ?? 'unknown')

const addressOf = ({ incoming }: HttpBindings): string => incoming.socket.remoteAddress ?? ''

const actorOf = (c: Context<Env>): Actor => ({
  by: 'issuer',
  id: c.get('requestId'),
  who: whoOf(c.get('caller')),
  address: addressOf(c.env),
})

/** Probes, scrapes and pages are not noted: they ask nothing of anybody. */
function noteRequest(c: Context<Env>, { audit }: Issuer, ms: number): void {
  if (c.var.route?.startsWith('/-/') || c.var.route === '/metrics') return
  const { status } = c.res
  const [raw = ''] = (c.env.incoming.url ?? '').split('?')
  const isPage = raw.startsWith('/assets/') || [DOCUMENT_PATH, ...PAGE_PATHS].includes(raw)
  if (isPage && status < 400) return
  const path = withoutKeys(raw)
  const code = status < 400 ? {} : { code: c.var.code }
  const { caller } = c.var
  const keys = caller?.kind === 'holder' ? { keys: caller.grant.ids } : {}
  const trace = traceIdOf(c.req.header('traceparent'))
  const asked = { act: c.req.method, path, ...keys, status, ...code, ms, ...(trace && { trace }) }
  const record = { kind: 'request', ...actorOf(c), ...asked }
  audit.note(asJson(record).slice(1, -1))
}

/** By allowlist: no query, no header, no body, and of the path what is known to be no secret. */
function logRequest(c: Context<Env>, { log }: Issuer, milliseconds: number): void {
  const { requestId, caller, route = 'none', params = {} } = c.var
  const who = whoOf(caller)
  const { status } = c.res
  const trace = traceIdOf(c.req.header('traceparent'))
  const asked = { method: c.req.method, route, ...params, status, milliseconds, who }
  const entry = { requestId, ...asked, ...(trace && { trace }) }
  if (status < 500) log.info(entry, 'request')
  else log.error({ ...entry, err: causeOf(c.error) }, 'request failed')
}

const causeOf = (error: Error | undefined): unknown => error?.cause ?? error
