import type { Attempt, Holder } from '../key/clear.ts'
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
  const header = (name: string): string | undefined => headers.get(name)
  const origin = header('origin')
  return { now, address, tls, header, origin, method, path, upload }
}

/** Who sent a request, whatever it wants. */
export function holderOf(
  { headers }: Pick<RawRequest, 'headers'>,
  { address, tls }: Client,
  now: UnixSeconds,
): Holder {
  const header = (name: string): string | undefined => headers.get(name)
  return { now, address, tls, header, origin: header('origin') }
}
