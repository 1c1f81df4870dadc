/** `/v1/revocations`: revoke by id, link, subject, path, signing key or moment; and what is in force. */
import type { z } from '@hono/zod-openapi'
import type { UnixSeconds } from '../../key/units.ts'
import { timeOf } from '../option-values.ts'
import { OptionsError } from '../options.ts'
import { type RevocationTarget, revoke } from '../revoke.ts'
import { revokeSigningKey } from '../signing-keys.ts'
import { asking } from './problem.ts'
import { bodyOf, type Route, route } from './route.ts'
import * as schemas from './schemas.ts'

type Request = z.output<typeof schemas.RevocationRequest>

const addRevocation = route({
  name: 'addRevocation',
  method: 'post',
  path: '/v1/revocations',
  summary: 'Revoke keys, in force when the answer comes',
  access: 'admin',
  body: bodyOf(schemas.RevocationRequest),
  success: { status: 201, description: 'what is in force now', schema: schemas.Revocation },
  refusals: ['resource_not_found', 'key_malformed', 'key_ambiguous', 'signature_invalid'],
  async answer({ body, issuer, now }) {
    const { ledger, keyring } = issuer
    const { reason, signingKey } = body
    if (signingKey !== undefined) {
      await asking(() => revokeSigningKey(signingKey, { ...issuer, now }))
      const revoked = { kind: 'signingKey', value: signingKey, revokedAt: now }
      return { status: 201, body: { ...revoked, ...(reason !== undefined && { reason }) } }
    }
    const target = targetOf(body, now)
    const context = { ledger, keyring, now, ...(reason !== undefined && { reason }) }
    return { status: 201, body: await asking(() => revoke(target, context)) }
  },
})

const listRevocations = route({
  name: 'listRevocations',
  method: 'get',
  path: '/v1/revocations',
  summary: 'Revocations in force, newest first; those of signing keys are at /v1/signing-keys',
  access: 'admin',
  query: schemas.RevocationsQuery,
  success: { status: 200, description: 'the newest of them', schema: schemas.Revocations },
  refusals: [],
  async answer({ query: { limit }, issuer }) {
    const revocations = await asking(() => issuer.ledger.revocations(limit))
    return { status: 200, body: { revocations } }
  },
})

export const revocationRoutes: readonly Route[] = [addRevocation, listRevocations]

function targetOf(
  { id, url, subject, path, mintedBefore }: Request,
  now: UnixSeconds,
): RevocationTarget {
  if (id !== undefined) return { id }
  if (url !== undefined) return { url }
  const before = mintedBefore === undefined ? undefined : momentOf(mintedBefore, now)
  const bound = before === undefined ? {} : { mintedBefore: before }
  if (subject !== undefined) return { subject, ...bound }
  if (path !== undefined) return { path, ...bound }
  return { mintedBefore: before ?? now }
}

function momentOf(value: string | number, now: UnixSeconds): UnixSeconds {
  try {
    return timeOf(value, now)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new OptionsError([{ option: 'mintedBefore', message: error.message }])
  }
}
