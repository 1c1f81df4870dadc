import { expect, test } from 'vitest'
import { ActivityLog } from '../../../gateway/activity.ts'
import type { Exchange } from '../../../gateway/exchange.ts'
import { Refusal } from '../../../key/refusal.ts'
import { unixSeconds } from '../../../key/units.ts'
import type { Activity, IssuedKeys } from '../../../ledger/ledger.ts'

const exchange = (id: string, more: Partial<Exchange>): Exchange =>
  ({ grant: { id }, client: { address: '::1' }, bytesIn: 0, bytesOut: 0, ...more }) as Exchange
const refusal = new Refusal('key_revoked', 'it was revoked')

test('a download that was cut is a use of its key, a request that was refused at once is none', async () => {
  const noted: Activity[] = []
  const noteActivity = async (activity: readonly Activity[]) => void noted.push(...activity)
  const log = new ActivityLog({ noteActivity } as unknown as IssuedKeys, () => {})
  log.note(exchange('whole', { bytesOut: 5 }), unixSeconds(7))
  log.note(exchange('cut', { bytesOut: 3, refusal }), unixSeconds(8))
  log.note(exchange('refused', { refusal }), unixSeconds(9))
  await log.flush()
  expect(noted.map(({ id, lastUsed, bytesOut }) => [id, lastUsed, bytesOut])).toEqual([
    ['whole', 7, 5],
    ['cut', 8, 3],
  ])
})
