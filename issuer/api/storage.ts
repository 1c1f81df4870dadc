/** `/v1/storage`: how much lies where. */
import { storageAt } from '../storage.ts'
import { asking } from './problem.ts'
import { type Route, route } from './route.ts'
import * as schemas from './schemas.ts'

const showStorage = route({
  name: 'showStorage',
  method: 'get',
  path: '/v1/storage',
  summary: 'Objects and bytes, one level beneath a prefix, as the gateway lists them',
  access: 'admin',
  query: schemas.StorageQuery,
  success: { status: 200, description: 'largest first', schema: schemas.Storage },
  refusals: ['path_malformed'],
  async answer({ query: { prefix }, issuer: { keyring, publicUrl }, now }) {
    await asking(() => keyring.refresh())
    const signingKey = await asking(() => keyring.active())
    return { status: 200, body: await storageAt(prefix, { signingKey, publicUrl, now }) }
  },
})

export const storageRoutes: readonly Route[] = [showStorage]
