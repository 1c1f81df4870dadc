/** Routes as OpenAPI 3.1: each with all that it may answer, refusals by their status. */
import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi'
import { REFUSALS, type RefusalCode } from '../../key/refusal.ts'
import type { Access, Route } from './route.ts'
import { Problem } from './schemas.ts'

const SCHEME = 'bearer'

export const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'valetkey issuer',
    version: '1',
    description:
      'Mints, narrows and revokes keys. Private: whoever holds the admin token can mint any key.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  // wherever this document was fetched from
  servers: [{ url: '/' }],
}

export function registerSecurity(registry: OpenAPIHono['openAPIRegistry']): void {
  registry.registerComponent('securitySchemes', SCHEME, {
    type: 'http',
    scheme: 'bearer',
    description: 'The admin token; to narrow a key, that key.',
  })
}

const AUTHORISED: readonly RefusalCode[] = [
  'key_missing',
  'key_ambiguous',
  'key_malformed',
  'token_invalid',
  'signature_invalid',
  'key_expired',
  'key_revoked',
  // of a session of the console
  'origin_not_granted',
]

/** What a route may refuse for who is asking. */
const REFUSED_BY_ACCESS: { readonly [A in Access]: readonly RefusalCode[] } = {
  open: [],
  admin: [...AUTHORISED, 'method_not_granted'],
  holder: AUTHORISED,
  scraper: [...AUTHORISED, 'method_not_granted'],
}

export function describeRoute(route: Route): RouteConfig {
  const { name, method, path, summary, access, params, query, body } = route
  return {
    operationId: name,
    method,
    path,
    summary,
    security: access === 'open' ? [] : [{ [SCHEME]: [] }],
    request: {
      ...(params && { params: params as never }),
      ...(query && { query: query as never }),
      ...(body && { body: { content: { 'application/json': { schema: body.schema } } } }),
    },
    responses: { ...successOf(route), ...refusalsOf(route) },
  }
}

function successOf({ success: { status, description, schema } }: Route): RouteConfig['responses'] {
  const content = schema && { 'application/json': { schema } }
  return { [status]: { description, ...(content && { content }) } }
}

function refusalsOf(route: Route): RouteConfig['responses'] {
  const codes = new Set<RefusalCode>([...REFUSED_BY_ACCESS[route.access], ...route.refusals])
  if (route.access !== 'open') codes.add('unavailable')
  if (route.params || route.query || route.body) codes.add('request_malformed')
  if (route.params || route.query) codes.add('uri_too_long').add('headers_too_large')
  if (route.body) codes.add('too_large').add('incomplete_body')
  const responses: RouteConfig['responses'] = {}
  for (const status of new Set([...codes].map((code) => REFUSALS[code].status))) {
    const named = [...codes].filter((code) => REFUSALS[code].status === status)
    responses[status] = {
      description: named.join(', '),
      content: { 'application/problem+json': { schema: Problem } },
    }
  }
  return responses
}
