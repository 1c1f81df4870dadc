/** `/session`: the admin token once, and a session of the console for it. */
import { Refusal } from '../../key/refusal.ts'
import { bodyOf, type Route, route } from '../api/route.ts'
import * as schemas from '../api/schemas.ts'
import { refuseOtherOrigins, setSession } from './browser.ts'

const signIn = route({
  name: 'signIn',
  method: 'post',
  path: '/session',
  summary: 'Sign in to the console: sets a cookie; the proof goes with every request beside it',
  access: 'open',
  body: bodyOf(schemas.SessionRequest),
  success: { status: 201, description: 'signed in', schema: schemas.Session },
  refusals: ['token_invalid', 'origin_not_granted', 'rate_limited'],
  async answer({ body, issuer, incoming, now }) {
    refuseOtherOrigins(incoming)
    const address = incoming.socket.remoteAddress ?? ''
    if (!issuer.tries.check(address, now, () => issuer.isAdminToken(body.token))) {
      throw new Refusal(
        'token_invalid',
        'this is not the admin token, which lies in the file secrets/admin-token of the data folder',
      )
    }
    const session = issuer.sessions.open(now)
    const { proof, expires } = session
    return { status: 201, body: { proof, expires }, cookie: setSession(incoming.headers, session) }
  },
})

const signOut = route({
  name: 'signOut',
  method: 'delete',
  path: '/session',
  summary: 'Sign out of the console: takes the cookie away',
  access: 'open',
  success: { status: 204, description: 'signed out' },
  refusals: ['origin_not_granted'],
  async answer({ incoming }) {
    refuseOtherOrigins(incoming)
    return { status: 204, cookie: setSession(incoming.headers) }
  },
})

export const sessionRoutes: readonly Route[] = [signIn, signOut]
