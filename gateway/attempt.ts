import type { Attempt } from '../key/clear.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Client } from './client.ts'
import type { RawRequest } from './request.ts'

/** What a request asks for, as a protocol has read it. */
export type Wanted = Pick<Attempt, 'method' | 'path' | 'upload'>

/** What a request wants, stated once, from what it asks for, its headers and who sent it. */
export function attemptOf(
  { method, path, upload }: Wanted,
  { headers }: Pick<RawRequest, 'headers'>,
  { address, tls }: Client,
  now: UnixSeconds,
): Attempt {
  const origin = headers.get('origin')
  return {
    now,
    method,
    path,
    address,
    tls,
    header: (name) => headers.get(name),
    ...(origin !== undefined && { origin }),
    ...(upload !== undefined && { upload }),
  }
}
