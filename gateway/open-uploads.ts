/**
 * How many uploads may be open under a key. A use and a file are taken when an object appears, and by
 * then an upload may lie on the disk for a day: so no more of them are open than could become objects.
 */
import { countersOf } from '../key/counters.ts'
import { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import { formatTime, type UnixSeconds } from '../key/units.ts'
import type { Allowances, Leases } from '../ledger/ledger.ts'
import { RateLimited } from './pins.ts'
import type { OpenLimit, TooManyOpen } from './store/multipart.ts'

const [USES, FILES, KEY] = ['uses:', 'files:', 'key:'] as const

type Counts = Pick<Leases, 'usesOf'> & Pick<Allowances, 'takenOf'>

/**
 * Of an upload that may be begun: what it would take was there a moment ago.
 * @param creates whether it makes an object of which there is none
 * @param most under any key
 */
export async function openLimits(
  ledger: Counts,
  grant: Grant,
  creates: boolean,
  most: number,
): Promise<readonly OpenLimit[]> {
  const { uses = [], files = [] } = countersOf(grant) ?? {}
  const limits: OpenLimit[] = []
  for (const { id, most } of uses) {
    limits.push({ under: USES + id, most: Math.max(1, most - (await ledger.usesOf(id))) })
  }
  // their ids begin with what they count
  for (const { id, most } of creates ? files : []) {
    limits.push({ under: id, most: Math.max(1, most - (await ledger.takenOf(id))) })
  }
  // whoever narrows a key, presigns many URLs or asks for sessions, begins uploads under what was handed out
  return [...limits, { under: KEY + grant.grantedId, most }]
}

/** Whether the limit is what the ledger says is left. */
export const isOfLedger = ({ limit }: TooManyOpen): boolean => !limit.under.startsWith(KEY)

export function tooManyOpen({ limit, until }: TooManyOpen, now: UnixSeconds): Refusal {
  const { under, most } = limit
  const open = most === 1 ? 'one upload is open' : `${most} uploads are open`
  const what = `go on with what was begun, end it, or wait until it ends by itself, the first at ${formatTime(until)}`
  if (under.startsWith(USES)) {
    const why = `${open}, and the key has no more uses left`
    return new Refusal('uses_exhausted', `${why}: ${what}`)
  }
  if (under.startsWith(FILES)) {
    const why = `${open}, and the key may create no more files`
    return new Refusal('files_exhausted', `${why}: ${what}`)
  }
  return new RateLimited(`${open} under the key: ${what}`, until - now)
}
