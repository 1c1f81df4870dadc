/** System calls that fail under the running program: a few; by hand, every one: see system-calls.ts. */
import { expect, it } from 'vitest'
import { type Fault, failOne, mayInject, repeatedSyncs } from './system-calls.ts'

const FAULTS: readonly Fault[] = [
  { target: 'index', call: 'pwrite64', code: 'ENOSPC', nth: 1 },
  { target: 'index', call: 'fsync', code: 'EIO', nth: 2 },
  { target: 'ledger', call: 'fsync', code: 'EIO', nth: 1 },
  { target: 'audit', call: 'write', code: 'ENOSPC', nth: 1 },
  { target: 'folder', call: 'fsync', code: 'ENOSPC', nth: 2 },
]

it('are never answered as done where they were not, and leave old or new', async () => {
  for (const fault of mayInject ? FAULTS : []) {
    const { isInjected, mistakes } = await failOne(fault)
    expect({ fault, isInjected, mistakes }).toEqual({ fault, isInjected: true, mistakes: [] })
  }
})

it('are found to be repeated where a file is synced after that has failed', () => {
  const synced = '7 fsync(20</d/index.db-wal>) = 0'
  const failed = '7 fsync(20</d/index.db-wal>) = -1 EIO (Input/output error) (INJECTED)'
  const other = '7 fsync(21</d/ledger.db-wal>) = 0'
  expect(repeatedSyncs([synced, failed, other])).toEqual([])
  expect(repeatedSyncs([failed, other, synced])).toHaveLength(1)
})
