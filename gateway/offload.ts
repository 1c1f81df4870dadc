/**
 * Where another server stands in front, it can send the file itself once the gateway has decided:
 * nginx is told by X-Accel-Redirect, others by X-Sendfile. Ranges are then that server's work, and
 * what it sends is out of our hands: a use counts as soon as the file was handed over.
 */
import { isTrusted, peerOf } from './client.ts'
import type { Exchange, FlatHeaders } from './exchange.ts'
import type { Services } from './services.ts'
import type { ObjectInfo, OpenObject } from './store/store.ts'

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
  // anybody else would be told where files lie, and get no bytes
  if (offload === 'none' || !isTrusted(peerOf(incoming.socket), trustedProxies)) return undefined
  if (offload === 'x-sendfile') {
    const { file } = object
    return file === undefined || rate !== undefined ? undefined : ['X-Sendfile', file]
  }
  const file = encodedFile(object)
  if (file === undefined) return undefined
  const paced = rate === undefined ? [] : ['X-Accel-Limit-Rate', String(rate)]
  return ['X-Accel-Redirect', offloadPrefix + file, ...paced]
}

/** The same each time, for as long as a store has the object at hand. */
const encoded = new WeakMap<ObjectInfo, string>()

function encodedFile(object: OpenObject): string | undefined {
  const known = encoded.get(object.info)
  if (known !== undefined) return known
  const made = object.file?.split('/').map(encodeURIComponent).join('/')
  if (made !== undefined) encoded.set(object.info, made)
  return made
}
