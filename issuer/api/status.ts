/** `/v1/status`: how things stand, in more words than a probe needs. */
import type { Issuer } from './route.ts'
import { type Route, route } from './route.ts'
import * as schemas from './schemas.ts'

const PATIENCE = 2000

interface Condition {
  readonly ok: boolean
  readonly detail?: string
}

const showStatus = route({
  name: 'showStatus',
  method: 'get',
  path: '/v1/status',
  summary: 'Ledger, audit, gateway and versions',
  access: 'admin',
  success: { status: 200, description: 'how they are', schema: schemas.Status },
  refusals: [],
  async answer({ issuer, now }) {
    const { ledger, audit, publicUrl, version, settings } = issuer
    const body = {
      version,
      node: process.version,
      now,
      startedAt: Math.round(now - process.uptime()),
      publicUrl,
      ledger: conditionOf(ledger.failure()?.message),
      audit: conditionOf(audit.trouble()?.detail),
      gateway: await gatewayOf(issuer),
      defaultExpires: Math.min(settings.defaultExpires, settings.maxExpires),
      maxExpires: settings.maxExpires,
    }
    return { status: 200, body }
  },
})

export const statusRoutes: readonly Route[] = [showStatus]

const conditionOf = (trouble: string | undefined): Condition =>
  trouble === undefined ? { ok: true } : { ok: false, detail: trouble }

async function gatewayOf({ publicUrl }: Issuer): Promise<Condition> {
  const url = `${publicUrl.replace(/\/$/, '')}/-/ready`
  try {
    const signal = AbortSignal.timeout(PATIENCE)
    const response = await fetch(url, { signal, redirect: 'error' })
    if (response.ok) return { ok: true }
    return { ok: false, detail: `${url} answered ${response.status}` }
  } catch (error) {
    const { cause, message } = error as Error
    const why = cause instanceof Error ? cause.message : message
    return { ok: false, detail: `${url} does not answer here: ${why}` }
  }
}
