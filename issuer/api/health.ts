/** `/-/health`, `/-/ready`: for probes. */
import { Refusal } from '../../key/refusal.ts'
import { type Route, route } from './route.ts'
import * as schemas from './schemas.ts'

const health = route({
  name: 'isAlive',
  method: 'get',
  path: '/-/health',
  summary: 'Whether the process answers',
  access: 'open',
  success: { status: 200, description: 'it does', schema: schemas.Health },
  refusals: [],
  async answer() {
    return { status: 200, body: { status: 'ok' } }
  },
})

const ready = route({
  name: 'isReady',
  method: 'get',
  path: '/-/ready',
  summary: 'Whether keys can be minted and revoked now',
  access: 'open',
  success: { status: 200, description: 'they can', schema: schemas.Health },
  refusals: ['unavailable'],
  async answer({ issuer: { ledger, audit } }) {
    const untold = audit.trouble()
    if (untold !== undefined) throw new Refusal('unavailable', untold.detail, { cause: untold })
    const failure = ledger.failure()
    if (failure === undefined) return { status: 200, body: { status: 'ok' } }
    throw new Refusal('unavailable', 'the ledger can not write; the log says why', {
      cause: failure,
    })
  },
})

export const healthRoutes: readonly Route[] = [health, ready]
