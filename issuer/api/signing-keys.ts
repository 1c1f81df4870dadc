/** `/v1/signing-keys`: list, rotate, retire, revoke. Their secrets never leave here. */
import type { KeyringEntry } from '../../ledger/keyring.ts'
import { countedSigningKeys, retire, revokeSigningKey, rotate } from '../signing-keys.ts'
import { asking } from './problem.ts'
import { bodyOf, type Route, route } from './route.ts'
import * as schemas from './schemas.ts'

const listSigningKeys = route({
  name: 'listSigningKeys',
  method: 'get',
  path: '/v1/signing-keys',
  summary: 'Signing keys, oldest first; revoked ones stay',
  access: 'admin',
  success: { status: 200, description: 'without their secrets', schema: schemas.SigningKeys },
  refusals: [],
  async answer({ issuer: { keyring, ledger }, now }) {
    await asking(() => keyring.refresh())
    const entries = await asking(() => countedSigningKeys(keyring.records(), ledger, now))
    const signingKeys = entries.map((entry) => {
      const { issued, live } = entry
      return { ...shown(entry), issued, live }
    })
    return { status: 200, body: { signingKeys } }
  },
})

const rotateSigningKeys = route({
  name: 'rotateSigningKeys',
  method: 'post',
  path: '/v1/signing-keys',
  summary: 'Make a new signing key; those that minted until now verify until the grace ends',
  access: 'admin',
  body: bodyOf(schemas.GraceRequest),
  success: { status: 201, description: 'the new key', schema: schemas.SigningKey },
  refusals: [],
  async answer({ body: { grace }, issuer, now }) {
    const life = grace ?? issuer.settings.maxExpires
    const { kid } = await asking(() => rotate({ ...issuer, now }, life))
    const made = issuer.keyring.records().find((entry) => entry.kid === kid)
    return { status: 201, body: made && shown(made) }
  },
})

const retireSigningKey = route({
  name: 'retireSigningKey',
  method: 'post',
  path: '/v1/signing-keys/{kid}/retire',
  summary: 'Mint no more with a key, which verifies until the grace ends',
  access: 'admin',
  params: schemas.SigningKeyParams,
  body: bodyOf(schemas.GraceRequest),
  success: { status: 200, description: 'the key', schema: schemas.SigningKey },
  refusals: ['resource_not_found', 'conflict'],
  async answer({ params: { kid = '' }, body: { grace }, issuer, now }) {
    const life = grace ?? issuer.settings.maxExpires
    const entry = await asking(() => retire(kid, { ...issuer, now }, life))
    return { status: 200, body: shown(entry) }
  },
})

const revokeOneSigningKey = route({
  name: 'revokeSigningKey',
  method: 'post',
  path: '/v1/signing-keys/{kid}/revoke',
  summary: 'Refuse everything that was minted with a key; a new one is made where it was the last',
  access: 'admin',
  params: schemas.SigningKeyParams,
  success: { status: 200, description: 'the key', schema: schemas.SigningKey },
  refusals: ['resource_not_found'],
  async answer({ params: { kid = '' }, issuer, now }) {
    const entry = await asking(() => revokeSigningKey(kid, { ...issuer, now }))
    return { status: 200, body: shown(entry) }
  },
})

export const signingKeyRoutes: readonly Route[] = [
  listSigningKeys,
  rotateSigningKeys,
  retireSigningKey,
  revokeOneSigningKey,
]

/** Named one by one, so that nothing is shown by being added elsewhere. */
const shown = ({ kid, kind, status, createdAt, graceEnds, ceiling, secret }: KeyringEntry) => ({
  kid,
  kind,
  status,
  secret,
  ...(createdAt !== undefined && { createdAt }),
  ...(graceEnds !== undefined && { graceEnds }),
  ...(ceiling !== undefined && { ceiling }),
})
