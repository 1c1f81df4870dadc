import type { Attempt } from '../key/clear.ts'
import type { UnixSeconds } from '../key/units.ts'
import type { Client } from './client.ts'
import type { Action } from './protocols/native.ts'
import type { RawRequest } from './request.ts'

/** What a request wants, stated once, from the request, its action and who sent it. */
export function attemptOf(
  { method, target, upload }: Action,
  { headers }: RawRequest,
  { address, tls }: Client,
  now: UnixSeconds,
): Attempt {
  const origin = headers.get('origin')
  return {
    now,
    method,
    path: target.path,
    address,
    tls,
    header: (name) => headers.get(name),
    ...(origin !== undefined && { origin }),
    ...(upload !== undefined && { upload }),
  }
}
