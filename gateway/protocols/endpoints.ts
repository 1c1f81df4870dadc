/**
 * What is asked of the gateway itself with a key, below `/-/`: the same way in as for objects, and
 * refusals of the same form.
 */
import { giveCookies, takeCookies } from '../endpoints/cookie.ts'
import { showKey } from '../endpoints/key.ts'
import { takePin } from '../endpoints/pin.ts'
import type { Exchange } from '../exchange.ts'
import type { RawRequest } from '../request.ts'
import type { Services } from '../services.ts'
import { native } from './native.ts'
import { MethodNotAllowed } from './problem.ts'
import type { Protocol } from './protocol.ts'

type Endpoint = (request: RawRequest, exchange: Exchange, services: Services) => Promise<void>

/** By path, then by method. */
const ENDPOINTS: ReadonlyMap<string, Readonly<Record<string, Endpoint>>> = new Map<
  string,
  Readonly<Record<string, Endpoint>>
>([
  ['/-/key', { GET: showKey, HEAD: showKey }],
  ['/-/pin', { POST: takePin }],
  ['/-/cookie', { POST: giveCookies, DELETE: takeCookies }],
])

export const isEndpoint = ({ path }: Pick<RawRequest, 'path'>): boolean => ENDPOINTS.has(path)

export const endpoints: Protocol = {
  ...native,
  name: 'endpoints',
  recognises: isEndpoint,
  offers: () => ({ methods: 'GET, HEAD, POST, DELETE', headers: [] }),
  async serve(request, exchange, services) {
    const methods = ENDPOINTS.get(request.path) ?? {}
    const endpoint = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined
    if (endpoint === undefined) {
      throw new MethodNotAllowed(request.method, [...Object.keys(methods), 'OPTIONS'].join(', '))
    }
    await endpoint(request, exchange, services)
  },
}
