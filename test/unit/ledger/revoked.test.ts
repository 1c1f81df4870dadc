/** A ledger with more revocations than are kept in memory as they are. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Instance } from '../../../database/instance.ts'
import type { ObjectPath } from '../../../key/object-path.ts'
import type { UnixSeconds } from '../../../key/units.ts'
import type { Revocation, RevocationKind } from '../../../ledger/ledger.ts'
import { SqliteLedger } from '../../../ledger/sqlite/ledger.ts'
import { tempFolder } from '../../support/temp-folder.ts'

const NOW = 1_800_000_000 as UnixSeconds
/** More than are read in one turn. */
const MANY = 5000

let folder: ReturnType<typeof tempFolder>
let instance: Instance
let ledger: SqliteLedger
/** of another process, as it were: it has connections of its own */
let elsewhere: SqliteLedger

beforeEach(async () => {
  folder = tempFolder()
  instance = Instance.start(join(folder.path, 'instances'))
  const options = { file: join(folder.path, 'ledger.db'), instance }
  ledger = await SqliteLedger.open(options)
  elsewhere = await SqliteLedger.open(options)
})

afterEach(async () => {
  await ledger.close()
  await elsewhere.close()
  instance.close()
  folder.remove()
})

const revoked = (kind: RevocationKind, value: string, until?: UnixSeconds): Revocation => ({
  kind,
  value,
  revokedAt: NOW,
  ...(until !== undefined && { until }),
})

const numbers = Array.from({ length: MANY }, (_, n) => n)

const isRevoked = (id: string, subject = 'nobody'): boolean =>
  ledger.revocationOf({
    ids: [id],
    subjects: [subject],
    issuedAt: NOW,
    path: 'bkt/a' as ObjectPath,
  }) !== undefined

/** So many turns as reading them all takes, and more. */
async function turns(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await setImmediate()
}

const missing = (): readonly number[] => numbers.filter((n) => !isRevoked(`id-${n}`))

test('each of many is found, while they are being read and afterwards; no other is', async () => {
  await elsewhere.revoke(numbers.map((n) => revoked('id', `id-${n}`)))
  await elsewhere.revoke(numbers.map((n) => revoked('subject', `subject-${n}`)))
  expect(isRevoked('other')).toBe(false)
  expect(missing()).toEqual([])
  await turns()
  expect(missing()).toEqual([])
  expect(numbers.filter((n) => !isRevoked('other', `subject-${n}`))).toEqual([])
  expect(numbers.filter((n) => isRevoked(`id-${n}x`, `subject-${n}x`))).toEqual([])
})

test('one that comes while the others are being read, or later, is found at once', async () => {
  await elsewhere.revoke(numbers.map((n) => revoked('id', `id-${n}`)))
  expect(isRevoked('other')).toBe(false)
  // before all that have been read in the first turn
  await elsewhere.revoke([revoked('id', 'a-during')])
  await turns()
  expect(isRevoked('a-during')).toBe(true)
  for (const [id, by] of [
    ['a-later', elsewhere],
    ['z-later', ledger],
  ] as const) {
    expect(isRevoked(id)).toBe(false)
    await by.revoke([revoked('id', id)])
    await setImmediate()
    expect(isRevoked(id)).toBe(true)
  }
  expect(missing()).toEqual([])
})

test('what was purged is revoked no more, and can be again', async () => {
  const until = (NOW + 10) as UnixSeconds
  await ledger.revoke(numbers.map((n) => revoked('id', `id-${n}`)))
  await ledger.revoke([revoked('id', 'short', until)])
  expect(isRevoked('short')).toBe(true)
  await turns()
  await ledger.purge(until)
  expect(isRevoked('short')).toBe(false)
  await ledger.revoke([revoked('id', 'short')])
  expect(isRevoked('short')).toBe(true)
})
