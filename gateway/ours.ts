/** Everything under `/-/`: not objects, but the gateway itself. */
import { Hono } from 'hono'
import { REFUSALS } from '../key/refusal.ts'
import type { Trouble } from './store/store.ts'

/** Why the gateway should get no new requests; empty while it should. */
export type Readiness = () => Promise<readonly Trouble[]>

export function makeOurs(readiness: Readiness): Hono {
  const ours = new Hono()
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
  ours.notFound((c) => {
    const { title, status } = REFUSALS.resource_not_found
    const code = 'resource_not_found'
    const body = {
      type: `urn:valetkey:refusal:${code}`,
      title,
      status,
      code,
      detail: `there is nothing at ${c.req.path}`,
    }
    return c.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' })
  })
  return ours
}
