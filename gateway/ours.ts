/** Everything under `/-/`: not objects, but the gateway itself. */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { Refusal } from '../key/refusal.ts'
import type { Verdict } from './forward-auth.ts'
import type { Trouble } from './store/store.ts'

/** Why the gateway should get no new requests; empty while it should. */
export type Readiness = () => Promise<readonly Trouble[]>

export type Judge = (incoming: HttpBindings['incoming']) => Promise<Verdict>

export function makeOurs(readiness: Readiness, judge: Judge): Hono<{ Bindings: HttpBindings }> {
  const ours = new Hono<{ Bindings: HttpBindings }>()
  ours.use(async (c, next) => {
    await next()
    c.header('Cache-Control', 'no-store')
    c.header('X-Content-Type-Options', 'nosniff')
  })
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
    if (verdict.subject !== undefined) {
      c.header('X-Valetkey-Subject', encodeURIComponent(verdict.subject))
    }
    return c.body(null, 204)
  })
  ours.notFound((c) =>
    problem(404, new Refusal('resource_not_found', `there is nothing at ${c.req.path}`)),
  )
  return ours
}

function problem(status: number, { code, title, detail }: Refusal): Response {
  const body = { type: `urn:valetkey:refusal:${code}`, title, status, code, detail }
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: { 'content-type': 'application/problem+json' },
  })
}
