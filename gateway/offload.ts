/**
 * Where another server stands in front, it can send the file itself once the gateway has decided:
 * nginx is told by X-Accel-Redirect, others by X-Sendfile. Ranges are then that server's work, and
 * what it sends is out of our hands: a use counts as soon as the file was handed over.
 */
import { isTrusted, peerOf } from './client.ts'
import type { Exchange, FlatHeaders } from './exchange.ts'
import type { Services } from './services.ts'
import type { OpenObject } from './store/store.ts'

/**
 * The headers that hand a file over; undefined where the bytes go through us.
 * @param rate bytes a second: nginx can be told, for each connection by itself; others can not
 */
export function offloadHeader(
  object: OpenObject,
  { incoming }: Exchange,
  { settings }: Services,
  rate?: number,
): FlatHeaders | undefined {
  const { offload, offloadPrefix, trustedProxies } = settings
  if (offload === 'none' || object.file === undefined) return undefined
  // anybody else would be told where files lie, and get no bytes
  if (!isTrusted(peerOf(incoming.socket), trustedProxies)) return undefined
  if (offload === 'x-sendfile') return rate === undefined ? ['X-Sendfile', object.file] : undefined
  const file = object.file.split('/').map(encodeURIComponent).join('/')
  const paced = rate === undefined ? [] : ['X-Accel-Limit-Rate', String(rate)]
  return ['X-Accel-Redirect', offloadPrefix + file, ...paced]
}
