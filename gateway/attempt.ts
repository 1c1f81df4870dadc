import type { Attempt, Holder } from '../key/clear.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Client } from './client.ts'
import type { RawRequest } from './request.ts'

/** What a request asks for, as a protocol has read it. */
export type Wanted = Pick<Attempt, 'method' | 'path' | 'upload'>

/** What a request wants, stated once, from what it asks for, its headers and who sent it. */
export function attemptOf(
  { method, path, upload }: Wanted,
  request: Pick<RawRequest, 'headers'>,
  client: Client,
  now: UnixSeconds,
): Attempt {
  return {
    ...holderOf(request, client, now),
    method,
    path,
    ...(upload !== undefined && { upload }),
  }
}

/** Who sent a request, whatever it wants. */
export function holderOf(
  { headers }: Pick<RawRequest, 'headers'>,
  { address, tls }: Client,
  now: UnixSeconds,
): Holder {
  const origin = headers.get('origin')
  return {
    now,
    address,
    tls,
    header: (name) => headers.get(name),
    ...(origin !== undefined && { origin }),
  }
}
