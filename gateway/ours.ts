/** Everything under `/-/`: not objects, but the gateway itself. */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { Refusal } from '../key/refusal.ts'
import { nextId } from './exchange.ts'
import type { Verdict } from './forward-auth.ts'
import { addPages } from './pages/pages.ts'
import { problemFor, problemOf } from './protocols/problem.ts'
import type { Trouble } from './store/store.ts'

/** Why the gateway should get no new requests; empty while it should. */
export type Readiness = () => Promise<readonly Trouble[]>

export type Judge = (incoming: HttpBindings['incoming']) => Promise<Verdict>

type Ours = Hono<{ Bindings: HttpBindings }>

/** @param basePath what a proxy may leave in front of the path; probes come without it */
export function makeOurs(basePath: string, readiness: Readiness, judge: Judge): Ours {
  const ours: Ours = new Hono()
  ours.use(async (c, next) => {
    await next()
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store')
    c.header('X-Content-Type-Options', 'nosniff')
  })
  const routes = routesOf(readiness, judge)
  ours.route('/', routes)
  if (basePath !== '') ours.route(basePath, routes)
  ours.notFound((c) => {
    const refusal = new Refusal('resource_not_found', `there is nothing at ${c.req.path}`)
    const id = nextId()
    const { headers, body } = problemFor(refusal, { id, incoming: c.env.incoming })
    for (const [at, name] of headers.entries()) if (at % 2 === 0) c.header(name, headers[at + 1])
    c.header('X-Request-Id', id)
    return c.body(body, 404)
  })
  return ours
}

function routesOf(readiness: Readiness, judge: Judge): Ours {
  const ours: Ours = new Hono()
  ours.get('/-/health', (c) => c.json({ status: 'ok' }))
  ours.get('/-/ready', async (c) => {
    const troubles = await readiness()
    return troubles.length === 0
      ? c.json({ status: 'ready' })
      : c.json({ status: 'unavailable', reasons: troubles }, 503)
  })
  ours.all('/-/auth', async (c) => {
    const verdict = await judge(c.env.incoming)
    if (verdict.status !== 204) return problem(verdict.status, verdict.refusal)
    c.header('X-Valetkey-Id', verdict.id)
    // stated in any case: some proxies would pass on what the client says in its place
    c.header('X-Valetkey-Subject', encodeURIComponent(verdict.subject ?? ''))
    return c.body(null, 204)
  })
  addPages(ours)
  return ours
}

/** @param status of `/-/auth`, where the proxies that ask understand few */
function problem(status: number, refusal: Refusal): Response {
  const id = nextId()
  const { body } = problemOf(refusal, id)
  return new Response(body, {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'X-Request-Id': id },
  })
}
