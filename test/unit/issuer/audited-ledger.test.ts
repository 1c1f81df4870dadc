import { expect, it } from 'vitest'
import type { AuditSink } from '../../../audit/audit.ts'
import { auditedLedger } from '../../../issuer/audited-ledger.ts'
import { Refusal } from '../../../key/refusal.ts'
import type { Ledger } from '../../../ledger/ledger.ts'

const FULL = new Refusal('storage_full', 'the audit can not be written')

/** Where nothing can be written down; what was done all the same. */
function onFullDisk(trouble: Refusal | undefined) {
  const done: string[] = []
  const act = (name: string) => async () => {
    done.push(name)
  }
  const ledger = { keepNotes: act('keepNotes'), revoke: act('revoke') } as unknown as Ledger
  const audit = { trouble: () => trouble, keep: () => Promise.reject(FULL), note: () => {} }
  const audited = auditedLedger(ledger, audit as unknown as AuditSink, { by: 'admin' } as never)
  return { audited, done }
}

const NOTE = { id: 'id', message: 'hello' }

it('refuses what grants something before it happens: 507', async () => {
  const { audited, done } = onFullDisk(FULL)
  await expect(audited.keepNotes([NOTE])).rejects.toMatchObject({ code: 'storage_full' })
  expect(done).toEqual([])
})

it('says 503 where it turns out after it happened: a 507 says that nothing has changed', async () => {
  const { audited, done } = onFullDisk(undefined)
  await expect(audited.keepNotes([NOTE])).rejects.toMatchObject({ code: 'unavailable' })
  expect(done).toEqual(['keepNotes'])
})

it('takes away in any case', async () => {
  const { audited, done } = onFullDisk(FULL)
  await audited.revoke([{ kind: 'id', value: 'x', revokedAt: 1 } as never])
  expect(done).toEqual(['revoke'])
})
