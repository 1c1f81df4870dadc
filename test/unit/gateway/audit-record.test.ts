import { describe, expect, it } from 'vitest'
import type { Admitted } from '../../../gateway/admit.ts'
import { changing } from '../../../gateway/audit-record.ts'
import { Refusal } from '../../../key/refusal.ts'

const admitted = {
  grant: { ids: ['id'], subjects: [], kid: 'kid' },
  attempt: { path: 'bucket/key', address: '127.0.0.1' },
  requestId: 'request',
} as unknown as Admitted

/** An audit on a disk that has become full. */
const full = {
  keep: () => Promise.reject(new Refusal('storage_full', 'the audit can not be written')),
  note: () => {},
}

const change = (act: 'PUT' | 'DELETE', outcome: unknown): Promise<unknown> =>
  changing(admitted, { audit: full as never }, { act }, async () => outcome)

describe('a change that can not be written down', () => {
  it('is refused with 503 where it was made: 507 says that nothing has changed', async () => {
    await expect(change('PUT', { done: true })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is refused with 507 where it was not', async () => {
    await expect(change('PUT', { done: false })).rejects.toMatchObject({ code: 'storage_full' })
  })

  it('is acknowledged where it is a deletion, which makes room', async () => {
    expect(await change('DELETE', true)).toBe(true)
  })
})
